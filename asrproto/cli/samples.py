"""Samples as files hold them: float32 blocks into any sample format, with a WAV header or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from asrproto.audio import Resampler, float_to_int16, int16_to_alaw, int16_to_ulaw, pick_channel, to_mono, wav
from asrproto.audio.pcm import SAMPLE_FORMATS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrproto.cli.sounds import Block, Sound

__all__ = ["ENCODERS", "WavWriter", "converted"]


def _integers(bits: int) -> Callable[[Block], NDArray[np.float64]]:
    """Rounded half to even and clipped, as `float_to_int16` does it; NaN becomes 0."""
    scale = 2.0 ** (bits - 1)

    def scaled(block: Block) -> NDArray[np.float64]:
        exact = np.nan_to_num(block.astype(np.float64), nan=0.0, posinf=2.0, neginf=-2.0)
        return np.clip(np.rint(exact * scale), -scale, scale - 1)

    return scaled


_scaled8, _scaled24, _scaled32 = _integers(8), _integers(24), _integers(32)


def _s24(block: Block, little: bool) -> bytes:
    words = _scaled24(block).astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3]
    return (words if little else words[:, ::-1]).tobytes()


ENCODERS: dict[str, Callable[[Block], bytes]] = {
    "u8": lambda block: (_scaled8(block) + 128).astype(np.uint8).tobytes(),
    "s16le": lambda block: float_to_int16(block).astype("<i2", copy=False).tobytes(),
    "s16be": lambda block: float_to_int16(block).astype(">i2").tobytes(),
    "s24le": lambda block: _s24(block, True),
    "s24be": lambda block: _s24(block, False),
    "s32le": lambda block: _scaled32(block).astype("<i4").tobytes(),
    "s32be": lambda block: _scaled32(block).astype(">i4").tobytes(),
    "f32le": lambda block: block.astype("<f4", copy=False).tobytes(),
    "f32be": lambda block: block.astype(">f4").tobytes(),
    "f64le": lambda block: block.astype("<f8").tobytes(),
    "f64be": lambda block: block.astype(">f8").tobytes(),
    "ulaw": lambda block: int16_to_ulaw(float_to_int16(block)),
    "alaw": lambda block: int16_to_alaw(float_to_int16(block)),
}
"""By sample format; what `asrproto.audio.pcm.pcm_to_float` reads back."""


def converted(sound: Sound, *, rate: int, channels: int, channel: int | None, quality: str) -> Iterator[Block]:
    """The blocks of `sound` at another rate; mixed to one channel, or one of its channels, or all of them."""
    resampler: Any = None
    if rate != sound.rate:
        resampler = Resampler(sound.rate, rate, channels=channels, quality=quality)
    for block in sound.blocks:
        if channel is not None:
            block = pick_channel(block, channel).reshape(-1, 1)
        elif channels == 1:
            block = to_mono(block).reshape(-1, 1)
        elif sound.channels == 1:
            block = np.repeat(block, channels, axis=1)
        yield block if resampler is None else resampler.push(block)
    if resampler is not None:
        yield resampler.flush().reshape(-1, channels)


class WavWriter:
    """Writes a WAV file whose length is known at its end, or was told before; a pipe gets the header for streams."""

    def __init__(self, file: BinaryIO, *, rate: int, channels: int, sample_format: str, frames: int | None) -> None:
        self._file = file
        self._form: dict[str, Any] = {"rate": rate, "channels": channels, "sample_format": sample_format}
        self._frame = channels * SAMPLE_FORMATS[sample_format]
        self._told = None if frames is None else frames * self._frame
        self._header = wav.header(**self._form, data_size=self._told)
        self._size = 0
        file.write(self._header)

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)

    def close(self) -> None:
        """Correct the header where it was wrong and the file can be sought in."""
        if self._size % 2:
            self._file.write(b"\0")
        if self._size == self._told or not self._file.seekable():
            return
        header = wav.header(**self._form, data_size=self._size)
        if len(header) != len(self._header):  # RF64, which nobody could know: go on to the end of the file, then
            header = wav.header(**self._form)
        if len(header) == len(self._header):
            self._file.seek(0)
            self._file.write(header)
