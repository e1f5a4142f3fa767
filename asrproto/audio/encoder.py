"""From what a capture device gives to what a service wants, in one pass over the data.

::

    any sample format → float32 → mono → resampled → int16 → little-endian PCM or G.711 → chunks of equal length

The result is that of `pcm_to_float`, `to_mono`, `resample`, `float_to_int16` and `int16_to_ulaw` one after the other,
to the last bit, however the input was cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from asrproto._kernels import pcm as _pcm
from asrproto._kernels.resample import Encoder, Stream
from asrproto.audio._design import design
from asrproto.audio.pcm import sample_format
from asrproto.audio.resample import MOST_CHANNELS, accepted, checked_int, checked_quality, checked_rate, ratio
from asrproto.errors import LocalProtocolError

__all__ = ["AudioEncoder"]

# wire name: (the kernel's number, bytes of a sample)
_ENCODINGS = {"pcm_s16le": 0, "pcm_mulaw": 1, "ulaw": 1, "pcm_alaw": 2, "alaw": 2}
_DTYPES = {"u8": "u1", "s16le": "<i2", "s16be": ">i2", "s32le": "<i4", "s32be": ">i4",
           "f32le": "<f4", "f32be": ">f4", "f64le": "<f8", "f64be": ">f8"}


class AudioEncoder(Encoder):
    """Capture blocks in, wire-sized chunks out.

    Parameters
    ----------
    rate_in : int
        Samples per second of the input, 4000 to 384000.
    channels_in : int
        1 to 64, interleaved.
    dtype_in : str or dtype
        What the samples are: a numpy dtype ("float32", "int16", ">i4" ...) or a raw format ("s24le", "ulaw" ...).
    rate_out : int
        Samples per second on the wire, 4000 to 384000.
    encoding : {"pcm_s16le", "ulaw", "alaw"}
        On the wire; "pcm_mulaw" and "pcm_alaw" say the same as the last two.
    chunk_ms : float
        Milliseconds of audio in each chunk; a whole number of samples, up to a minute.
    quality : {"fast", "medium", "high", "best"}
        Of the resampler.
    channel : int, optional
        Take this channel (from 0) instead of the mean of all.

    Examples
    --------
    >>> encoder = AudioEncoder(rate_in=48000, channels_in=2, dtype_in="float32")
    >>> chunks = encoder.push(np.zeros((4800, 2), np.float32)) + encoder.flush()
    >>> sum(map(len, chunks))
    3200
    """

    def __init__(self, *, rate_in: int, channels_in: int = 1, dtype_in: npt.DTypeLike, rate_out: int = 16000,
                 encoding: str = "pcm_s16le", chunk_ms: float = 100, quality: str = "high",
                 channel: int | None = None) -> None:
        self.rate_in = checked_rate(rate_in, "rate_in")
        self.rate_out = checked_rate(rate_out, "rate_out")
        self.channels_in = checked_int(channels_in, "channels_in", 1, MOST_CHANNELS)
        self.sample_format = sample_format(dtype_in, "dtype_in")
        if encoding not in _ENCODINGS:
            raise LocalProtocolError(f"encoding={encoding!r} is not one of {', '.join(_ENCODINGS)}")
        self.encoding = encoding
        self.quality = checked_quality(quality)
        self.chunk_ms = chunk_ms
        self.channel = None if channel is None else checked_int(channel, "channel", 0, self.channels_in - 1)
        if not isinstance(chunk_ms, (int, float)) or not 0 < chunk_ms <= 60000:
            raise LocalProtocolError(f"chunk_ms={chunk_ms!r} is not within 0 to 60000")
        frames = self.rate_out * chunk_ms / 1000
        if frames != int(frames):
            raise LocalProtocolError(f"chunk_ms={chunk_ms!r} is not a whole number of samples at {self.rate_out} Hz")
        plan = design(self.rate_in, self.rate_out, self.quality)
        self.latency = plan.latency
        """Seconds of input that must follow a moment before it can be encoded; a chunk must fill beside that."""
        self._dtype = np.dtype(_DTYPES[self.sample_format]) if self.sample_format in _DTYPES else None
        stream = Stream(plan.stages, *ratio(self.rate_in, self.rate_out), 1, False)
        number = self._dtype.num if self._dtype is not None and self._dtype.isnative else -1
        super().__init__(stream, _pcm.FORMATS[self.sample_format], number, self.channels_in,
                         -1 if self.channel is None else self.channel, _ENCODINGS[encoding], int(frames))

    def push(self, samples: Any) -> list[bytes]:
        """Take a block of samples and return the chunks that are full.

        Parameters
        ----------
        samples : array_like or bytes-like
            An array of `dtype_in`, (frames, channels) or, for one channel, (frames,); or raw interleaved samples as
            bytes, bytearray, memoryview of bytes, cut anywhere: the bytes of an incomplete frame are kept for the next.

        Returns
        -------
        list of bytes
            Each of the length that `chunk_ms` says.

        Raises
        ------
        TypeError
            An array of another dtype.
        LocalProtocolError
            An array of another shape, or after `flush`.
        """
        return super().push(samples)

    def flush(self) -> list[bytes]:
        """Return the rest, of which the last chunk may be short. An incomplete frame, no sample yet, is dropped."""
        return super().flush()

    def reset(self) -> None:
        """Forget all samples, as if the encoder were new."""
        super().reset()

    def _accept(self, samples: Any) -> Any:
        if isinstance(samples, (bytes, bytearray)):
            return samples
        if isinstance(samples, memoryview) and samples.format in ("B", "b", "c"):
            return samples if samples.c_contiguous else samples.tobytes()
        if self._dtype is None:
            array = np.asarray(samples)
            if array.dtype != np.uint8:
                raise TypeError(f"samples of the format {self.sample_format} must be bytes, not {array.dtype}")
            return array.tobytes()
        return accepted(samples, self._dtype, self.channels_in)

    def _over(self) -> None:
        raise LocalProtocolError("the encoder was flushed: reset() it before the next stream")

    def __repr__(self) -> str:
        return f"AudioEncoder({', '.join(f'{name}={value!r}' for name, value in self._options().items())})"

    def _options(self) -> dict[str, Any]:
        return {"rate_in": self.rate_in, "channels_in": self.channels_in, "dtype_in": self.sample_format,
                "rate_out": self.rate_out, "encoding": self.encoding, "chunk_ms": self.chunk_ms,
                "quality": self.quality, "channel": self.channel}

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._options(), self._state())


def _rebuild(options: dict[str, Any], state: tuple[Any, ...]) -> AudioEncoder:
    encoder = AudioEncoder(**options)
    encoder._restore(*state)
    return encoder
