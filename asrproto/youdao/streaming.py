"""Recognition of a stream over a WebSocket.

::

    GET wss://openapi.youdao.com/stream_asropenapi
        ?appKey&salt&curtime&sign&signType=v4&langType&rate&format=wav&channel=1&version=v1

    client, binary messages                    service, JSON as text
                                               {"action": "started", "errorCode": "0", "result": []}
    a WAV header
    16-bit mono PCM, 200 ms a message          {"action": "recognition", "errorCode": "0", "result": [{
                                                 "seg_id": 0, "st": {"sentence": "...", "partial": true, "type": 1,
                                                 "bg": 0, "ed": 1200, "ws": [{"w": "...", "wb": 0, "we": 400}]}}]}
    {"end": "true"}                            {"action": "error", "errorCode": "304", "result": "[]"}

Times are milliseconds. The service closes the connection after the last result. ``result`` may be a JSON text instead
of a list. Source: the vendor's page on streaming recognition and its demos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from asrproto._chunks import Chunker
from asrproto._json import Number, check_shape, read_json
from asrproto.audio import wav
from asrproto.errors import LocalProtocolError, ServiceError
from asrproto.events import Event, SessionEnded, SessionFailed, SessionStarted, Transcript, UnknownEvent, Word
from asrproto.http import HttpRequest
from asrproto.http.request import HeadersLike
from asrproto.session import Clock, Lifecycle, utc_now
from asrproto.youdao.replies import error_in, refusal
from asrproto.youdao.short import check_language
from asrproto.youdao.signing import auth_fields

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["ENDPOINT", "YoudaoSession"]

ENDPOINT = "wss://openapi.youdao.com/stream_asropenapi"
END_MARKER = b'{"end": "true"}'
_IDLE = "304"


class _Word(msgspec.Struct):
    w: str
    wb: Number | None = None
    we: Number | None = None


class _Sentence(msgspec.Struct):
    sentence: str = ""
    partial: bool | None = None
    type: int | None = None
    bg: Number | None = None
    ed: Number | None = None
    ws: list[_Word] | None = None


class _Segment(msgspec.Struct):
    st: _Sentence
    seg_id: int | str | None = None


class YoudaoSession:
    """One streaming conversation.

    Parameters
    ----------
    app_key, app_secret : str
    language : str
        A code of `asrproto.youdao.codes.LANGUAGES`.
    rate : int
        Samples a second of the 16-bit little-endian mono PCM that `send_audio` takes; 16000 is recommended.
    chunk_ms : int
        Audio in one message; the service expects one of 200 ms each 200 ms.
    options : mapping of str to str, optional
        Further parameters of the handshake.
    salt : str, optional
        A fresh UUID without it, for each handshake.
    clock : callable
        Gives the time of the signature.
    endpoint : str

    Notes
    -----
    After all audio was sent, error 304 (idle for too long) is the service's way to end; before, it is a failure.
    """

    def __init__(self, app_key: str, app_secret: str, *, language: str, rate: int = 16000, chunk_ms: int = 200,
                 options: Mapping[str, str] | None = None, salt: str | None = None, clock: Clock = utc_now,
                 endpoint: str = ENDPOINT) -> None:
        check_language(language)
        if rate <= 0 or chunk_ms <= 0 or rate * chunk_ms < 1000:
            raise LocalProtocolError("rate and chunk_ms must be positive and give at least one sample")
        self._keys = (app_key, app_secret)
        self._salt, self._clock, self._endpoint = salt, clock, endpoint
        self._parameters = {"langType": language, "rate": str(rate), "format": "wav", "channel": "1", "version": "v1",
                            **(options or {})}
        self._header = wav.header(rate=rate, channels=1)
        self._chunks = Chunker(2 * (rate * chunk_ms // 1000))
        self._life = Lifecycle()
        self._over = False
        self._sign()  # to refuse empty keys at once

    def __repr__(self) -> str:
        return f"<YoudaoSession {self._endpoint} {self._life.phase.value}>"

    def _sign(self) -> dict[str, str]:
        return auth_fields(*self._keys, sign_type="v4", salt=self._salt, clock=self._clock)

    # -- sending ------------------------------------------------------------------------------------------------------

    def handshake(self) -> HttpRequest:
        """The WebSocket to open, signed with the clock's time."""
        self._life.enter("handshake")
        return HttpRequest("GET", f"{self._endpoint}?{urlencode({**self._sign(), **self._parameters})}")

    def start(self) -> list[bytes]:
        """The WAV header."""
        self._life.enter("start")
        return [self._header]

    def send_audio(self, pcm: Buffer) -> list[bytes]:
        """Take any amount of 16-bit PCM; give the messages that it filled.

        Once the service has refused the conversation, audio is dropped.
        """
        self._life.enter("send_audio")
        return [] if self._life.failed else self._chunks.push(pcm)

    def end_audio(self) -> list[bytes]:
        """The rest of the audio and the end marker.

        Raises
        ------
        LocalProtocolError
            The audio ends inside a sample.
        """
        if self._chunks.pending % 2:
            raise LocalProtocolError("the audio ends inside a 16-bit sample")
        self._life.enter("end_audio")
        return [] if self._life.failed else [*self._chunks.flush(), END_MARKER]

    # -- receiving ----------------------------------------------------------------------------------------------------

    def receive_handshake(self, status: int, headers: HeadersLike, body: Buffer = b"") -> list[Event]:
        """Take the service's answer to the handshake; `SessionFailed` where it is a refusal."""
        if status == 101:
            return []
        return self._failed(refusal(body, status, secrets=self._keys[1:]))

    def receive(self, message: bytes | str) -> list[Event]:
        """Take one message from the service; give what it says.

        Raises
        ------
        MalformedFrame
            It is not JSON (reason ``"not-json"``) or not of this shape (``"wrong-shape"``).
        """
        document = read_json(message)
        error = error_in(document, secrets=self._keys[1:])
        if error is not None:
            return self._on_error(error, document)
        action = document.get("action") if isinstance(document, dict) else None
        if action == "started":
            return [SessionStarted(raw=document)]
        if action == "recognition":
            segments = check_shape(_listed(document.get("result")), list[_Segment])
            return [_transcript(segment, document) for segment in segments]
        if action == "error":
            return self._on_error(ServiceError("the service gave no error code", code="error"), document)
        return [UnknownEvent(document)]

    def receive_eof(self) -> list[Event]:
        """The connection has closed: `SessionEnded`, or `SessionFailed` if that is too soon."""
        if self._over:
            return []
        if not self._life.ended:
            return self._failed(ServiceError("the connection closed before the end of the audio",
                                             code="connection-closed", retryable=True))
        self._over = True
        return [SessionEnded()]

    def _on_error(self, error: ServiceError, document: Any) -> list[Event]:
        if self._over:
            return []
        if error.code == _IDLE and self._life.ended:
            self._over = True
            return [SessionEnded(document)]
        return self._failed(error)

    def _failed(self, error: ServiceError) -> list[Event]:
        self._over = True
        self._life.fail()
        return [SessionFailed(error)]


def _listed(result: Any) -> Any:
    """`result`, which the service sometimes writes as a JSON text."""
    if result is None or result == "":
        return []
    return read_json(result, what="the result") if isinstance(result, str) else result


def _transcript(segment: _Segment, document: Any) -> Transcript:
    st = segment.st
    is_final = not st.partial if st.partial is not None else not st.type  # type 0 is final where partial is not told
    words = tuple(Word(word.w, _seconds(word.wb), _seconds(word.we)) for word in st.ws or ())
    return Transcript(st.sentence, is_final, start=_seconds(st.bg), end=_seconds(st.ed), words=words,
                      segment_id=None if segment.seg_id is None else str(segment.seg_id), raw=document)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
