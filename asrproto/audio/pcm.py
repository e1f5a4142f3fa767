"""Samples between the formats that capture devices, files and services use.

Full scale is 1.0 in floating point. Integers of b bits are scaled by 2^(b-1), so that every int16 survives
``float_to_int16(int16_to_float(x))``. Where a value has to be rounded it is rounded half to even; what is beyond full
scale is clipped; NaN becomes 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from asrproto._kernels import pcm as _pcm
from asrproto.errors import LocalProtocolError

__all__ = [
    "SAMPLE_FORMATS",
    "deinterleave",
    "float_to_int16",
    "int16_to_float",
    "interleave",
    "pcm_to_float",
    "pcm_to_int16",
    "pick_channel",
    "to_mono",
]

SAMPLE_FORMATS: dict[str, int] = dict(_pcm.WIDTHS)
"""Names of the raw formats and the bytes of one sample: ``u8``, ``s16le``, ``s24be``, ``f32le``, ``ulaw`` ..."""

_DTYPE_FORMATS = {
    np.dtype(code): name
    for code, name in [("u1", "u8"), ("<i2", "s16le"), (">i2", "s16be"), ("<i4", "s32le"), (">i4", "s32be"),
                       ("<f4", "f32le"), (">f4", "f32be"), ("<f8", "f64le"), (">f8", "f64be")]
}
_ALIASES = {"mulaw": "ulaw", "pcmu": "ulaw", "pcma": "alaw", "int24": "s24le"}

Int16s = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]


def sample_format(kind: Any, name: str) -> str:
    """The name of a raw format, from such a name or from anything that numpy takes for a dtype."""
    if isinstance(kind, str):
        kind = _ALIASES.get(kind, kind)
        if kind in SAMPLE_FORMATS:
            return str(kind)
    try:
        return _DTYPE_FORMATS[np.dtype(object if kind is None else kind)]
    except (TypeError, ValueError, KeyError):
        known = ", ".join([*SAMPLE_FORMATS, "or a numpy dtype of one of these"])
        raise LocalProtocolError(f"{name}={kind!r} is not a sample format; known are {known}") from None


def float_to_int16(samples: npt.ArrayLike, *, scaling: Literal["full", "asymmetric"] = "full",
                   out: Int16s | None = None) -> Int16s:
    """Floating-point samples as int16.

    Parameters
    ----------
    samples : array_like of float32 or float64
        Any shape, strides and byte order; 1.0 is full scale.
    scaling : {"full", "asymmetric"}
        "full": ``round_half_even(x * 32768)``, clipped to [-32768, 32767].
        "asymmetric": what browser code makes of WebAudio samples, ``x * (x < 0 ? 32768 : 32767)`` clipped and, as
        ``DataView.setInt16`` does it, cut off towards zero.
    out : ndarray of int16, optional
        Takes the result, of the same shape as `samples`; any strides. Nothing of its size is allocated.

    Returns
    -------
    ndarray of int16
        `out` if it was given. NaN gives 0, infinities clip.

    Raises
    ------
    TypeError
        `samples` are not floating-point, or `out` is not an int16 array.
    LocalProtocolError
        The shape of `out` differs, it is read-only, or `scaling` is unknown.
    """
    if scaling not in ("full", "asymmetric"):
        raise LocalProtocolError(f'scaling={scaling!r} is neither "full" nor "asymmetric"')
    asymmetric = scaling == "asymmetric"
    result = _pcm.float_to_int16(samples, asymmetric, out)
    if result is not None:
        return result
    array = np.asanyarray(samples)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise TypeError(f"samples must be float32 or float64, not {array.dtype}")
    return _convert(array, out, np.int16, lambda x, y: _pcm.float_to_int16(x, asymmetric, y))


def int16_to_float(samples: npt.ArrayLike, *, out: Floats | None = None) -> Floats:
    """int16 samples as float32, divided by 32768.

    Parameters
    ----------
    samples : array_like of int16
        Any shape, strides and byte order.
    out : ndarray of float32, optional
        Takes the result; see `float_to_int16`.

    Returns
    -------
    ndarray of float32
    """
    result = _pcm.int16_to_float(samples, out)
    if result is not None:
        return result
    array = np.asanyarray(samples)
    if array.dtype.kind != "i" or array.dtype.itemsize != 2:
        raise TypeError(f"samples must be int16, not {array.dtype}")
    return _convert(array, out, np.float32, _pcm.int16_to_float)


def _convert(array: npt.NDArray[Any], out: npt.NDArray[Any] | None, dtype: type, kernel: Any) -> npt.NDArray[Any]:
    """Run a kernel over what it does not take at once, piece by piece through numpy's buffered iterator."""
    if out is None:
        out = np.empty(array.shape, dtype)
    elif not isinstance(out, np.ndarray) or out.dtype != dtype:
        raise TypeError(f"out must be an array of {np.dtype(dtype)}")
    elif out.shape != array.shape:
        raise LocalProtocolError(f"out has the shape {out.shape}, samples have {array.shape}")
    elif not out.flags.writeable:
        raise LocalProtocolError("out is read-only")
    native = array.dtype.newbyteorder("=")
    with np.nditer([array, out], flags=["external_loop", "buffered", "zerosize_ok", "copy_if_overlap"],
                   op_flags=[["readonly", "contig", "aligned"],  # pyright: ignore[reportArgumentType]
                             ["writeonly", "contig", "aligned"]],
                   op_dtypes=[native, np.dtype(dtype)], casting="equiv") as pieces:  # type: ignore[call-overload]
        for source, target in pieces:
            kernel(source, target)
    return out


