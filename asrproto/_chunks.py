"""Encoded audio of any size in, wire-sized pieces out; bytes are carried over, never padded and never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Chunker", "byte_view"]


def byte_view(data: Buffer) -> memoryview:
    """The bytes of encoded audio; TypeError for samples as floats, which no service takes as they lie in memory."""
    view = memoryview(data)
    if view.format[-1:] in ("e", "f", "d"):
        raise TypeError("audio must be bytes in the session's encoding, not float samples: "
                        "asrproto.audio.AudioEncoder makes the one from the other")
    if view.ndim == 1 and view.format == "B" and view.c_contiguous:
        return view
    return view.cast("B") if view.c_contiguous and view.nbytes else memoryview(view.tobytes())


class Chunker:
    """Cuts one stream of bytes into chunks of one size.

    Parameters
    ----------
    size : int
        Bytes of a chunk.
    eager : bool
        Hand on at once what there is, in pieces of at most `size`, instead of waiting for whole ones.
    """

    __slots__ = ("_eager", "_rest", "size")

    def __init__(self, size: int, *, eager: bool = False) -> None:
        self.size = size
        self._eager = eager
        self._rest = bytearray()

    @property
    def pending(self) -> int:
        """How many bytes wait for the rest of their chunk."""
        return len(self._rest)

    def push(self, data: Buffer) -> list[bytes]:
        """Take any amount of bytes; give the chunks that it completes."""
        view, size, rest = byte_view(data), self.size, self._rest
        start = 0
        chunks = []
        if rest:
            start = size - len(rest)
            rest += view[:start]
            if len(rest) < size:
                return []
            chunks.append(bytes(rest))
            rest.clear()
        end = len(view) if self._eager else start + (len(view) - start) // size * size
        chunks += [bytes(view[at:at + size]) for at in range(start, end, size)]
        rest += view[end:]
        return chunks

    def flush(self) -> list[bytes]:
        """There is no more: give the last, shorter chunk, if any byte is left for one."""
        last = [bytes(self._rest)] if self._rest else []
        self._rest.clear()
        return last
