"""Recorded sessions for people: each message, and what is in it.

The frames of Transcribe over HTTP/2 come in pieces of any size. They are put together here, by the side that sent them,
and shown with the message that completed them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asrproto.cli.inspect.eventstream import EventStreamReader, looks_like_event_stream
from asrproto.cli.inspect.piece import Field, Payload, Piece, Reader, payload_of
from asrproto.cli.inspect.volcengine import VolcengineReader, looks_like_volcengine
from asrproto.cli.inspect.wav import looks_like_wav
from asrproto.errors import FrameTooLarge, RemoteProtocolError
from asrproto.testing.recording import Record, is_recording, read_recording

__all__ = ["looks_like_recording", "read_session"]

LONGEST_LINE = 64 << 20

looks_like_recording = is_recording


def read_session(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """A piece for each message."""
    contents = {"client": _Content(), "service": _Content()}
    sizes: list[int] = []

    def lines() -> Iterator[bytes]:
        for line in _lines(chunks):
            sizes.append(len(line))
            yield line

    offset = 0
    for record in read_recording(lines()):
        piece = Piece(record.kind, offset, sizes.pop(), f"{record.sender}, {record.time:.3f} s")
        contents[record.sender].describe(record, piece)
        offset += piece.size
        yield piece


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = offset = 0
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            yield b"".join((*held, line, b"\n"))
            offset += size + len(line) + 1
            held, size = [], 0
        held.append(rest)
        size += len(rest)
        if size > LONGEST_LINE:
            raise FrameTooLarge(f"a line of more than {LONGEST_LINE} bytes", reason="line-too-long", offset=offset)
    if size:
        yield b"".join(held)


class _Content:
    """What one side sends."""

    def __init__(self) -> None:
        self._frames: EventStreamReader | None = None
        self._pieces = False  # of a stream, rather than one frame a message

    def describe(self, record: Record, piece: Piece) -> None:
        """Put what is in a message into its piece."""
        if record.kind == "handshake":
            self._pieces = record.method == "POST" or record.status == 200
            _handshake(record, piece)
        elif record.kind == "text":
            piece.payload, _ = payload_of(record.data.encode("utf-8", "replace"), text=True)
        elif record.kind == "binary":
            self._binary(record.body, piece)

    def _binary(self, data: bytes, piece: Piece) -> None:
        if self._frames is not None or looks_like_event_stream(data):
            reader: Reader = self._frames or EventStreamReader()
            self._frames = reader if self._pieces and isinstance(reader, EventStreamReader) else None
        elif looks_like_volcengine(data):
            reader = VolcengineReader()
        else:
            piece.payload, _ = payload_of(data)
            if looks_like_wav(data) and len(data) >= 12:
                piece.notes.append("the header of a WAV file")
            return
        try:
            piece.inner += reader.feed(data)
            if not self._pieces:
                piece.inner += reader.close()
        except RemoteProtocolError as error:
            piece.notes.append(f"not a frame that can be read: {error}")
            piece.payload = Payload("bytes", len(data), data)


def _handshake(record: Record, piece: Piece) -> None:
    if record.sender == "client":
        piece.fields = [Field("method", "string", record.method), Field("url", "string", record.url)]
    else:
        piece.fields = [Field("status", "number", record.status)]
    piece.fields += [Field(name, "header", value) for name, value in record.headers]
    if record.data:
        piece.payload, _ = payload_of(record.body, text=True)
