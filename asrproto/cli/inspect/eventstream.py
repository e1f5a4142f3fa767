"""The AWS event stream for people: typed headers, signed frames unwrapped, refusals explained."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from asrproto.aws.eventstream import EventStreamDecoder, Int8, Int16, Int32, Int64, Message, Timestamp
from asrproto.aws.transcribe.failures import message_error
from asrproto.cli.inspect.piece import Checksum, Field, Piece, payload_of, shifted
from asrproto.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["EventStreamReader", "looks_like_event_stream", "piece_of"]

MOST_WRAPPINGS = 4
_PRELUDE = 12
_TYPES: dict[type, str] = {
    bool: "bool", Int8: "byte", Int16: "short", Int32: "integer", Int64: "long", bytes: "bytes", str: "string",
    Timestamp: "timestamp", uuid.UUID: "uuid"}
_USUAL_HEADERS = (b":message-type", b":event-type", b":exception-type", b":chunk-signature", b":content-type",
                  b":error-code")


def looks_like_event_stream(head: bytes) -> bool:
    """The checksum of the first prelude holds; or headers are there that services use, and it does not."""
    if len(head) >= _PRELUDE and zlib.crc32(head[:8]) == int.from_bytes(head[8:12], "big"):
        return True
    return head[:2] == b"\0\0" and any(name in head[:512] for name in _USUAL_HEADERS)


class EventStreamReader:
    """Gives a piece for each frame."""

    def __init__(self) -> None:
        self._decoder = EventStreamDecoder()
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Piece]:
        messages: Sequence[Message]
        fault: RemoteProtocolError | None = None
        try:
            messages = self._decoder.feed(data)
        except RemoteProtocolError as error:
            messages, fault = error.messages, error
        for message in messages:
            frame = message.encode()  # the very bytes of the wire
            yield piece_of(message, frame, self._offset)
            self._offset += len(frame)
        if fault is not None:
            raise fault

    def close(self) -> Iterator[Piece]:
        self._decoder.close()
        return iter(())


def piece_of(message: Message, frame: bytes, offset: int, wrappings: int = 0) -> Piece:
    """One frame, taken apart."""
    headers: dict[str, Any] = message.headers
    piece = Piece("frame", offset, len(frame), _title(headers), [_field(*pair) for pair in headers.items()])
    piece.checksums = [Checksum("prelude", int.from_bytes(frame[8:12], "big")),
                       Checksum("message", int.from_bytes(frame[-4:], "big"))]
    if isinstance(headers.get(":chunk-signature"), bytes):
        if not message.payload:
            piece.notes.append("signed and empty: the end of the stream")
        elif wrappings < MOST_WRAPPINGS:
            start = offset + len(frame) - 4 - len(message.payload)
            try:
                inner = Message.decode(message.payload)
            except RemoteProtocolError as error:
                raise shifted(error, start) from None
            piece.inner = [piece_of(inner, message.payload, start, wrappings + 1)]
            return piece
    content_type = str(headers.get(":content-type", ""))
    json = content_type.startswith("application/json")
    piece.payload, note = payload_of(message.payload, json=json, text=content_type.startswith("text/"))
    if note:
        piece.notes.append(note)
    if headers.get(":event-type") == "AudioEvent" and not message.payload:
        piece.notes.append("audio of no length: the end of the audio")
    if headers.get(":message-type") in ("exception", "error"):
        piece.advice = message_error(message).advice
    return piece


def _title(headers: dict[str, Any]) -> str:
    if ":chunk-signature" in headers:
        return "signed"
    names = (":exception-type", ":error-code", ":event-type", ":message-type")
    return next((str(headers[name]) for name in names if name in headers), "")


def _field(name: str, value: Any) -> Field:
    kind = _TYPES.get(type(value), type(value).__name__)
    if isinstance(value, Timestamp):
        try:
            return Field(name, kind, int(value), value.to_datetime().isoformat(timespec="milliseconds"))
        except LocalProtocolError:
            return Field(name, kind, int(value))
    if isinstance(value, uuid.UUID):
        return Field(name, kind, str(value))
    return Field(name, kind, int(value) if isinstance(value, int) and not isinstance(value, bool) else value)
