"""The code path that the kernels take on this machine, decided once at import."""

import os

cdef extern from "cpu.h" nogil:
    int ASRPROTO_BASELINE, ASRPROTO_AVX2, ASRPROTO_AVX512, ASRPROTO_NEON
    int asrproto_cpu_features()
    int asrproto_level_runs(int level, int features)

LEVELS = {
    "baseline": ASRPROTO_BASELINE,
    "avx2": ASRPROTO_AVX2,
    "avx512": ASRPROTO_AVX512,
    "neon": ASRPROTO_NEON,
}


def _available():
    cdef int features = asrproto_cpu_features()
    return tuple(name for name, level in LEVELS.items() if asrproto_level_runs(level, features))


AVAILABLE = _available()


def _choose():
    forced = os.environ.get("ASRPROTO_SIMD")
    if not forced:
        return AVAILABLE[-1]
    if forced not in AVAILABLE:
        known = "is not supported by this machine" if forced in LEVELS else "is not a known level"
        raise ValueError(f"ASRPROTO_SIMD={forced} {known}; this machine has: {', '.join(AVAILABLE)}")
    return forced


LEVEL_NAME = _choose()
LEVEL = LEVELS[LEVEL_NAME]
