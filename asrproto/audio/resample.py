"""Sample rate conversion, in one piece or as a stream, with the same result to the last bit.

A band-limited polyphase resampler of linear phase; ``docs/audio.md`` has the structure and the measurements. The output
has no delay: output sample m stands at the time m/rate_out of the input. Before and after its samples the input is
silence, and there are exactly ceil(n·rate_out/rate_in) outputs for n inputs.

========== ========= ======== ========= =======
quality    pass-band ripple   stop-band THD+N
========== ========= ======== ========= =======
``fast``   0.70      0.015 dB -111 dB   -110 dB
``medium`` 0.92      0.015 dB -111 dB   -110 dB
``high``   0.92      0.015 dB -131 dB   -131 dB
``best``   0.95      0.004 dB -140 dB   -138 dB
========== ========= ======== ========= =======

The pass-band is relative to the Nyquist frequency of the lower rate, where the stop-band begins; within it the gain is
1 to within the ripple either way. Beyond ratios of 16 the noise of float32 sums over thousands of samples limits the
last two to about -130 dB.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from asrproto._kernels.resample import Stream
from asrproto.audio._design import design
from asrproto.errors import LocalProtocolError

__all__ = ["QUALITIES", "Quality", "Resampler", "resample"]


@dataclass(frozen=True)
class Quality:
    """What a quality promises; the tests measure all of it with tones."""

    edge: float
    """End of the pass-band, relative to the Nyquist frequency of the lower rate."""
    ripple: float
    """The most by which the gain in it is off, in dB."""
    attenuation: float
    """Of everything from the Nyquist frequency of the lower rate on, in dB."""
    noise: float
    """How far all else is below a tone of the pass-band, in dB."""


QUALITIES = {
    "fast": Quality(0.70, 0.015, 111, 110),
    "medium": Quality(0.92, 0.015, 111, 110),
    "high": Quality(0.92, 0.015, 131, 131),
    "best": Quality(0.95, 0.004, 140, 138),
}
LOWEST_RATE, HIGHEST_RATE, MOST_CHANNELS = 4000, 384000, 64


def checked_int(value: Any, name: str, low: int, high: int) -> int:
    """An integer option within its limits, whatever integer type it came as."""
    try:
        number = operator.index(value)
    except TypeError:
        if not (isinstance(value, float) and value.is_integer()):
            raise LocalProtocolError(f"{name}={value!r} is not an integer") from None
        number = int(value)
    if not low <= number <= high:
        raise LocalProtocolError(f"{name}={value!r} is not within {low} to {high}")
    return number


def checked_rate(value: Any, name: str) -> int:
    return checked_int(value, name, LOWEST_RATE, HIGHEST_RATE)


def checked_quality(value: Any) -> str:
    if not isinstance(value, str) or value not in QUALITIES:
        raise LocalProtocolError(f"quality={value!r} is not one of {', '.join(QUALITIES)}")
    return str(value)


def ratio(rate_in: int, rate_out: int) -> tuple[int, int]:
    """Outputs and inputs of one period, without common factors."""
    reduced = Fraction(rate_out, rate_in)
    return reduced.numerator, reduced.denominator


def _checked_dtype(value: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = np.dtype(value)
    except TypeError:
        dtype = np.dtype(object)
    if dtype not in (np.float32, np.int16) or not dtype.isnative:
        raise LocalProtocolError(f"dtype={value!r} is neither float32 nor int16")
    return dtype


class Resampler(Stream):
    """Resamples a stream that comes in blocks of any size.

    What `push` and `flush` return, one after the other, is what `resample` returns for the whole, bit for bit, however
    the stream was cut.

    Parameters
    ----------
    rate_in, rate_out : int
        Samples per second, 4000 to 384000 each.
    channels : int
        1 to 64.
    dtype : {"float32", "int16"}
        Of the samples that go in and come out. int16 is scaled by 32768 and rounded half to even.
    quality : {"fast", "medium", "high", "best"}
        See the table above.

    Notes
    -----
    The tables of coefficients are shared by all resamplers with the same rates and quality. The memory of one resampler
    is `nbytes`, a few KB a channel. It can be pickled with its state.
    """

    def __init__(self, rate_in: int, rate_out: int, *, channels: int = 1, dtype: npt.DTypeLike = "float32",
                 quality: str = "high") -> None:
        self.rate_in = checked_rate(rate_in, "rate_in")
        self.rate_out = checked_rate(rate_out, "rate_out")
        self.channels = checked_int(channels, "channels", 1, MOST_CHANNELS)
        self.dtype = _checked_dtype(dtype)
        self.quality = checked_quality(quality)
        plan = design(self.rate_in, self.rate_out, self.quality)
        self.latency = plan.latency
        """Seconds of input that must follow a moment before the output of that moment can be given, at most."""
        super().__init__(plan.stages, *ratio(self.rate_in, self.rate_out), self.channels, self.dtype == np.int16)

    def push(self, samples: npt.ArrayLike) -> npt.NDArray[Any]:
        """Take a block of samples and return what is ready.

        Parameters
        ----------
        samples : array_like, (frames,) or (frames, channels)
            Of the resampler's dtype; any strides; one dimension for one channel only.

        Returns
        -------
        ndarray, (frames,) or (frames, channels)
            With as many dimensions as `samples`; may be empty.

        Raises
        ------
        TypeError
            Samples of another dtype.
        LocalProtocolError
            Samples of another shape, or after `flush`.
        """
        return super().push(samples)

    def flush(self) -> npt.NDArray[Any]:
        """Return the rest of the outputs. The stream is over then, until `reset`."""
        return super().flush()

    def reset(self) -> None:
        """Forget all samples, as if the resampler were new."""
        super().reset()

    def _accept(self, samples: Any) -> npt.NDArray[Any]:
        return accepted(samples, self.dtype, self.channels)

    def _over(self) -> None:
        raise LocalProtocolError("the resampler was flushed: reset() it before the next stream")

    def __repr__(self) -> str:
        return (f"Resampler({self.rate_in}, {self.rate_out}, channels={self.channels}, dtype={self.dtype.name!r}, "
                f"quality={self.quality!r})")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.rate_in, self.rate_out, self.channels, self.dtype.name, self.quality, self._state())


def _rebuild(rate_in: int, rate_out: int, channels: int, dtype: str, quality: str, state: tuple[Any, ...]) -> Resampler:
    resampler = Resampler(rate_in, rate_out, channels=channels, dtype=dtype, quality=quality)
    resampler._restore(*state)
    return resampler


def accepted(samples: Any, dtype: np.dtype[Any], channels: int) -> npt.NDArray[Any]:
    """Samples as a contiguous array of this dtype and number of channels, or an error that says what is wrong."""
    array = np.asarray(samples)
    if array.dtype.newbyteorder("=") != dtype.newbyteorder("="):
        if array.size or isinstance(samples, np.ndarray):
            raise TypeError(f"samples must be {dtype.name}, not {array.dtype}")
        array = array.astype(dtype)
    if array.shape[1:] != (channels,) and not (array.ndim == 1 and channels == 1):
        wanted = "(frames,) or (frames, 1)" if channels == 1 else f"(frames, {channels})"
        raise LocalProtocolError(f"samples must be of shape {wanted}, not {array.shape}")
    return np.ascontiguousarray(array, dtype=dtype)


def resample(samples: npt.ArrayLike, rate_in: int, rate_out: int, *, quality: str = "high") -> npt.NDArray[Any]:
    """Resample a whole signal.

    Parameters
    ----------
    samples : array_like of float32 or int16, (frames,) or (frames, channels)
        Any strides and byte order.
    rate_in, rate_out : int
        Samples per second, 4000 to 384000 each.
    quality : {"fast", "medium", "high", "best"}
        See the table above.

    Returns
    -------
    ndarray
        Of the dtype of `samples`, ceil(frames·rate_out/rate_in) frames.
    """
    array = np.asarray(samples)
    if array.dtype.kind not in "fi" or array.dtype.newbyteorder("=") not in (np.float32, np.int16):
        raise TypeError(f"samples must be float32 or int16, not {array.dtype}")
    if array.ndim not in (1, 2):
        raise LocalProtocolError(f"samples must be of shape (frames,) or (frames, channels), not {array.shape}")
    channels = 1 if array.ndim == 1 else array.shape[1]
    resampler = Resampler(rate_in, rate_out, channels=channels, dtype=array.dtype.newbyteorder("="), quality=quality)
    return resampler.whole(array)
