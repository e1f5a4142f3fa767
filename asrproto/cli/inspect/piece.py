"""What the readers of all formats hand to the display: one `Piece` for each frame, event or chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from asrproto._json import read_json
from asrproto.errors import MalformedFrame, RemoteProtocolError

__all__ = ["Checksum", "Field", "Payload", "Piece", "Reader", "payload_of", "shifted"]

DEEPEST = 100
"""Levels of JSON that are shown as such."""


class Field(NamedTuple):
    """`type` is the field's type on the wire, `value` anything that JSON has, or bytes; `note` is for people."""

    name: str
    type: str
    value: Any
    note: str = ""


class Checksum(NamedTuple):
    """One that holds: where it does not, there is no piece but a fault."""

    name: str
    value: int


@dataclass(frozen=True)
class Payload:
    """`kind` is "json", "text" or "bytes"; `value` a document, a str or bytes; `packing` what was undone to get it."""

    kind: str
    size: int
    value: Any
    packing: str = ""


@dataclass
class Piece:
    """`offset` and `size` are in bytes of the input; `inner` is what the payload itself is made of."""

    kind: str
    offset: int
    size: int
    title: str = ""
    fields: list[Field] = field(default_factory=list)
    payload: Payload | None = None
    checksums: list[Checksum] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    advice: str | None = None
    inner: list[Piece] = field(default_factory=list)


class Reader(Protocol):
    """Takes one format apart, however its bytes are cut."""

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take the next bytes; give the pieces that they complete."""
        ...

    def close(self) -> Iterator[Piece]:
        """There are no more bytes; give what is left."""
        ...


def payload_of(data: bytes, *, json: bool = False, text: bool = False, packing: str = "") -> tuple[Payload, str]:
    """What `data` is, and a note where it is not what it was said to be; without a word JSON is still recognised."""
    if json or data[:1] in (b"{", b"["):
        try:
            document = read_json(data, what="the payload")
            if _depth(document) > DEEPEST:
                return _plain(data, True, packing), f"JSON, nested deeper than {DEEPEST}"
            return Payload("json", len(data), document, packing), ""
        except MalformedFrame as error:
            if json and data:
                return _plain(data, True, packing), str(error.message)
    return _plain(data, json or text, packing), ""


def _depth(document: Any) -> int:
    """How deep lists and objects are nested, counted up to one more than `DEEPEST`."""
    level, depth = [document], 0
    while level and depth <= DEEPEST:
        inner = [value.values() if isinstance(value, dict) else value
                 for value in level if isinstance(value, (dict, list))]
        level = [value for values in inner for value in values]
        depth += bool(inner)
    return depth


def _plain(data: bytes, text: bool, packing: str) -> Payload:
    if text:
        try:
            return Payload("text", len(data), data.decode(), packing)
        except UnicodeDecodeError:
            pass
    return Payload("bytes", len(data), data, packing)


def shifted(error: RemoteProtocolError, by: int) -> RemoteProtocolError:
    """`error` of a part of the input, with its offset in the whole."""
    place = by if error.offset is None else error.offset + by
    return type(error)(error.message, reason=error.reason, offset=place)
