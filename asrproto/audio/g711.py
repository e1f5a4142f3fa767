"""G.711: telephony's eight bits a sample, bit-exact with ITU-T G.191 and with Python's former ``audioop``.

µ-law (North America, Japan) and A-law (elsewhere) keep a sign, a segment and four bits within it: about 14 and 13 bits
of range.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from asrproto._kernels import pcm as _pcm
from asrproto.audio.pcm import Int16s, pcm_to_int16

__all__ = ["alaw_to_int16", "int16_to_alaw", "int16_to_ulaw", "ulaw_to_int16"]


def ulaw_to_int16(data: Any) -> Int16s:
    """µ-law bytes (any bytes-like object) as int16 samples."""
    return pcm_to_int16(data, "ulaw")


def alaw_to_int16(data: Any) -> Int16s:
    """A-law bytes (any bytes-like object) as int16 samples."""
    return pcm_to_int16(data, "alaw")


def int16_to_ulaw(samples: npt.ArrayLike) -> bytes:
    """int16 samples (an array, or little-endian bytes) as µ-law bytes."""
    return _encode(samples, False)


def int16_to_alaw(samples: npt.ArrayLike) -> bytes:
    """int16 samples (an array, or little-endian bytes) as A-law bytes."""
    return _encode(samples, True)


def _encode(samples: Any, alaw: bool) -> bytes:
    encoded = _pcm.encode_g711(samples, alaw)
    if encoded is not None:
        return encoded
    if isinstance(samples, (bytes, bytearray, memoryview)):
        samples = pcm_to_int16(samples, "s16le")
    array = np.asarray(samples)
    if array.dtype.kind != "i" or array.dtype.itemsize != 2:
        raise TypeError(f"samples must be int16, not {array.dtype}")
    encoded = _pcm.encode_g711(np.ascontiguousarray(array, dtype=np.int16), alaw)
    assert encoded is not None
    return encoded
