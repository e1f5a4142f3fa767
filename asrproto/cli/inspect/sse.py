"""Server-Sent Events for people: each block of the stream with the event that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asrproto.cli.inspect.piece import Field, Payload, Piece, payload_of
from asrproto.http.sse import ServerSentEvent, SSEDecoder

__all__ = ["SSEReader", "looks_like_sse"]

_END_OF_BLOCK = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_FIRST_LINE = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:(?:data|event|id|retry):|(?::[^\r\n]*[\r\n]+)+(?:data|event):)")
_SHOWN_OF_COMMENT = 200


def looks_like_sse(head: bytes) -> bool:
    """It begins with one of the four fields, or with comments and then one."""
    return _FIRST_LINE.match(head) is not None


class SSEReader:
    """Gives a piece for each block."""

    def __init__(self) -> None:
        self._decoder = SSEDecoder()
        self._held = b""  # newlines at the end of what was fed: whether a block ends there is not known yet
        self._offset = 0  # of what comes next
        self._block = 0  # where the block began
        self._comment = b""

    def feed(self, data: bytes) -> Iterator[Piece]:
        data = self._held + data
        whole = len(data.rstrip(b"\r\n"))
        at = 0
        for end in _END_OF_BLOCK.finditer(data):
            if end.end() == len(data) and data.endswith(b"\r"):
                break
            yield from self._fed(data[at:end.end()], True)
            at = end.end()
        whole = max(whole, at)
        yield from self._fed(data[at:whole], False)
        self._held = data[whole:]

    def close(self) -> Iterator[Piece]:
        yield from self._fed(self._held, bool(_END_OF_BLOCK.search(self._held)))
        self._held = b""
        self._decoder.close()

    def _fed(self, data: bytes, ends: bool) -> Iterator[Piece]:
        events = self._decoder.feed(data) if data else []
        self._offset += len(data)
        self._comment = (self._comment + data)[:_SHOWN_OF_COMMENT]
        size = self._offset - self._block
        for event in events:
            yield _piece(event, self._block, size)
        if ends:
            text = self._comment.decode("utf-8", "replace").strip()
            if not events and text:
                yield Piece("block", self._block, size, "without data: no event",
                            payload=Payload("text", size, text))
            self._block, self._comment = self._offset, b""


def _piece(event: ServerSentEvent, offset: int, size: int) -> Piece:
    piece = Piece("event", offset, size, event.event)
    if event.id:
        piece.fields.append(Field("id", "string", event.id))
    if event.retry is not None:
        piece.fields.append(Field("retry", "ms", event.retry))
    piece.payload, _ = payload_of(event.data.encode("utf-8", "replace"), text=True)
    return piece
