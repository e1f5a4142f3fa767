"""Fakes of Youdao's services, which check what the real ones check: signature, time, replay, and what the audio is."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from hmac import compare_digest
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from asrproto.audio.containers import probe
from asrproto.errors import LocalProtocolError
from asrproto.events import Word
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import WireMessage
from asrproto.testing.ear import Ear, hear_wav
from asrproto.testing.forms import read_form
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.service import checked_code
from asrproto.youdao.codes import ERRORS, LANGUAGES
from asrproto.youdao.long import LANGUAGES as LONG_LANGUAGES
from asrproto.youdao.short import MAX_SECONDS, MAX_SIZE
from asrproto.youdao.signing import SIGN_TYPES, sign

__all__ = ["LongService", "ShortService", "StreamingService"]

MAX_DRIFT = 300.0
"""Seconds that a client's clock may be off."""

_OK = "0"


class _Refusal(Exception):
    """A request that is answered with an error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _require(holds: object, code: str) -> None:
    if not holds:
        raise _Refusal(code)


class _Account:
    """One application: checks who signs."""

    def __init__(self, app_key: str, app_secret: str) -> None:
        self._app_key, self._app_secret = app_key, app_secret
        self._salts: set[str] = set()

    def check(self, fields: Mapping[str, str], sign_types: Sequence[str], at: datetime) -> None:
        """Refuse a request that the application did not sign, now and for the first time."""
        _require({"appKey", "salt", "sign", "signType"} <= fields.keys(), "101")
        _require(fields["appKey"] == self._app_key, "108")
        _require(fields["signType"] in sign_types, "105")
        curtime = fields.get("curtime", "")
        if SIGN_TYPES[fields["signType"]][1]:
            _require(curtime.isdecimal() and abs(int(curtime) - at.timestamp()) <= MAX_DRIFT, "206")
        try:
            right = sign(self._app_key, self._app_secret, salt=fields["salt"], curtime=curtime, q=fields.get("q"),
                         sign_type=fields["signType"])
        except LocalProtocolError:
            raise _Refusal("101") from None
        _require(compare_digest(right.lower().encode(), fields["sign"].lower().encode()), "202")
        _require(fields["salt"] not in self._salts, "207")
        self._salts.add(fields["salt"])


def _json(document: Any) -> HttpResponse:
    return HttpResponse(200, (("Content-Type", "application/json;charset=utf-8"),),
                        json.dumps(document, ensure_ascii=False).encode())


def _refused(code: str) -> HttpResponse:
    known = ERRORS.get(code)
    return _json({"errorCode": code, "requestId": str(uuid.UUID(int=0)), "msg": known.chinese if known else ""})


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _audio(content: bytes, rate: str | None, limit: float, recognisers: RecogniserFactory) -> Sequence[Word]:
    """The words in a recording; this fake hears 16-bit mono WAV."""
    found = probe(content)
    _require(found and found.container == "wav" and found.is_pcm and found.bits == 16, "3001")
    assert found is not None
    _require(found.channels == 1, "3003")
    _require(rate in (None, str(found.rate)), "3002")
    _require(found.seconds, "3301")
    _require((found.seconds or 0.0) <= limit, "3008")
    try:
        return hear_wav(content, recognisers)[0]
    except ValueError:
        raise _Refusal("3301") from None


class _HttpService:
    """What the services of plain requests have in common."""

    error_codes = tuple(ERRORS)

    def refusal(self, code: str) -> HttpResponse:
        """The answer to a request that is refused with `code`."""
        return _refused(checked_code(code, self.error_codes))


class ShortService(_HttpService):
    """``/asrapi``: a form in, one text out.

    Parameters
    ----------
    recognisers : callable
        Makes a recogniser for each recording.
    app_key, app_secret : str
        The application that it knows.
    """

    def __init__(self, recognisers: RecogniserFactory, *, app_key: str, app_secret: str) -> None:
        self._recognisers = recognisers
        self._account = _Account(app_key, app_secret)

    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        if request.method != "POST" or urlsplit(request.url).path != "/asrapi":
            return HttpResponse(404)
        try:
            fields = {field.name: field.text for field in read_form(request)}
            return _json({"errorCode": _OK, "result": [self._recognised(fields, at)]})
        except ValueError:
            return _refused("101")
        except _Refusal as refusal:
            return _refused(refusal.code)

    def _recognised(self, fields: Mapping[str, str], at: datetime) -> str:
        _require({"q", "langType", "format", "rate", "channel", "type"} <= fields.keys(), "101")
        _require(fields["q"], "113")
        self._account.check(fields, list(SIGN_TYPES), at)
        _require(fields["langType"] in LANGUAGES, "3005")
        _require(fields["format"] == "wav", "3001")
        _require(fields["channel"] == "1", "3003")
        _require(fields["type"] == "1", "3004")
        _require(len(fields["q"]) <= MAX_SIZE, "3007")
        try:
            content = base64.b64decode(fields["q"], validate=True)
        except binascii.Error:
            raise _Refusal("3201") from None
        return _text(_audio(content, fields["rate"], MAX_SECONDS, self._recognisers))


class LongService(_HttpService):
    """``/api/audio/...``: slices in, sentences out when asked again.

    Parameters are those of `ShortService`; `questions` says how often it answers "not yet".
    """

    def __init__(self, recognisers: RecogniserFactory, *, app_key: str, app_secret: str, questions: int = 1) -> None:
        self._recognisers = recognisers
        self._account = _Account(app_key, app_secret)
        self._questions = questions
        self._tasks: dict[str, _Task] = {}

    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        call = urlsplit(request.url).path.removeprefix("/api/audio/")
        answer = {"prepare": self._prepare, "upload": self._upload, "merge": self._merge,
                  "get_progress": self._progress, "get_result": self._result}.get(call)
        if request.method != "POST" or answer is None:
            return HttpResponse(404)
        try:
            form = read_form(request)
            fields = {field.name: field.text for field in form if field.filename is None}
            self._account.check(fields, ["v4"], at)
            file = next((field.content for field in form if field.filename is not None), b"")
            return _json({"errorCode": _OK, "result": answer(fields, file)})
        except ValueError:
            return _refused("101")
        except _Refusal as refusal:
            return _refused(refusal.code)

    def _prepare(self, fields: Mapping[str, str], file: bytes) -> str:
        _require({"name", "format", "langType", "sliceNum", "fileSize", "type"} <= fields.keys(), "101")
        _require(fields["langType"] in LONG_LANGUAGES, "11005")
        task_id = f"task-{len(self._tasks) + 1}"
        self._tasks[task_id] = _Task(int(fields["sliceNum"]), int(fields["fileSize"]), fields["langType"],
                                     self._questions)
        return task_id

    def _task(self, fields: Mapping[str, str]) -> _Task:
        task = self._tasks.get(fields.get("q", ""))
        if task is None:
            raise _Refusal("101")
        return task

    def _upload(self, fields: Mapping[str, str], file: bytes) -> str:
        task = self._task(fields)
        number = int(fields.get("sliceId", "0"))
        _require(1 <= number <= task.slices and file, "101")
        task.content[number] = file
        return ""

    def _merge(self, fields: Mapping[str, str], file: bytes) -> str:
        task = self._task(fields)
        _require(len(task.content) == task.slices and len(task.merged()) == task.size, "101")
        task.words = _audio(task.merged(), None, LONG_LANGUAGES[task.language], self._recognisers)
        return ""

    def _progress(self, fields: Mapping[str, str], file: bytes) -> list[dict[str, str]]:
        task = self._task(fields)
        task.questions -= 1
        return [{"status": "9" if task.questions < 0 and task.words is not None else "4", "taskId": fields["q"]}]

    def _result(self, fields: Mapping[str, str], file: bytes) -> list[dict[str, Any]]:
        task = self._task(fields)
        words = task.words
        if words is None:
            raise _Refusal("11301")
        return [{"sentence": _text(words), "speaker": "0", "words": [word.text for word in words],
                 "word_timestamps": [[_ms(word.start), _ms(word.end)] for word in words]}]


class _Task:
    def __init__(self, slices: int, size: int, language: str, questions: int) -> None:
        self.slices, self.size, self.language, self.questions = slices, size, language, questions
        self.content: dict[int, bytes] = {}
        self.words: Sequence[Word] | None = None

    def merged(self) -> bytes:
        return b"".join(self.content[number] for number in sorted(self.content))


def _ms(seconds: float | None) -> int:
    return round((seconds or 0.0) * 1000)


class StreamingService:
    """``/stream_asropenapi``: a WAV header, then PCM, until the end marker. Parameters are those of `ShortService`."""

    def __init__(self, recognisers: RecogniserFactory, *, app_key: str, app_secret: str) -> None:
        self._recognisers = recognisers
        self._account = _Account(app_key, app_secret)

    patience = 10.0  # seconds; the vendor has a code for it, but does not say how many they are
    error_codes = tuple(ERRORS)
    handshake_codes = ("502", "503")

    def refusal(self, code: str) -> HttpResponse:
        """The answer of what stands before the service: itself it opens every connection, and refuses then."""
        checked_code(code, self.handshake_codes)
        return HttpResponse(int(code), (("Content-Type", "text/plain"),), HTTPStatus(int(code)).phrase.encode())

    def accept(self, request: HttpRequest, *, at: datetime) -> StreamingConversation:
        """Open the conversation; what is wrong with the handshake is told in it, as the service does."""
        fields = dict(parse_qsl(urlsplit(request.url).query))
        try:
            _require(urlsplit(request.url).path == "/stream_asropenapi", "112")
            _require({"langType", "rate", "format", "channel", "version"} <= fields.keys(), "101")
            self._account.check(fields, ["v4"], at)
            _require(fields["langType"] in LANGUAGES, "9005")
            _require(fields["format"] == "wav", "9001")
            _require(fields["channel"] == "1", "9003")
            _require(fields["rate"].isdecimal() and int(fields["rate"]), "9002")
        except _Refusal as refusal:
            return StreamingConversation(None, 0, refusal.code)
        return StreamingConversation(self._recognisers, int(fields["rate"]))


class StreamingConversation:
    """The service's side of one stream."""

    response_headers: Sequence[tuple[str, str]] = ()

    def __init__(self, recognisers: RecogniserFactory | None, rate: int, refused: str | None = None) -> None:
        self._recognisers, self._rate, self._refused = recognisers, rate, refused
        self._ear: Ear | None = None
        self._said = ""
        self.received: list[WireMessage] = []
        self.closed = False

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        if self.closed:
            return []
        self.received.append(message)
        try:
            _require(self._refused is None, self._refused or "")
            return self._answers(message)
        except _Refusal as refusal:
            return self.fail(refusal.code)

    def time_out(self) -> Sequence[WireMessage]:
        """Nothing has come for too long."""
        return self.fail("304")

    @property
    def seconds_heard(self) -> float:
        """How much audio came."""
        return 0.0 if self._ear is None else self._ear.seconds

    def fail(self, code: str) -> Sequence[WireMessage]:
        """End with the error `code`."""
        answer = json.dumps({"result": "[]", "action": "error", "errorCode": checked_code(code, ERRORS)})
        self.closed = True
        return [answer]

    def receive_eof(self) -> None:
        self.closed = True

    def _answers(self, message: WireMessage) -> list[WireMessage]:
        if self._ear is None:
            _require(isinstance(message, bytes), "9001")
            found = probe(bytes(message)) if isinstance(message, bytes) else None
            _require(found is not None and found.container == "wav" and found.bits == 16, "9001")
            assert found is not None
            _require(found.channels == 1, "9003")
            _require(found.rate == self._rate, "9002")
            assert self._recognisers is not None
            self._ear = Ear(self._recognisers, self._rate)
            return [json.dumps({"result": [], "action": "started", "errorCode": _OK})]
        _require(isinstance(message, bytes), "9001")
        data = message if isinstance(message, bytes) else b""
        if data == b'{"end": "true"}':
            self.closed = True
            return [self._result(self._ear.finish(), partial=False)]
        words = self._ear.accept(data)
        if _text(words) == self._said:
            return []
        self._said = _text(words)
        return [self._result(words, partial=True)]

    def _result(self, words: Sequence[Word], *, partial: bool) -> str:
        times = [{"w": word.text, "wb": _ms(word.start), "we": _ms(word.end)} for word in words]
        st = {"sentence": _text(words), "type": 1 if partial else 0, "partial": partial,
              "bg": times[0]["wb"] if times else 0, "ed": times[-1]["we"] if times else 0, "ws": times}
        return json.dumps({"result": [{"seg_id": 0, "st": st}], "action": "recognition", "errorCode": _OK},
                          ensure_ascii=False)
