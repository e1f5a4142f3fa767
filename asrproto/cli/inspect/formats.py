"""The formats that `asrproto inspect` recognises, one row each; the first row whose `detect` says yes is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from asrproto.cli.inspect.eventstream import EventStreamReader, looks_like_event_stream
from asrproto.cli.inspect.piece import Piece, Reader
from asrproto.cli.inspect.session import looks_like_recording, read_session
from asrproto.cli.inspect.sse import SSEReader, looks_like_sse
from asrproto.cli.inspect.volcengine import VolcengineReader, looks_like_volcengine
from asrproto.cli.inspect.wav import WavReader, looks_like_wav

__all__ = ["FORMATS", "Format", "detect"]


class Format(NamedTuple):
    """`key` is what the command line calls it; `detect` judges by the first bytes; `read` takes all of it apart.

    What cannot be read raises RemoteProtocolError, after all pieces before it.
    """

    key: str
    name: str
    detect: Callable[[bytes], bool]
    read: Callable[[Iterable[bytes]], Iterator[Piece]]


def _reading(reader: Callable[[], Reader]) -> Callable[[Iterable[bytes]], Iterator[Piece]]:
    def read(chunks: Iterable[bytes]) -> Iterator[Piece]:
        one = reader()
        for data in chunks:
            yield from one.feed(data)
        yield from one.close()

    return read


FORMATS = (
    Format("session", "recorded session", looks_like_recording, read_session),
    Format("wav", "WAV", looks_like_wav, _reading(WavReader)),
    Format("eventstream", "AWS event stream", looks_like_event_stream, _reading(EventStreamReader)),
    Format("sse", "Server-Sent Events", looks_like_sse, _reading(SSEReader)),
    Format("volcengine", "Volcengine frames", looks_like_volcengine, _reading(VolcengineReader)),
)


def detect(head: bytes) -> Format | None:
    """The format of something that begins with `head`."""
    return next((row for row in FORMATS if row.detect(head)), None)
