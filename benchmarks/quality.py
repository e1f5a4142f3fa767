"""What each quality of the resampler does to the spectrum, measured at its output: ``python -m benchmarks.quality``.

From 48 to 16 kHz three inputs make one output, so an impulse at each of three neighbouring places shows every third
coefficient of the whole filter, and together they show all of them; its Fourier transform is the response. Nothing is
taken from the design. The same is done to soxr. What lies above 8 kHz comes back below it as an alias.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from asrproto.audio import Resampler, resample
from benchmarks import results

RATE_IN, RATE_OUT = 48000, 16000
FACTOR = RATE_IN // RATE_OUT
NYQUIST = RATE_OUT / 2
LENGTH = 3 * 8192
QUALITIES = ("fast", "medium", "high", "best")
SOXR = {"soxr HQ": "HQ", "soxr VHQ": "VHQ"}


def response(convert: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Frequencies in Hz and the gain at each in dB."""
    whole = np.zeros(LENGTH)
    middle = LENGTH // 2
    for phase in range(FACTOR):
        impulse = np.zeros(LENGTH, np.float32)
        impulse[middle + phase] = 1.0
        out = np.asarray(convert(impulse), np.float64)
        at = FACTOR * np.arange(len(out)) - phase
        inside = (at >= 0) & (at < LENGTH)
        whole[at[inside]] = out[inside]
    gain = np.abs(np.fft.rfft(whole, 8 * LENGTH))
    return np.fft.rfftfreq(8 * LENGTH, 1 / RATE_IN), 20 * np.log10(np.maximum(gain, 1e-12))


def edge(frequencies: Any, gain: Any, drop: float) -> float:
    """Up to which frequency the gain stays within `drop` dB of 1."""
    return float(frequencies[np.argmax(np.abs(gain) > drop)])


def curve(frequencies: Any, gain: Any, points: Any) -> list[list[float]]:
    """The highest gain between each two neighbouring `points`, at the first of them."""
    places = np.searchsorted(frequencies, points)
    return [[float(point), float(gain[start:end].max())]
            for point, start, end in zip(points[:-1], places[:-1], places[1:], strict=True)]


def converters() -> dict[str, Callable[[Any], Any]]:
    def ours(quality: str) -> Callable[[Any], Any]:
        return lambda samples: resample(samples, RATE_IN, RATE_OUT, quality=quality)

    found = {quality: ours(quality) for quality in QUALITIES}
    try:
        import soxr
    except ImportError:
        return found

    def theirs(quality: str) -> Callable[[Any], Any]:
        return lambda samples: soxr.resample(samples, RATE_IN, RATE_OUT, quality=quality)

    return found | {name: theirs(quality) for name, quality in SOXR.items()}


def main() -> None:
    figures = []
    for name, convert in converters().items():
        frequencies, gain = response(convert)
        figures.append({
            "what": name,
            "flat_hz": edge(frequencies, gain, 0.1),
            "half_power_hz": edge(frequencies, gain, 3.0103),
            "alias_db": float(gain[frequencies >= NYQUIST].max()),
            "far_alias_db": float(gain[frequencies >= 1.1 * NYQUIST].max()),
            "latency": Resampler(RATE_IN, RATE_OUT, quality=name).latency if name in QUALITIES else None,
            "near": curve(frequencies, gain, np.linspace(6000, 9000, 121)),
            "far": curve(frequencies, gain, np.linspace(0, 24000, 161)),
        })
    results.write("quality", figures)


if __name__ == "__main__":
    main()
