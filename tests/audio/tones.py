"""Measures a resampler with tones: gain in the pass-band, what is left of tones in the stop-band, THD+N.

A resampler is any function of (samples, rate_in, rate_out). Tones are of full scale and in float32; what a measurement
calls the noise is all of the output but the tone itself, in dB below it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Resample = Callable[[np.ndarray, int, int], np.ndarray]

DOWN = [(48000, 16000), (44100, 16000), (32000, 16000), (24000, 16000), (22050, 16000), (16000, 8000)]
UP = [(11025, 16000), (8000, 16000), (16000, 24000), (16000, 48000)]
PAIRS = DOWN + UP

SECONDS = 0.5
EDGE = 0.1  # seconds at either end that a measurement leaves out


def tone(frequency: float, rate: int, amplitude: float = 0.98) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(int(SECONDS * rate)) / rate)).astype(np.float32)


def decibel(x: float) -> float:
    return 20 * float(np.log10(max(x, 1e-12)))


def fit(samples: np.ndarray, frequency: float, rate: int) -> tuple[float, float]:
    """Amplitude of a tone in `samples`, and rms of all else, relative to a full-scale tone's rms."""
    inner = slice(int(EDGE * rate), len(samples) - int(EDGE * rate))
    angle = 2 * np.pi * frequency * np.arange(len(samples))[inner] / rate
    basis = np.stack([np.sin(angle), np.cos(angle), np.ones_like(angle)], axis=1)
    wanted = samples[inner].astype(np.float64)
    found, *_ = np.linalg.lstsq(basis, wanted, rcond=None)
    rest = wanted - basis @ found
    return float(np.hypot(found[0], found[1])), float(np.sqrt(np.mean(rest**2)) * np.sqrt(2))


def measure(resample: Resample, rate_in: int, rate_out: int, edge: float, tones: int = 12) -> dict[str, Any]:
    """Figures in dB: gains over the pass-band up to `edge`, the worst alias or image, the worst THD+N.

    Pass-band tones lie between 0.01 and `edge` of the lower Nyquist frequency, that one included. Downwards, a tone of
    the stop-band should vanish; upwards, all but the tone is image, for tones up to the Nyquist frequency itself.
    """
    low = min(rate_in, rate_out) / 2
    gains, noise = [], []
    for part in np.linspace(0.01, edge, tones):
        amplitude, rest = fit(resample(tone(part * low, rate_in), rate_in, rate_out), part * low, rate_out)
        gains.append(decibel(amplitude / 0.98))
        noise.append(decibel(rest / 0.98))
    stopped = []
    if rate_out < rate_in:
        for part in [1.0005, 1.01, 1.03, *np.linspace(1.06, min(rate_in / rate_out, 4) - 0.01, tones)]:
            samples = resample(tone(part * low, rate_in), rate_in, rate_out)
            inner = samples[int(EDGE * rate_out):-int(EDGE * rate_out)].astype(np.float64)
            stopped.append(decibel(float(np.sqrt(np.mean(inner**2)) * np.sqrt(2)) / 0.98))
    else:
        for part in [*np.linspace(edge, 0.98, 4), 0.9995]:
            _, rest = fit(resample(tone(part * low, rate_in), rate_in, rate_out), part * low, rate_out)
            stopped.append(decibel(rest / 0.98))
    return {"low": min(gains), "high": max(gains), "noise": max(noise), "stopped": max(stopped), "gains": gains}
