"""Writes asrproto/audio/_sharp.py: the sharp low-pass of each quality, by the Parks-McClellan algorithm of scipy.

Run by hand when a quality changes: ``python _ext/audio/design_sharp_filters.py > asrproto/audio/_sharp.py``. The table
is stored rather than computed at run time because it needs scipy, and so that every machine has the same bits.

A prototype stands at three times the lower of the two sample rates of a conversion: pass-band up to `edge` of that
rate's Nyquist frequency, stop-band from the Nyquist frequency on. Its length is the shortest odd one that holds both.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import remez

# name: pass-band edge, greatest ripple in dB (either way), attenuation in dB
QUALITIES = {
    "fast": (0.70, 0.01, 112.0),
    "medium": (0.92, 0.01, 112.0),
    "high": (0.92, 0.01, 133.0),
    "best": (0.95, 0.002, 146.0),
}
UNIT = 2.0**-40
NYQUIST = 1 / 6  # of the lower rate, in cycles per sample of the prototype


def decibel(x: float) -> float:
    return 20 * float(np.log10(x))


def measure(taps: np.ndarray, edge: float) -> tuple[float, float]:
    """Ripple in the pass-band and attenuation in the stop-band, both in dB."""
    response = np.abs(np.fft.rfft(taps, 1 << 17))
    f = np.arange(response.size) / (1 << 17)
    passed = response[f <= edge * NYQUIST]
    return max(decibel(passed.max()), -decibel(passed.min())), -decibel(response[f >= NYQUIST].max())


def design(edge: float, ripple: float, attenuation: float) -> np.ndarray:
    in_pass, in_stop = 10 ** (ripple / 20) - 1, 10 ** (-attenuation / 20)
    length = int((-10 * np.log10(in_pass * in_stop) - 13) / 14.6 / (NYQUIST * (1 - edge)) * 0.96) | 1  # Kaiser's guess
    while True:
        taps = remez(length, [0, edge * NYQUIST, NYQUIST, 0.5], [1, 0], weight=[1, in_pass / in_stop], maxiter=200)
        taps = np.round(taps / UNIT) * UNIT
        got = measure(taps, edge)
        if got[0] <= ripple and got[1] >= attenuation:
            return taps
        length += 2


def main() -> None:
    print('"""Made by _ext/audio/design_sharp_filters.py, which says what these are.')
    print('\nHalf of each symmetric filter, its centre first, in units of 2^-40.\n"""')
    print("\nSHARP: dict[str, tuple[int, ...]] = {")
    for name, (edge, ripple, attenuation) in QUALITIES.items():
        taps = design(edge, ripple, attenuation)
        half = [round(tap / UNIT) for tap in taps[len(taps) // 2:]]
        print(f"    # {len(taps)} taps, pass-band {edge:g}, ripple {ripple:g} dB, stop-band -{attenuation:g} dB")
        print(f'    "{name}": (')
        for start in range(0, len(half), 8):
            print("        " + " ".join(f"{value}," for value in half[start:start + 8]))
        print("    ),")
    print("}")


if __name__ == "__main__":
    main()