def pcm_to_float(data: Any, sample_format: str) -> Floats:
    """Raw samples of any format as float32, one-dimensional.

    Parameters
    ----------
    data : bytes-like
        Whole samples, interleaved if there are several channels.
    sample_format : str
        One of `SAMPLE_FORMATS`, e.g. ``"s24le"`` for packed 24-bit integers.

    Returns
    -------
    ndarray of float32
        Unsigned bytes as (x - 128)/128, b-bit integers as x/2^(b-1); exact, but int32 and float64 are rounded.
    """
    return _decode(data, sample_format, False)


def pcm_to_int16(data: Any, sample_format: str) -> Int16s:
    """Raw samples of any format as int16, one-dimensional; wider ones rounded half to even and clipped."""
    return _decode(data, sample_format, True)


def _decode(data: Any, kind: str, to_int16: bool) -> npt.NDArray[Any]:
    name = sample_format(kind, "sample_format")
    view = memoryview(data).cast("B") if not isinstance(data, bytes) else data
    if len(view) % SAMPLE_FORMATS[name]:
        raise LocalProtocolError(f"data of {len(view)} bytes are not whole {name} samples")
    return _pcm.decode(view, _pcm.FORMATS[name], to_int16)


def _frames(samples: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.asarray(samples)
    if array.dtype.kind not in "fi" or array.dtype.itemsize not in (2, 4, 8):
        raise TypeError(f"samples must be floats or signed integers, not {array.dtype}")
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise LocalProtocolError(f"samples must be of shape (frames,) or (frames, channels), not {array.shape}")
    return array


def to_mono(samples: npt.ArrayLike) -> npt.NDArray[Any]:
    """The mean of all channels.

    Parameters
    ----------
    samples : array_like, (frames, channels) or (frames,)
        Floats or signed integers. One dimension is mono already and is returned as it is.

    Returns
    -------
    ndarray, (frames,)
        Of the same dtype; the mean of integers is rounded half to even.
    """
    array = _frames(samples)
    if array.ndim == 1:
        return array
    if array.shape[1] == 1:
        return np.ascontiguousarray(array[:, 0])
    if array.dtype.kind == "i":
        return _integer_mean(array)
    if array.dtype == np.float32:
        mixed = _pcm.mix(np.ascontiguousarray(array, dtype=np.float32))
        assert mixed is not None
        return mixed
    total = array[:, 0].astype(array.dtype.newbyteorder("="))
    for channel in range(1, array.shape[1]):
        total += array[:, channel]
    return np.asarray(total / array.shape[1])


def _integer_mean(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    channels = array.shape[1]
    floor, rest = np.divmod(array.sum(axis=1, dtype=np.int64), channels)
    up = (2 * rest > channels) | ((2 * rest == channels) & (floor & 1 == 1))
    return np.asarray((floor + up).astype(array.dtype.newbyteorder("=")))


def pick_channel(samples: npt.ArrayLike, channel: int) -> npt.NDArray[Any]:
    """One channel of (frames, channels), as a contiguous array; `channel` counts from 0."""
    array = _frames(samples)
    channels = 1 if array.ndim == 1 else array.shape[1]
    if not 0 <= channel < channels:
        raise LocalProtocolError(f"channel={channel} is not one of the {channels} channels (the first is 0)")
    return np.ascontiguousarray(array if array.ndim == 1 else array[:, channel])


def interleave(channels: Sequence[npt.ArrayLike]) -> npt.NDArray[Any]:
    """Channels of equal length and dtype as one contiguous array (frames, channels), the order on the wire."""
    arrays = [np.asarray(channel) for channel in channels]
    if not arrays or any(a.ndim != 1 or a.shape != arrays[0].shape or a.dtype != arrays[0].dtype for a in arrays):
        raise LocalProtocolError("channels must be one-dimensional, of the same length and dtype, and at least one")
    return np.stack(arrays, axis=1)


def deinterleave(samples: npt.ArrayLike, channels: int | None = None) -> list[npt.NDArray[Any]]:
    """The channels of (frames, channels), or of interleaved samples when `channels` says how many, each contiguous."""
    array = np.asarray(samples)
    if array.ndim == 1 and channels is not None:
        if channels < 1 or array.size % channels:
            raise LocalProtocolError(f"channels={channels} does not divide {array.size} samples into frames")
        array = array.reshape(-1, channels)
    if array.ndim != 2 or (channels is not None and array.shape[1] != channels):
        raise LocalProtocolError(f"samples of shape {array.shape} have not {channels or 'a second axis of'} channels")
    return [np.ascontiguousarray(array[:, channel]) for channel in range(array.shape[1])]
