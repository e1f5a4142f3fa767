"""What both streaming conversations have in common: one request, audio in packets, responses until the last.

Every WebSocket message is one binary frame (`asrproto.volcengine.frames`). The client sends its request as JSON, then
audio packets, of which exactly one is marked as the last; audio that fills its last packet, and no audio at all, is
followed by an empty one. With sequences the request is 1, packets count from 2 and the last one's is negated.

A message that breaks the protocol is refused with RemoteProtocolError and changes nothing: messages stand alone, so
the next may be received (`can_continue` stays true). After `SessionEnded` or `SessionFailed` nothing more is expected.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from asrproto._chunks import byte_view
from asrproto._json import check_shape, read_json
from asrproto._redact import redact
from asrproto.errors import LocalProtocolError, MalformedFrame, ServiceError
from asrproto.events import Event, SessionEnded, SessionFailed, SessionStarted, UnknownEvent
from asrproto.http.request import find_header, header_pairs
from asrproto.session import Lifecycle, Phase, WireMessage
from asrproto.volcengine._options import json_body
from asrproto.volcengine.codes import service_error
from asrproto.volcengine.frames import (
    Compression,
    Flags,
    Frame,
    MessageType,
    Serialization,
    decode_frame,
    encode_frame,
)
from asrproto.volcengine.results import Reply, Segments

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from asrproto.http.request import HeadersLike

__all__ = ["FrameConversation"]

# What the first bytes of a file look like, by format: to declare one format and send another gives noise, not an error.
_STARTS = {
    "wav": (b"RIFF",),
    "ogg": (b"OggS",),
    "mp3": (b"ID3", *(bytes((0xFF, second)) for second in range(0xE0, 0x100))),
}
_SNIFFED = 12


def _check_start(format: str, start: bytes) -> None:
    expected = _STARTS.get(format)
    if expected is not None and not start.startswith(expected):
        raise LocalProtocolError(f"format={format!r} was declared, but the audio does not start like {format}; "
                                 "for bare samples declare them as such")
    if expected is None and ((start[:4] == b"RIFF" and start[8:] == b"WAVE") or start[:6] == b"OggS\x00\x02"):
        raise LocalProtocolError(f"format={format!r} was declared, but the audio starts with the header of a file; "
                                 "declare its format, or strip the header")


class FrameConversation:
    """The base of both sessions.

    `document` is the request's JSON, `own_id` names the conversation; the other parameters are those of the sessions.
    """

    _ok_codes: frozenset[int]
    """The codes in a response that are no refusal."""

    def __init__(self, document: dict[str, Any], *, own_id: str, numbered: bool, gzip: bool, gzip_level: int,
                 chunk_ms: int, max_payload_size: int, secrets: Iterable[str | None]) -> None:
        if type(chunk_ms) is not int or chunk_ms < 1:
            raise LocalProtocolError(f"chunk_ms must be a whole number of milliseconds of at least 1, not {chunk_ms!r}")
        if type(gzip_level) is not int or not 0 <= gzip_level <= 9:
            raise LocalProtocolError(f"gzip_level must be 0 to 9, not {gzip_level!r}")
        audio, request = document["audio"], document["request"]
        single = request.get("result_type") == "single"
        if single and not request["show_utterances"]:
            raise LocalProtocolError("result_type='single' needs show_utterances: sentences could not be told apart")
        sample_size = audio.get("channel", 1) * audio.get("bits", 16) // 8
        self._chunk = max(1, audio.get("rate", 16000) * chunk_ms // 1000) * sample_size
        self._format: str = audio["format"]
        self._numbered = numbered
        self._compression = Compression.GZIP if gzip else Compression.NONE
        self._gzip_level = gzip_level
        self._max_payload_size = max_payload_size
        self._secrets = tuple(secrets)
        self._lifecycle = Lifecycle()
        self._segments = Segments(single=single)
        self._pending = bytearray()
        self._sniffed = False
        self._sequence = 0
        self._answered = False
        self._over = False
        self._own_id = own_id
        self._log_id: str | None = None
        self._opening = self._frame(MessageType.FULL_CLIENT_REQUEST, json_body(document))

    @property
    def log_id(self) -> str | None:
        """What the service's support asks for; known once the handshake or a response has said it."""
        return self._log_id

    @property
    def can_continue(self) -> bool:
        """Whether the conversation goes on: neither ended nor refused."""
        return not self._over

    @property
    def _request_id(self) -> str:
        return self._log_id or self._own_id

    def start(self) -> list[WireMessage]:
        """The request that opens the conversation."""
        self._lifecycle.enter("start")
        return [self._opening]

    def send_audio(self, pcm: Buffer) -> list[WireMessage]:
        """Take any amount of audio; give the packets that it filled."""
        self._lifecycle.enter("send_audio")
        if self._over:
            return []
        self._pending += byte_view(pcm)
        if not self._sniffed and len(self._pending) >= _SNIFFED:
            self._sniff()
        full = len(self._pending) // self._chunk
        with memoryview(self._pending) as pending:
            packets: list[WireMessage] = [
                self._frame(MessageType.AUDIO_ONLY_REQUEST, bytes(pending[start:start + self._chunk]))
                for start in range(0, full * self._chunk, self._chunk)]
        del self._pending[:full * self._chunk]
        return packets

    def end_audio(self) -> list[WireMessage]:
        """The last packet, with the rest of the audio if there is any."""
        if not self._sniffed and self._pending and self._lifecycle.phase is Phase.STREAMING:
            self._sniff()
        self._lifecycle.enter("end_audio")
        if self._over:
            return []
        rest = bytes(self._pending)
        self._pending.clear()
        return [self._frame(MessageType.AUDIO_ONLY_REQUEST, rest, last=True)]

    def _sniff(self) -> None:
        try:
            _check_start(self._format, bytes(self._pending[:_SNIFFED]))
        except LocalProtocolError:
            self._pending.clear()
            raise
        self._sniffed = True

    def _frame(self, message_type: MessageType, payload: bytes, *, last: bool = False) -> bytes:
        self._sequence += 1
        request = message_type is MessageType.FULL_CLIENT_REQUEST
        flags = (Flags.LAST if last else Flags.NONE) | (Flags.SEQUENCE if self._numbered else Flags.NONE)
        sequence = -self._sequence if last else self._sequence
        return encode_frame(Frame(message_type, flags=flags, compression=self._compression, payload=payload,
                                  serialization=Serialization.JSON if request else Serialization.RAW,
                                  sequence=sequence if self._numbered else None), gzip_level=self._gzip_level)

    def receive_handshake(self, status: int, headers: HeadersLike, body: Buffer = b"") -> list[Event]:
        """Take the service's answer to the handshake: its log id, or why it refused.

        Optional: without it, errors before the first response have no log id.
        """
        pairs = header_pairs(headers)
        self._log_id = find_header(pairs, "X-Tt-Logid") or self._log_id
        if status in (101, 200):
            return []
        code = find_header(pairs, "X-Api-Status-Code") or ""
        message = find_header(pairs, "X-Api-Message") or _words(bytes(memoryview(body)))
        if code.isascii() and code.isdigit() and len(code) <= 10:
            return self._refused(int(code), message)
        return self._failed(ServiceError(redact(message, self._secrets), code=str(status),
                                         retryable=status == 429 or status >= 500, request_id=self._request_id))

    def receive(self, message: WireMessage) -> list[Event]:
        """Take one message from the service; give what it says.

        Raises
        ------
        RemoteProtocolError
            Of `decode_frame`; and MalformedFrame with reason ``"text-message"``, ``"before-start"``, ``"after-end"``,
            ``"unexpected-type"``, ``"not-json"`` or ``"wrong-shape"``. The message is dropped, nothing else changes.
        """
        if isinstance(message, str):
            raise MalformedFrame("a text message came where all messages are binary", reason="text-message", offset=0)
        if self._over:
            raise MalformedFrame("a message came after the conversation was over", reason="after-end", offset=0)
        if self._lifecycle.phase in (Phase.NEW, Phase.OPENING):
            raise MalformedFrame("a message came before the request was sent", reason="before-start", offset=0)
        frame = decode_frame(message, max_payload_size=self._max_payload_size)
        if frame.message_type == MessageType.ERROR:
            return self._refused(frame.error_code or 0, _words(frame.payload))
        if frame.message_type in (MessageType.FULL_CLIENT_REQUEST, MessageType.AUDIO_ONLY_REQUEST):
            raise MalformedFrame(f"a frame of type {frame.message_type:d} came, which only clients send",
                                 reason="unexpected-type", offset=1)
        if (frame.message_type != MessageType.FULL_SERVER_RESPONSE or frame.event is not None
                or frame.serialization not in (Serialization.JSON, Serialization.RAW)):
            return [UnknownEvent(frame)]
        return self._respond(frame)

    def _respond(self, frame: Frame) -> list[Event]:
        document = read_json(frame.payload, what="the response") if frame.payload else {}
        reply = check_shape(document, Reply, what="the response")
        self._log_id = reply.log_id or self._log_id
        if reply.code is not None and reply.code not in self._ok_codes:
            return self._refused(reply.code, reply.message or "")
        last = bool(frame.flags & Flags.LAST) or (reply.sequence is not None and reply.sequence < 0)
        events: list[Event] = []
        if not self._answered:
            self._answered = True
            events.append(SessionStarted(self._request_id, raw=document))
        events += self._segments.hear(reply, document, last=last)
        if last:
            self._over = True
            events.append(SessionEnded(raw=document))
        return events

    def receive_eof(self) -> list[Event]:
        """The connection has closed: a failure, unless the last response had come."""
        if self._over:
            return []
        return self._failed(ServiceError("the connection closed before the last response", code="connection-closed",
                                         retryable=True, request_id=self._request_id))

    def _refused(self, code: int, message: str) -> list[Event]:
        return self._failed(service_error(code, message, request_id=self._request_id, secrets=self._secrets))

    def _failed(self, error: ServiceError) -> list[Event]:
        self._over = True
        self._lifecycle.fail()
        self._pending.clear()
        return [SessionFailed(error)]


def _words(payload: bytes) -> str:
    """The words in the body of a refusal: JSON with ``error`` or ``message``, or plain text."""
    with suppress(MalformedFrame):
        document = read_json(payload)
        for name in ("error", "message"):
            words: object = document.get(name) if isinstance(document, dict) else None
            if isinstance(words, str):
                return words
    return payload.decode("utf-8", "replace").strip()


def path_of(url: str) -> str:
    """The path (with query) of a WebSocket URL, which is what gets signed."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("wss", "ws") or not rest:
        raise LocalProtocolError("url must start with wss:// or ws://")
    return "/" + rest.partition("/")[2]
