"""Volcengine's frames for people. A file may hold several, one after the other, as they came out of a connection."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from asrproto.cli.inspect.piece import Field, Payload, Piece, payload_of, shifted
from asrproto.errors import RemoteProtocolError, TruncatedFrame
from asrproto.volcengine.codes import LEGACY_OK, OK, PENDING, find_code
from asrproto.volcengine.frames import (
    Compression,
    EventType,
    Flags,
    Frame,
    MessageType,
    Serialization,
    decode_frame,
)

__all__ = ["VolcengineReader", "looks_like_volcengine"]

_GZIP_MARK = b"\x1f\x8b"
_FINE = {0, LEGACY_OK, OK, *PENDING}


def looks_like_volcengine(head: bytes) -> bool:
    """Version 1, a header of at least one word, known types all along, and the reserved byte zero."""
    if len(head) < 4 or head[0] >> 4 != 1 or not head[0] & 15 or head[3]:
        return False
    return (head[1] >> 4 in set(MessageType) and head[1] & 15 < 8 and head[2] >> 4 in set(Serialization)
            and head[2] & 15 in set(Compression))


class VolcengineReader:
    """Gives a piece for each frame."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._offset = 0
        self._wanted = 1  # bytes to wait for: tries are as far apart as the frame is long, so the cost stays linear

    def feed(self, data: bytes) -> Iterator[Piece]:
        self._held += data
        if len(self._held) >= self._wanted:
            yield from self._frames(end=False)

    def close(self) -> Iterator[Piece]:
        yield from self._frames(end=True)

    def _frames(self, *, end: bool) -> Iterator[Piece]:
        at = 0
        with memoryview(bytes(self._held)) as view:
            while at < len(view):
                try:
                    frame, size = _first_frame(view[at:])
                except TruncatedFrame as error:
                    if end or error.reason == "gzip-truncated":
                        raise shifted(error, self._offset + at) from None
                    break
                except RemoteProtocolError as error:
                    raise shifted(error, self._offset + at) from None
                yield _piece(frame, bytes(view[at:at + size]), self._offset + at)
                at += size
        del self._held[:at]
        self._offset += at
        self._wanted = 2 * len(self._held)


def _first_frame(view: memoryview) -> tuple[Frame, int]:
    """The frame at the beginning of `view`, and its size."""
    try:
        return decode_frame(view), len(view)
    except RemoteProtocolError as error:
        if error.reason != "trailing-bytes" or not error.offset:
            raise
        return decode_frame(view[:error.offset]), error.offset


def _piece(frame: Frame, wire: bytes, offset: int) -> Piece:
    piece = Piece("frame", offset, len(wire), _name(frame.message_type))
    piece.fields = [
        _field("message_type", "4 bits", frame.message_type),
        Field("flags", "4 bits", int(frame.flags), _flags(frame.flags)),
        _field("serialization", "4 bits", frame.serialization),
        _field("compression", "4 bits", frame.compression),
    ]
    if frame.reserved:
        piece.fields.append(Field("reserved", "8 bits", frame.reserved))
    if frame.extension:
        piece.fields.append(Field("extension", "bytes", frame.extension))
    for name, kind in (("error_code", "uint32"), ("sequence", "int32"), ("event", "int32"),
                       ("connection_id", "string"), ("session_id", "string")):
        value = getattr(frame, name)
        if value is not None:
            piece.fields.append(_field(name, kind, value))
    is_json = frame.serialization == Serialization.JSON
    packing = "gzip" if frame.compression == Compression.GZIP else ""
    piece.payload, note = payload_of(frame.payload, json=is_json, packing=packing)
    if note:
        piece.notes.append(note)
    if not packing and frame.payload[:2] == _GZIP_MARK:
        piece.notes.append("the payload begins like gzip, but the header says that it is not compressed")
    if frame.flags & Flags.LAST:
        piece.notes.append("the last packet")
    piece.advice = _advice(frame, piece.payload)
    return piece


def _advice(frame: Frame, payload: Payload) -> str | None:
    """What the code of an error frame, or in the JSON of a response, means."""
    number: Any = frame.error_code
    if number is None and payload.kind == "json" and isinstance(payload.value, dict):
        number = payload.value.get("code")
    if type(number) is not int or number in _FINE:
        return None
    code = find_code(number)
    return ". ".join(text for text in (f"{number}: {code.meaning}", code.advice) if text)


def _name(number: int) -> str:
    return number.name if isinstance(number, enum.Enum) else f"message type {number}"


def _field(name: str, kind: str, value: Any) -> Field:
    if name == "event" and not isinstance(value, EventType):
        return Field(name, kind, value, "unknown")
    if isinstance(value, enum.Enum):
        return Field(name, kind, value.value, value.name)
    return Field(name, kind, value)


def _flags(value: int) -> str:
    names = [flag.name or "" for flag in (Flags.SEQUENCE, Flags.LAST, Flags.EVENT) if value & flag]
    return " | ".join(names) or "NONE"
