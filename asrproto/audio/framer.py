"""Raw bytes in, whole frames out: what comes off a pipe or a socket may be cut in the middle of a sample."""

from __future__ import annotations

from typing import Any

from asrproto.audio.resample import checked_int

__all__ = ["PcmFramer"]


class PcmFramer:
    """Cuts a stream of bytes into pieces of whole frames.

    Parameters
    ----------
    frame_bytes : int
        Bytes of one frame: those of a sample times the channels; 2 for mono int16.
    chunk_frames : int, optional
        Hand out chunks of exactly so many frames; by default whatever whole frames there are.

    Examples
    --------
    >>> framer = PcmFramer(2)
    >>> framer.push(b"\\x01\\x02\\x03"), framer.push(b"\\x04"), framer.flush()
    ([b'\\x01\\x02'], [b'\\x03\\x04'], b'')
    """

    def __init__(self, frame_bytes: int = 2, *, chunk_frames: int | None = None) -> None:
        self._frame = checked_int(frame_bytes, "frame_bytes", 1, 1 << 20)
        self._chunk = 0
        if chunk_frames is not None:
            self._chunk = self._frame * checked_int(chunk_frames, "chunk_frames", 1, 1 << 30)
        self._held = bytearray()

    @property
    def pending(self) -> int:
        """Bytes that are held back."""
        return len(self._held)

    def push(self, data: Any) -> list[bytes]:
        """Take bytes, cut anywhere; return the pieces that are whole."""
        view = memoryview(data).cast("B")
        size = self._chunk or self._frame
        whole = (len(self._held) + len(view)) // size * size
        if not whole:
            self._held += view
            return []
        taken = whole - len(self._held)
        self._held += view[:taken]
        ready = bytes(self._held)
        self._held[:] = view[taken:]
        if not self._chunk:
            return [ready]
        return [ready[at:at + size] for at in range(0, whole, size)]

    def flush(self) -> bytes:
        """Return what is held back: frames of an incomplete chunk, and at most one incomplete frame at its end."""
        rest = bytes(self._held)
        self._held.clear()
        return rest
