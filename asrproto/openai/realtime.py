"""Realtime transcription over a WebSocket: JSON events both ways, the audio in Base64.

::

    client                                     service
    session.update                             session.created, session.updated
    input_audio_buffer.append {audio} ...      input_audio_buffer.committed {item_id}: a stretch is closed, and then
    input_audio_buffer.commit                  conversation.item.input_audio_transcription.delta {item_id, delta} ...
    input_audio_buffer.clear                   ... .segment {item_id, id, text, speaker, start, end}
                                               ... .completed {item_id, transcript} or .failed {item_id, error}
                                               input_audio_buffer.cleared
                                               error {error: {type, code, message, param, event_id}}

The service closes nothing by itself. The conversation has ended when every stretch that was committed is transcribed.
With turn detection the service commits by itself, and nobody can tell from outside whether the last commit found
anything; a ``clear`` behind it is answered in its turn, and so marks the place up to which everything is known.

vLLM's dialect has the model beside ``session.update``, opens with an empty commit, ends with ``{final: true}`` in the
last commit, and answers with ``transcription.delta {delta}`` and ``transcription.done {text}``. Sources: the types in
openai-python 3.51 (``types/realtime``), vLLM's ``speech_to_text/realtime``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from asrproto._chunks import Chunker
from asrproto._json import Number, check_shape, read_json
from asrproto.errors import LocalProtocolError, ServiceError
from asrproto.events import Event, SessionEnded, SessionFailed, SessionStarted, Transcript, UnknownEvent
from asrproto.http import HttpRequest
from asrproto.http.request import HeadersLike, header_pairs
from asrproto.openai._open_text import OpenTexts
from asrproto.openai.dialects import OPENAI, Dialect, RealtimeDialect
from asrproto.openai.errors import error_in, parse_error
from asrproto.openai.transcription import authorization
from asrproto.session import Lifecycle

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Notice", "RealtimeSession", "TranscriptionFailed"]

_ITEM = "conversation.item.input_audio_transcription."
_COMMIT = '{"type":"input_audio_buffer.commit"}'
_FINAL_COMMIT = '{"type":"input_audio_buffer.commit","final":true}'
_CLEAR = '{"type":"input_audio_buffer.clear"}'
_NOTHING_TO_COMMIT = "input_audio_buffer_commit_empty"
_SAMPLE_SIZE = {"audio/pcm": 2, "audio/pcmu": 1, "audio/pcma": 1}


class Notice(Event, frozen=True):
    """Something that the service tells of its work, such as ``input_audio_buffer.speech_started``; `kind` names it."""

    kind: str
    raw: Any


class TranscriptionFailed(Event, frozen=True):
    """One stretch of the audio could not be transcribed; the conversation goes on."""

    segment_id: str
    error: ServiceError
    raw: Any


class _Item(msgspec.Struct):
    item_id: str
    delta: str | None = None


class _Completed(msgspec.Struct):
    item_id: str
    transcript: str


class _Segment(msgspec.Struct):
    item_id: str
    id: str
    text: str
    speaker: str | None = None
    start: Number | None = None
    end: Number | None = None


class _Delta(msgspec.Struct):
    delta: str


class _Done(msgspec.Struct):
    text: str


class RealtimeSession:
    """One realtime conversation that transcribes and does nothing else.

    Parameters
    ----------
    api_key : str or None
    model : str
    dialect : Dialect
        How the server differs from OpenAI; it must have a realtime conversation.
    base_url : str, optional
        With ``https:``, ``http:``, ``wss:`` or ``ws:``.
    audio_format : {"audio/pcm", "audio/pcmu", "audio/pcma"}
        What `send_audio` takes: 16-bit little-endian PCM at the dialect's rate (24 kHz; vLLM: 16 kHz), or G.711 µ-law
        or A-law at 8 kHz; mono. `asrproto.audio.AudioEncoder` makes each of them.
    language, prompt : str, optional
    turn_detection : mapping or None
        ``{"type": "server_vad", ...}`` or ``{"type": "semantic_vad", ...}`` lets the service cut the audio into
        stretches. With None it transcribes what lies between two calls of `commit`.
    noise_reduction : {"near_field", "far_field"}, optional
    include : sequence of str, optional
        Such as ``"item.input_audio_transcription.logprobs"``.
    transcription : mapping, optional
        Further fields of the transcription settings (``languages``, ``keywords``, ``delay``).
    chunk_ms : int
        Audio in one message.
    organization, project, extra_headers : optional
        As in the openai client.

    Notes
    -----
    Each stretch is an item of the service's, whose id is the `segment_id` of its Transcripts. An ``error`` event ends
    the conversation, except the one that says that a commit found no audio. Sessions pickle.
    """

    def __init__(self, *, api_key: str | None, model: str, dialect: Dialect = OPENAI, base_url: str | None = None,
                 audio_format: str = "audio/pcm", language: str | None = None, prompt: str | None = None,
                 turn_detection: Mapping[str, Any] | None = None, noise_reduction: str | None = None,
                 include: Sequence[str] | None = None, transcription: Mapping[str, Any] | None = None,
                 chunk_ms: int = 100, organization: str | None = None, project: str | None = None,
                 extra_headers: HeadersLike = ()) -> None:
        if dialect.realtime is None:
            raise LocalProtocolError(f"{dialect.name} has no realtime conversation")
        if not model:
            raise LocalProtocolError("model must not be empty")
        self._dialect: RealtimeDialect = dialect.realtime
        rates = self._dialect.audio_formats
        if audio_format not in rates:
            raise LocalProtocolError(f"audio_format must be one of {', '.join(rates)}, not {audio_format!r}")
        self.audio_format, self.rate = audio_format, rates[audio_format]
        self._sample_size = _SAMPLE_SIZE[audio_format]
        chunk_size = self.rate * chunk_ms // 1000 * self._sample_size
        if not 0 < chunk_size <= self._dialect.max_append * 3 // 4:
            raise LocalProtocolError("chunk_ms must be positive, and a chunk in Base64 not over "
                                     f"{self._dialect.max_append} bytes")
        if not self._dialect.nested_session:
            for name, value in (("language", language), ("prompt", prompt), ("turn_detection", turn_detection),
                                ("noise_reduction", noise_reduction), ("include", include),
                                ("transcription", transcription)):
                if value is not None:
                    raise LocalProtocolError(f"{dialect.name}'s realtime conversation does not have {name}")
        self._headers = (*authorization(api_key, dialect, organization=organization, project=project),
                         *header_pairs(extra_headers))
        self._secrets = (api_key,)
        address = (base_url or dialect.base_url).rstrip("/") + "/realtime"
        scheme, _, rest = address.partition("://")
        self._url = {"https": "wss", "http": "ws"}.get(scheme, scheme) + "://" + rest
        if self._dialect.query:
            self._url += "?" + self._dialect.query
        self._settings = self._session_update(model, {
            "type": audio_format, **({"rate": self.rate} if audio_format == "audio/pcm" else {})},
            {"model": model, "language": language, "prompt": prompt, **(transcription or {})},
            turn_detection, noise_reduction, include)
        self._detects_turns = turn_detection is not None
        self._chunks = Chunker(chunk_size)
        self._life = Lifecycle()
        self._over = False
        self._uncommitted = 0  # bytes appended since the last commit
        self._commits = 0  # sent and not answered yet
        self._clears = 0  # likewise
        self._items = OpenTexts()  # the stretches that are committed and not complete
        self._told_by_segment = OpenTexts()  # of those, the ones whose text has come already

    def __repr__(self) -> str:
        return f"<RealtimeSession {self._url} {self._life.phase.value}>"

    def _session_update(self, model: str, audio_format: Mapping[str, Any], transcription: Mapping[str, Any],
                        turn_detection: Mapping[str, Any] | None, noise_reduction: str | None,
                        include: Sequence[str] | None) -> str:
        update: dict[str, Any] = {"type": "session.update"}
        if self._dialect.nested_session:
            settings: dict[str, Any] = {
                "format": audio_format,
                "transcription": {name: value for name, value in transcription.items() if value is not None},
                "turn_detection": turn_detection,
            }
            if noise_reduction is not None:
                settings["noise_reduction"] = {"type": noise_reduction}
            update["session"] = {"type": "transcription", "audio": {"input": settings}}
            if include is not None:
                update["session"]["include"] = list(include)
        else:
            update["model"] = model
        return msgspec.json.encode(update).decode()

    # -- sending ------------------------------------------------------------------------------------------------------

    def handshake(self) -> HttpRequest:
        """The WebSocket to open."""
        self._life.enter("handshake")
        return HttpRequest("GET", self._url, self._headers)

    def start(self) -> list[str]:
        """The settings."""
        self._life.enter("start")
        return [self._settings, _COMMIT] if self._dialect.commit_first else [self._settings]

    def send_audio(self, pcm: Buffer) -> list[str]:
        """Take any amount of audio in `audio_format`; give the messages that it filled.

        Once the service has refused the conversation, audio is dropped.
        """
        self._life.enter("send_audio")
        return [] if self._life.failed else [self._append(chunk) for chunk in self._chunks.push(pcm)]

    def commit(self) -> list[str]:
        """Close the stretch: the rest of its audio, and a commit; nothing where there is no audio.

        For conversations without turn detection. What follows is a stretch of its own.
        """
        if self._dialect.final_commit:
            raise LocalProtocolError("this dialect recognises one stretch, which end_audio() closes")
        self._life.enter("send_audio")
        return [] if self._life.failed else self._closed_stretch()

    def end_audio(self) -> list[str]:
        """The rest of the audio and the messages after which the service has all of it.

        Raises
        ------
        LocalProtocolError
            The audio ends inside a sample.
        """
        self._check_whole_samples()
        self._life.enter("end_audio")
        if self._life.failed:
            return []
        if self._dialect.final_commit:
            return [*map(self._append, self._chunks.flush()), _FINAL_COMMIT]
        messages = self._closed_stretch()
        if self._detects_turns or not (messages or self._commits or self._items):
            self._clears += 1
            messages.append(_CLEAR)
        return messages

    def _closed_stretch(self) -> list[str]:
        self._check_whole_samples()
        messages = [self._append(chunk) for chunk in self._chunks.flush()]
        if self._uncommitted:
            self._uncommitted = 0
            self._commits += 1
            messages.append(_COMMIT)
        return messages

    def _check_whole_samples(self) -> None:
        if self._chunks.pending % self._sample_size:
            raise LocalProtocolError("the audio ends inside a 16-bit sample")

    def _append(self, chunk: bytes) -> str:
        self._uncommitted += len(chunk)
        return f'{{"type":"input_audio_buffer.append","audio":"{base64.b64encode(chunk).decode("ascii")}"}}'

    # -- receiving ----------------------------------------------------------------------------------------------------

    def receive_handshake(self, status: int, headers: HeadersLike, body: Buffer = b"") -> list[Event]:
        """Take the service's answer to the handshake; `SessionFailed` where it is a refusal."""
        if status == 101:
            return []
        return self._failed(parse_error(status, bytes(body), headers=headers, secrets=self._secrets))

    def receive(self, message: bytes | str) -> list[Event]:
        """Take one message from the service; give what it says.

        Raises
        ------
        MalformedFrame
            It is not JSON (reason ``"not-json"``) or not of the shape that its type has (``"wrong-shape"``).
        FrameTooLarge
            The service opens ever more stretches, or text, and completes none (``"too-much-open"``).
        """
        document = read_json(message)
        kind = document.get("type") if isinstance(document, dict) else None
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        events: list[Event]
        if handler is not None:
            events = handler(self, document)
        elif isinstance(kind, str) and kind.startswith(_NOTICES):
            events = [Notice(kind, document)]
        else:
            events = [UnknownEvent(document)]
        if not self._over and self._life.ended and self._complete():
            self._over = True
            events.append(SessionEnded())
        return events

    def receive_eof(self) -> list[Event]:
        """The connection has closed; `SessionFailed` if that is too soon."""
        if self._over:
            return []
        if self._life.ended and not (self._items or self._commits or self._dialect.final_commit):
            self._over = True
            return [SessionEnded()]
        return self._failed(ServiceError("the connection closed before the transcript was complete",
                                         code="connection-closed", retryable=True))

    def _complete(self) -> bool:
        """Whether all that was committed is transcribed, as far as the service's answers tell."""
        return not (self._commits or self._clears or self._items or self._dialect.final_commit)

    def _failed(self, error: ServiceError) -> list[Event]:
        self._over = True
        self._life.fail()
        return [SessionFailed(error)]

    def _on_created(self, document: dict[str, Any]) -> list[Event]:
        session = document.get("session")
        session_id = (session if isinstance(session, dict) else document).get("id")
        return [SessionStarted(session_id if isinstance(session_id, str) else None, document)]

    def _on_committed(self, document: dict[str, Any]) -> list[Event]:
        self._items.grow(check_shape(document, _Item).item_id)
        self._commits = max(self._commits - 1, 0)
        return [Notice(document["type"], document)]

    def _on_cleared(self, document: dict[str, Any]) -> list[Event]:
        self._clears = max(self._clears - 1, 0)
        self._commits = 0  # each was answered before this
        return [Notice(document["type"], document)]

    def _on_delta(self, document: dict[str, Any]) -> list[Event]:
        item = check_shape(document, _Item)
        text = self._items.grow(item.item_id, item.delta or "")
        return [Transcript(text, False, segment_id=item.item_id, raw=document)]

    def _on_segment(self, document: dict[str, Any]) -> list[Event]:
        segment = check_shape(document, _Segment)
        self._told_by_segment.grow(segment.item_id)
        return [Transcript(segment.text.strip(), True, start=segment.start, end=segment.end, speaker=segment.speaker,
                           segment_id=f"{segment.item_id}/{segment.id}", raw=document)]

    def _on_completed(self, document: dict[str, Any]) -> list[Event]:
        item = check_shape(document, _Completed)
        self._items.close(item.item_id)
        if item.item_id in self._told_by_segment:
            self._told_by_segment.close(item.item_id)
            return [Notice(document["type"], document)]
        return [Transcript(item.transcript.strip(), True, language=_language(document), segment_id=item.item_id,
                           raw=document)]

    def _on_item_failed(self, document: dict[str, Any]) -> list[Event]:
        item = check_shape(document, _Item)
        self._items.close(item.item_id)
        self._told_by_segment.close(item.item_id)
        return [TranscriptionFailed(item.item_id, error_in(document, secrets=self._secrets), document)]

    def _on_error(self, document: dict[str, Any]) -> list[Event]:
        error = error_in(document, secrets=self._secrets)
        if error.code == _NOTHING_TO_COMMIT:
            self._commits = max(self._commits - 1, 0)
            return [Notice("error", document)]
        return [] if self._over else self._failed(error)

    def _on_one_delta(self, document: dict[str, Any]) -> list[Event]:
        return [Transcript(self._items.grow("", check_shape(document, _Delta).delta), False, raw=document)]

    def _on_done(self, document: dict[str, Any]) -> list[Event]:
        final = Transcript(check_shape(document, _Done).text.strip(), True, raw=document)
        if self._over:
            return [final]
        self._over = True
        return [final, SessionEnded(document)]


def _language(document: Mapping[str, Any]) -> str | None:
    languages = document.get("languages")
    first = languages[0] if isinstance(languages, list) and languages else None
    code = first.get("code") if isinstance(first, dict) else None
    return code if isinstance(code, str) else None


# What the service tells of its work besides; a type that begins otherwise is an UnknownEvent.
_NOTICES = ("session.", "input_audio_buffer.", "conversation.", "rate_limits.", "transcription_session.")

_HANDLERS: dict[str, Callable[[RealtimeSession, dict[str, Any]], list[Event]]] = {
    "session.created": RealtimeSession._on_created,
    "input_audio_buffer.committed": RealtimeSession._on_committed,
    "input_audio_buffer.cleared": RealtimeSession._on_cleared,
    _ITEM + "delta": RealtimeSession._on_delta,
    _ITEM + "segment": RealtimeSession._on_segment,
    _ITEM + "completed": RealtimeSession._on_completed,
    _ITEM + "failed": RealtimeSession._on_item_failed,
    "error": RealtimeSession._on_error,
    "transcription.delta": RealtimeSession._on_one_delta,
    "transcription.done": RealtimeSession._on_done,
}
