"""Writes asrproto/audio/_prototypes.py: the low-pass filters of each quality, by scipy's Parks-McClellan algorithm.

Run by hand when a quality changes: ``python _ext/audio/design_prototypes.py > asrproto/audio/_prototypes.py``. The
tables are stored rather than computed at run time because that needs scipy, and so that every machine has the same
bits.

Sharp filters stand at two or three times the lower of the two sample rates of a conversion: pass-band up to `edge` of
that rate's Nyquist frequency, stop-band from the Nyquist frequency on. Loose filters stand at 32 times the lower rate,
as good as continuous: pass-band up to its Nyquist frequency, stop-band from the rate itself on. All of that stop-band
comes down on a pass-band when the filter is sampled at a lower rate, so that from twice the rate on it must be deeper.
Each length is the shortest odd one that holds ripple and attenuation.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import remez

# name: pass-band edge, greatest ripple in dB (either way), attenuation in dB
SHARP = {
    "fast": (0.70, 0.01, 115.0),
    "medium": (0.92, 0.01, 115.0),
    "high": (0.92, 0.01, 136.0),
    "best": (0.95, 0.002, 148.0),
}
# name: ripple, attenuation; "fast" has that of "medium"
LOOSE = {"medium": (0.002, 121.0), "high": (0.002, 143.0), "best": (0.001, 156.0)}
FAR = 20.0  # dB more from twice the rate on
SHARP_OVER, LOOSE_OVER = (2, 3), 32
UNIT = 2.0**-40


def decibel(x: float) -> float:
    return 20 * float(np.log10(x))


def design(passed: float, stopped: float, ripple: float, attenuation: float, far: float = 0.0) -> np.ndarray:
    """The taps; `passed` and `stopped` in cycles per sample, the rest in dB; `far` more dB from 2 `stopped` on."""
    in_pass, in_stop = 10 ** (ripple / 20) - 1, 10 ** (-attenuation / 20)
    length = int((-10 * np.log10(in_pass * in_stop) - 13) / 14.6 / (stopped - passed) * 0.96) | 1  # Kaiser's guess
    f = np.arange((1 << 16) + 1) / (1 << 17)
    while True:
        if far:
            bands, wanted = [0, passed, stopped, 1.9 * stopped, 2 * stopped, 0.5], [1, 0, 0]
            weight = [1, in_pass / in_stop, in_pass / in_stop * 10 ** (far / 20)]
        else:
            bands, wanted, weight = [0, passed, stopped, 0.5], [1, 0], [1, in_pass / in_stop]
        taps = remez(length, bands, wanted, weight=weight, maxiter=200)
        taps = np.round(taps / UNIT) * UNIT
        response = np.abs(np.fft.rfft(taps, 1 << 17))
        inside = response[f <= passed]
        if (max(decibel(inside.max()), -decibel(inside.min())) <= ripple
                and -decibel(response[f >= stopped].max()) >= attenuation):
            return taps
        length += 2


def table(name: str, filters: dict[str, np.ndarray]) -> None:
    print(f"\n{name}: dict[str, tuple[int, ...]] = {{")
    for quality, taps in filters.items():
        half = [round(tap / UNIT) for tap in taps[len(taps) // 2:]]
        print(f'    "{quality}": (  # {len(taps)} taps')
        for start in range(0, len(half), 8):
            print("        " + " ".join(f"{value}," for value in half[start:start + 8]))
        print("    ),")
    print("}")


def main() -> None:
    print('"""Made by _ext/audio/design_prototypes.py, which says what these are.')
    print('\nHalf of each symmetric filter, its centre first, in units of 2^-40.\n"""')
    print(f"\nLOOSE_OVER = {LOOSE_OVER}")
    for over in SHARP_OVER:
        table(f"SHARP_{over}", {name: design(edge / 2 / over, 0.5 / over, ripple, attenuation)
                                for name, (edge, ripple, attenuation) in SHARP.items()})
    table("LOOSE", {name: design(0.5 / LOOSE_OVER, 1 / LOOSE_OVER, ripple, attenuation, FAR)
                    for name, (ripple, attenuation) in LOOSE.items()})


if __name__ == "__main__":
    main()
