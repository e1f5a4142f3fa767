"""Fakes of OpenAI's interface, plain and realtime, and of the servers that speak a dialect of it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from hmac import compare_digest
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from asrproto._json import check_shape, read_json
from asrproto.errors import MalformedFrame
from asrproto.events import Word
from asrproto.http import HttpRequest, HttpResponse
from asrproto.openai.dialects import FIELDS, OPENAI, Dialect, RealtimeDialect
from asrproto.session import WireMessage
from asrproto.testing.ear import Ear, hear_wav
from asrproto.testing.forms import Field, read_form
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.service import HandshakeRefused, checked_code

__all__ = ["RealtimeService", "TranscriptionService"]

_WORDS_PER_SEGMENT = 8
_ENCODINGS = {"audio/pcm": "pcm", "audio/pcmu": "ulaw", "audio/pcma": "alaw"}
_LEAST_COMMIT = 0.1
"""Seconds of audio that a commit needs."""


class _Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, code: str | None = None, kind: str = "invalid_request_error",
                 param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "param": param, "code": code}


_REFUSALS = {
    "invalid_api_key": _Refusal(401, "Incorrect API key provided.", "invalid_api_key"),
    "unsupported_country_region_territory": _Refusal(
        403, "Country, region, or territory not supported", "unsupported_country_region_territory",
        "request_forbidden"),
    "model_not_found": _Refusal(404, "The model does not exist or you do not have access to it.", "model_not_found"),
    "rate_limit_exceeded": _Refusal(429, "Rate limit reached for requests.", "rate_limit_exceeded", "requests"),
    "insufficient_quota": _Refusal(429, "You exceeded your current quota, please check your plan and billing details.",
                                   "insufficient_quota", "insufficient_quota"),
    "server_error": _Refusal(500, "The server had an error while processing your request.", kind="server_error"),
    "service_unavailable": _Refusal(503, "That model is currently overloaded with other requests.",
                                    kind="service_unavailable"),
}
_SAID_LATER = {
    "session_expired": _Refusal(400, "Your session hit the maximum duration of 60 minutes.", "session_expired"),
    **{name: _REFUSALS[name] for name in ("rate_limit_exceeded", "insufficient_quota", "server_error")},
}


def _error(refusal: _Refusal) -> HttpResponse:
    return _response(refusal.status, json.dumps({"error": refusal.error}))


def _check_key(request: HttpRequest, api_key: str | None) -> None:
    given = request.header("Authorization") or ""
    if api_key is not None and not compare_digest(given.encode(), f"Bearer {api_key}".encode()):
        raise _Refusal(401, f"Incorrect API key provided: {given.removeprefix('Bearer ')}.", "invalid_api_key")


def _response(status: int, content: bytes | str, content_type: str = "application/json") -> HttpResponse:
    return HttpResponse(status, (("Content-Type", content_type), ("x-request-id", "req_fake")),
                        content if isinstance(content, bytes) else content.encode())


class TranscriptionService:
    """``/audio/transcriptions``: a form in, a transcript out, in every format and as a stream.

    Parameters
    ----------
    recognisers : callable
        Makes a recogniser for each recording.
    api_key : str or None
        The key that it knows; None takes any.
    dialect : Dialect
        Which server it is.
    """

    def __init__(self, recognisers: RecogniserFactory, *, api_key: str | None, dialect: Dialect = OPENAI) -> None:
        self._recognisers = recognisers
        self._api_key = api_key
        self._dialect = dialect

    error_codes = tuple(_REFUSALS)

    def refusal(self, code: str) -> HttpResponse:
        """The answer to a request that is refused with `code`."""
        return _error(_REFUSALS[checked_code(code, self.error_codes)])

    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        try:
            path = urlsplit(self._dialect.base_url).path + "/audio/transcriptions"
            if request.method != "POST" or urlsplit(request.url).path != path:
                raise _Refusal(404, f"Invalid URL ({request.method} {urlsplit(request.url).path})")
            _check_key(request, self._api_key)
            return self._transcribed(read_form(request))
        except _Refusal as refusal:
            return _error(refusal)
        except ValueError as error:
            return _error(_Refusal(400, str(error)))

    def _transcribed(self, form: list[Field]) -> HttpResponse:
        values = {field.name: field.text for field in form if field.filename is None}
        for name in values:
            bare = name.partition("[")[0]
            if bare in FIELDS and bare not in self._dialect.fields:
                raise _Refusal(400, f"unsupported parameter: {name}", param=name)
        if not values.get("model"):
            raise _Refusal(400, "you must provide a model parameter", param="model")
        file = next((field for field in form if field.filename is not None and field.name == "file"), None)
        if file is None:
            raise _Refusal(400, "you must provide a file", param="file")
        answer = _ANSWERS.get(response_format := values.get("response_format", "json"))
        if answer is None or response_format not in self._dialect.response_formats:
            raise _Refusal(400, f"response_format {response_format!r} is not supported", param="response_format")
        words, seconds = hear_wav(file.content, self._recognisers)
        if values.get("stream") == "true":
            return _response(200, "".join(_events(words)), "text/event-stream; charset=utf-8")
        content = answer(words, seconds)
        if isinstance(content, str):
            return _response(200, content, "text/plain; charset=utf-8")
        return _response(200, json.dumps(content, ensure_ascii=False))


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _segments(words: Sequence[Word]) -> list[Sequence[Word]]:
    return [words[at:at + _WORDS_PER_SEGMENT] for at in range(0, len(words), _WORDS_PER_SEGMENT)]


def _span(words: Sequence[Word]) -> dict[str, Any]:
    return {"start": words[0].start, "end": words[-1].end, "text": " " + _text(words)}


def _json(words: Sequence[Word], seconds: float) -> dict[str, Any]:
    return {"text": _text(words), "usage": {"type": "duration", "seconds": round(seconds)}}


def _verbose(words: Sequence[Word], seconds: float) -> dict[str, Any]:
    return {"task": "transcribe", "language": "english", "duration": seconds, **_json(words, seconds),
            "segments": [{"id": i, **_span(part)} for i, part in enumerate(_segments(words))],
            "words": [{"word": word.text, "start": word.start, "end": word.end} for word in words]}


def _diarized(words: Sequence[Word], seconds: float) -> dict[str, Any]:
    return {"task": "transcribe", "duration": seconds, **_json(words, seconds),
            "segments": [{"type": "transcript.text.segment", "id": f"seg_{i}", "speaker": "A", **_span(part)}
                         for i, part in enumerate(_segments(words))]}


def _stamp(seconds: float | None, comma: str) -> str:
    minutes, milliseconds = divmod(round((seconds or 0.0) * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{comma}{milliseconds % 1000:03}"


def _srt(words: Sequence[Word], seconds: float) -> str:
    return "".join(f"{i}\n{_stamp(part[0].start, ',')} --> {_stamp(part[-1].end, ',')}\n{_text(part)}\n\n"
                   for i, part in enumerate(_segments(words), 1))


def _vtt(words: Sequence[Word], seconds: float) -> str:
    return "WEBVTT\n\n" + "".join(f"{_stamp(part[0].start, '.')} --> {_stamp(part[-1].end, '.')}\n{_text(part)}\n\n"
                                  for part in _segments(words))


_ANSWERS: dict[str, Callable[[Sequence[Word], float], Any]] = {
    "json": _json, "text": lambda words, seconds: _text(words) + "\n", "srt": _srt, "vtt": _vtt,
    "verbose_json": _verbose, "diarized_json": _diarized,
}


def _events(words: Sequence[Word]) -> Iterator[str]:
    for i, word in enumerate(words):
        delta = {"type": "transcript.text.delta", "delta": (" " if i else "") + word.text}
        yield f"data: {json.dumps(delta, ensure_ascii=False)}\n\n"
    yield f"data: {json.dumps({'type': 'transcript.text.done', 'text': _text(words)}, ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"


class _Format(msgspec.Struct):
    type: str
    rate: int | None = None


class _Transcription(msgspec.Struct):
    model: str


class _Input(msgspec.Struct):
    format: _Format
    transcription: _Transcription


class _Audio(msgspec.Struct):
    input: _Input


class _Settings(msgspec.Struct):
    type: Literal["transcription"]
    audio: _Audio


class RealtimeService:
    """``/realtime``: the audio is recognised when it is committed. Parameters are those of `TranscriptionService`."""

    def __init__(self, recognisers: RecogniserFactory, *, api_key: str | None, dialect: Dialect = OPENAI) -> None:
        if dialect.realtime is None:
            raise ValueError(f"{dialect.name} has no realtime conversation")
        self._recognisers = recognisers
        self._api_key = api_key
        self._dialect, self._realtime = dialect, dialect.realtime

    error_codes = tuple(_SAID_LATER)
    handshake_codes = tuple(_REFUSALS)

    def refusal(self, code: str) -> HttpResponse:
        """The answer to a handshake that is refused with `code`."""
        return _error(_REFUSALS[checked_code(code, self.handshake_codes)])

    def accept(self, request: HttpRequest, *, at: datetime) -> RealtimeConversation:
        url = urlsplit(request.url)
        try:
            if url.path != urlsplit(self._dialect.base_url).path + "/realtime" or url.query != self._realtime.query:
                raise _Refusal(404, f"Invalid URL (GET {url.path})")
            _check_key(request, self._api_key)
        except _Refusal as refusal:
            raise HandshakeRefused(_error(refusal)) from None
        return RealtimeConversation(self._recognisers, self._realtime)


class RealtimeConversation:
    """The service's side of one realtime conversation; its first words wait for the client's first message."""

    response_headers: Sequence[tuple[str, str]] = (("x-request-id", "req_fake"),)

    def __init__(self, recognisers: RecogniserFactory, dialect: RealtimeDialect) -> None:
        self._recognisers, self._dialect = recognisers, dialect
        self._audio_format: str | None = None
        self._ear: Ear | None = None
        self._items = self._events = 0
        self.received: list[dict[str, Any]] = []
        self.closed = False

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        if self.closed:
            return []
        try:
            document = read_json(message)
        except MalformedFrame as error:
            return [self._error(_Refusal(400, str(error)))]
        answers = [] if self.received else [self._event("session.created", session={"id": "sess_fake"}, id="sess_fake")]
        kind = document.get("type") if isinstance(document, dict) else None
        self.received.append(document)
        try:
            handler = _HANDLERS.get(str(kind))
            if handler is None:
                raise _Refusal(400, f"Invalid value: {kind!r}", "invalid_value", param="type")
            answers += handler(self, document)
        except _Refusal as refusal:
            answers.append(self._error(refusal))
        return answers

    def receive_eof(self) -> None:
        self.closed = True

    def fail(self, code: str) -> Sequence[WireMessage]:
        """End with the error `code`."""
        refusal = _SAID_LATER[checked_code(code, _SAID_LATER)]
        self.closed = True
        return [self._error(refusal)]

    def _event(self, kind: str, **fields: Any) -> str:
        self._events += 1
        return json.dumps({"type": kind, "event_id": f"event_{self._events}", **fields}, ensure_ascii=False)

    def _error(self, refusal: _Refusal) -> str:
        if self._dialect.nested_session:
            return self._event("error", error=refusal.error)
        return self._event("error", error=refusal.error["message"],
                           code=refusal.error["code"] or refusal.error["type"])

    def _update(self, document: dict[str, Any]) -> list[str]:
        if not self._dialect.nested_session:
            if not document.get("model"):
                raise _Refusal(400, "Missing required field: model", "invalid_event")
            self._audio_format = "audio/pcm"
            return []
        try:
            settings = check_shape(document.get("session"), _Settings, what="the session").audio.input
        except MalformedFrame as error:
            raise _Refusal(400, str(error), "invalid_value", param="session") from None
        audio_format = settings.format.type
        rate = self._dialect.audio_formats.get(audio_format)
        if rate is None or settings.format.rate not in (None, rate):
            raise _Refusal(400, "Invalid audio format", "invalid_value", param="session.audio.input.format")
        self._audio_format = audio_format
        return [self._event("session.updated", session=document["session"])]

    def _append(self, document: dict[str, Any]) -> list[str]:
        if self._audio_format is None:
            raise _Refusal(400, "Model not validated.", "model_not_validated")
        try:
            audio = base64.b64decode(document.get("audio"), validate=True)  # type: ignore[arg-type]
        except (binascii.Error, TypeError, ValueError):
            raise _Refusal(400, "Invalid audio data", "invalid_audio", param="audio") from None
        if not audio or len(document["audio"]) > self._dialect.max_append:
            raise _Refusal(400, "Invalid audio data", "invalid_audio", param="audio")
        if self._ear is None:
            self._ear = Ear(self._recognisers, self._dialect.audio_formats[self._audio_format],
                            _ENCODINGS[self._audio_format])
        self._ear.accept(audio)
        return []

    def _commit(self, document: dict[str, Any]) -> list[str]:
        if self._dialect.final_commit:
            return self._finished() if document.get("final") else []
        seconds = self._ear.seconds if self._ear else 0.0
        if self._ear is None or seconds < _LEAST_COMMIT:
            raise _Refusal(400, f"Error committing input audio buffer: buffer too small. Expected at least 100ms of "
                                f"audio, but buffer only has {1000 * seconds:.2f}ms of audio.",
                           "input_audio_buffer_commit_empty")
        words, self._ear = self._ear.finish(), None
        self._items += 1
        item = {"item_id": f"item_{self._items}"}
        prefix = "conversation.item.input_audio_transcription."
        deltas = [self._event(prefix + "delta", **item, content_index=0, delta=(" " if i else "") + word.text)
                  for i, word in enumerate(words)]
        return [self._event("input_audio_buffer.committed", **item, previous_item_id=None), *deltas,
                self._event(prefix + "completed", **item, content_index=0, transcript=_text(words),
                            usage={"type": "duration", "seconds": seconds})]

    def _finished(self) -> list[str]:
        words = self._ear.finish() if self._ear else ()
        self._ear = None
        deltas = [self._event("transcription.delta", delta=(" " if i else "") + word.text)
                  for i, word in enumerate(words)]
        return [*deltas, self._event("transcription.done", text=_text(words), usage=None)]

    def _clear(self, document: dict[str, Any]) -> list[str]:
        self._ear = None
        return [self._event("input_audio_buffer.cleared")]


_HANDLERS: dict[str, Callable[[RealtimeConversation, dict[str, Any]], list[str]]] = {
    "session.update": RealtimeConversation._update,
    "input_audio_buffer.append": RealtimeConversation._append,
    "input_audio_buffer.commit": RealtimeConversation._commit,
    "input_audio_buffer.clear": RealtimeConversation._clear,
}
