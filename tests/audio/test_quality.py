"""What each quality promises, measured with tones on every common pair of rates."""

from __future__ import annotations

import numpy as np
import pytest
from tones import PAIRS, decibel, fit, measure, tone

from asrproto.audio import Resampler, resample, simd_level
from asrproto.audio.resample import QUALITIES

# The baseline path rounds each product and each sum, the others only the sums.
ROUNDED_TWICE = 1 if simd_level() == "baseline" else 0


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
@pytest.mark.parametrize("quality", QUALITIES)
def test_pass_band_stop_band_and_noise(quality: str, rate_in: int, rate_out: int) -> None:
    stated = QUALITIES[quality]
    found = measure(lambda x, a, b: resample(x, a, b, quality=quality), rate_in, rate_out, stated.edge)
    assert abs(found["low"]) <= stated.ripple
    assert abs(found["high"]) <= stated.ripple
    assert found["stopped"] <= -stated.attenuation + ROUNDED_TWICE
    assert found["noise"] <= -stated.noise + ROUNDED_TWICE


@pytest.mark.parametrize(("rate_in", "rate_out"), [
    (44101, 16000), (47999, 8001), (8000, 11025), (96000, 44100), (44100, 48000), (192000, 16000), (16000, 44101),
    (384000, 4000), (4000, 384000),
])
def test_other_pairs(rate_in: int, rate_out: int) -> None:
    """Rates without a short period too: those go by cubics in the table, and must be as good."""
    stated = QUALITIES["best"]
    found = measure(lambda x, a, b: resample(x, a, b, quality="best"), rate_in, rate_out, stated.edge, tones=5)
    assert max(abs(found["low"]), abs(found["high"])) <= stated.ripple
    extreme = max(rate_in, rate_out) > 16 * min(rate_in, rate_out)
    assert found["stopped"] <= (-130 if extreme else -stated.attenuation) + ROUNDED_TWICE
    assert found["noise"] <= (-130 if extreme else -stated.noise) + ROUNDED_TWICE


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_no_delay(rate_in: int, rate_out: int) -> None:
    """A band-limited pulse comes out where it went in."""
    n = np.arange(int(0.2 * rate_in))
    low = min(rate_in, rate_out)
    pulse = np.exp(-0.5 * ((n / rate_in - 0.1) * low * 0.25) ** 2).astype(np.float32)
    m = np.arange(-(-len(n) * rate_out // rate_in))
    wanted = np.exp(-0.5 * ((m / rate_out - 0.1) * low * 0.25) ** 2)
    assert np.abs(resample(pulse, rate_in, rate_out) - wanted).max() < 3e-3


def test_int16_is_as_good_as_sixteen_bits_are() -> None:
    samples = np.rint(32767 * tone(997, 48000, 0.9)).astype(np.int16)
    _, rest = fit(resample(samples, 48000, 16000) / 32768.0, 997, 16000)
    assert decibel(rest) < -93  # two roundings of 1/sqrt(12) each, below a tone of full scale


def test_latency_is_what_it_says() -> None:
    for rate_in, rate_out in PAIRS:
        resampler = Resampler(rate_in, rate_out)
        outputs = resampler.push(np.zeros(rate_in, np.float32)).size
        behind = 1 - outputs / rate_out
        assert behind <= resampler.latency + 1 / rate_out
        assert resampler.latency < 0.025
