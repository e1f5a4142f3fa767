"""Everything that a speech-recognition client does to samples before they go on the wire.

Importing this loads numpy; ``import asrproto`` does not.
"""

from asrproto._kernels import cpu as _cpu
from asrproto.audio.encoder import AudioEncoder
from asrproto.audio.framer import PcmFramer
from asrproto.audio.g711 import alaw_to_int16, int16_to_alaw, int16_to_ulaw, ulaw_to_int16
from asrproto.audio.pcm import (
    deinterleave,
    float_to_int16,
    int16_to_float,
    interleave,
    pcm_to_float,
    pcm_to_int16,
    pick_channel,
    to_mono,
)
from asrproto.audio.resample import Resampler, resample

__all__ = [
    "AudioEncoder",
    "PcmFramer",
    "Resampler",
    "alaw_to_int16",
    "deinterleave",
    "float_to_int16",
    "int16_to_alaw",
    "int16_to_float",
    "int16_to_ulaw",
    "interleave",
    "pcm_to_float",
    "pcm_to_int16",
    "pick_channel",
    "resample",
    "simd_level",
    "to_mono",
    "ulaw_to_int16",
]


def simd_level() -> str:
    """The code path that the kernels take: "baseline", "avx2", "avx512" or "neon".

    The best that the machine has, unless the environment variable ``ASRPROTO_SIMD`` named another when the package was
    imported; a name that is unknown, or that the machine cannot run, is a ValueError at that moment.
    """
    return _cpu.LEVEL_NAME
