"""The resampler as a stream: any cut, any channels, any rates; lengths, state, memory, misuse."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tones import PAIRS

from asrproto import LocalProtocolError
from asrproto._kernels import cpu
from asrproto._kernels.resample import Stream
from asrproto.audio import Resampler, float_to_int16, int16_to_float, resample
from asrproto.audio._design import design
from asrproto.audio.resample import QUALITIES, ratio

ODD_PAIRS = [(44100, 48000), (48000, 44100), (44101, 16000), (16000, 44101), (384000, 4000), (4000, 384000),
             (47999, 48000), (7350, 16000), (37800, 16000), (16000, 16000), (96000, 16000), (12000, 8000)]
RATES = st.sampled_from(PAIRS + ODD_PAIRS) | st.tuples(st.integers(4000, 96000), st.integers(4000, 96000))


def noise(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).uniform(-1, 1, (frames, channels)).astype(np.float32)
    return samples[:, 0].copy() if channels == 1 else samples


def at_level(samples: np.ndarray, rate_in: int, rate_out: int, quality: str, level: str) -> np.ndarray:
    stream = Stream(design(rate_in, rate_out, quality).stages, *ratio(rate_in, rate_out), 1, False, cpu.LEVELS[level])
    return np.concatenate([stream.push(samples), stream.flush()])


@settings(max_examples=150)
@given(RATES, st.sampled_from(list(QUALITIES)), st.integers(1, 3), st.sampled_from(["float32", "int16"]), st.data())
def test_any_cut_gives_the_same(rates: tuple[int, int], quality: str, channels: int, dtype: str,
                                data: st.DataObject) -> None:
    rate_in, rate_out = rates
    frames = data.draw(st.integers(0, 6000 if rate_out <= 3 * rate_in else 300))
    samples = noise(frames, channels, frames)
    if dtype == "int16":
        samples = float_to_int16(samples)
    whole = resample(samples, rate_in, rate_out, quality=quality)
    assert whole.dtype == dtype
    assert len(whole) == -(-frames * rate_out // rate_in)
    resampler = Resampler(rate_in, rate_out, channels=channels, dtype=dtype, quality=quality)
    parts, at = [], 0
    while at < frames:
        size = data.draw(st.just(1) | st.integers(0, 40) | st.integers(1, frames))
        parts.append(resampler.push(samples[at:at + size]))
        if data.draw(st.booleans()):
            resampler = pickle.loads(pickle.dumps(resampler))
        at += size
    parts.append(resampler.flush())
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS + ODD_PAIRS)
def test_one_sample_at_a_time(rate_in: int, rate_out: int) -> None:
    samples = noise(1500 if rate_out <= 3 * rate_in else 100)
    resampler = Resampler(rate_in, rate_out)
    parts = [resampler.push(samples[at:at + 1]) for at in range(len(samples))]
    assert np.concatenate([*parts, resampler.flush()]).tobytes() == resample(samples, rate_in, rate_out).tobytes()


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS + ODD_PAIRS)
@pytest.mark.parametrize("quality", QUALITIES)
def test_every_path_gives_the_same(quality: str, rate_in: int, rate_out: int) -> None:
    """All paths with a fused multiply-add to the last bit; the baseline within 2^-20 of full scale."""
    samples = noise(30011 if rate_out <= 3 * rate_in else 500)
    found = {level: at_level(samples, rate_in, rate_out, quality, level) for level in cpu.AVAILABLE}
    fused = [outputs for level, outputs in found.items() if level != "baseline"]
    for outputs in fused[1:]:
        assert outputs.tobytes() == fused[0].tobytes()
    for outputs in fused:
        assert np.abs(outputs - found["baseline"]).max() <= 2.0**-20


@settings(max_examples=40)
@given(st.sampled_from(PAIRS), st.integers(1, 64), st.integers(0, 400))
def test_channels_are_independent(rates: tuple[int, int], channels: int, frames: int) -> None:
    samples = noise(frames, channels, channels).reshape(frames, channels)
    whole = resample(samples, *rates)
    assert whole.shape == (-(-frames * rates[1] // rates[0]), channels)
    for channel in range(channels):
        assert whole[:, channel].tobytes() == resample(samples[:, channel], *rates).tobytes()


def test_it_is_linear_and_silent_outside() -> None:
    """Zeros around a signal change nothing: before the first and after the last sample there is silence."""
    samples = noise(4000)
    quiet = np.zeros(4800, np.float32)
    padded = resample(np.concatenate([quiet, samples, quiet]), 48000, 16000)
    alone = resample(samples, 48000, 16000)
    assert padded[1600:1600 + len(alone)].tobytes() == alone.tobytes()


def test_equal_rates_change_nothing() -> None:
    for samples in (noise(1000), noise(1000, 3), float_to_int16(noise(1000, 2))):
        assert resample(samples, 16000, 16000).tobytes() == samples.tobytes()


def test_int16_is_the_float_path_between_conversions() -> None:
    samples = float_to_int16(noise(5000, 2))
    floats = resample(int16_to_float(samples), 44100, 16000)
    assert resample(samples, 44100, 16000).tobytes() == float_to_int16(floats).tobytes()


def test_strides_byte_orders_and_read_only() -> None:
    samples = noise(3000, 2)
    wanted = resample(samples, 48000, 16000)
    wide = np.zeros((6000, 4), np.float32)
    wide[::2, 1::2] = samples
    locked = samples.copy()
    locked.flags.writeable = False
    for same in (wide[::2, 1::2], np.asfortranarray(samples), samples.astype(">f4"), locked,
                 samples[::-1].copy()[::-1]):
        assert resample(same, 48000, 16000).tobytes() == wanted.tobytes()
    column = resample(samples[:, :1], 48000, 16000)
    assert column.shape == (1000, 1)
    assert column[:, 0].tobytes() == resample(samples[:, 0], 48000, 16000).tobytes()


def test_reset_and_after_flush() -> None:
    samples = noise(2000)
    resampler = Resampler(44100, 16000)
    first = [resampler.push(samples), resampler.flush()]
    for call in (lambda: resampler.push(samples), resampler.flush):
        with pytest.raises(LocalProtocolError, match="flushed"):
            call()
    resampler.reset()
    assert np.concatenate([resampler.push(samples), resampler.flush()]).tobytes() == np.concatenate(first).tobytes()
    resampler.reset()
    assert resampler.flush().size == 0


def test_a_long_stream_keeps_its_place() -> None:
    """An hour at an awkward ratio, by the counters alone."""
    resampler = Resampler(44100, 16000)
    state = list(resampler._state())
    hours = 44100 * 3600 * 24 * 365 * 1000
    state[0], state[1] = hours, hours * 160 // 441
    resampler._restore(*state)
    block = resampler.push(noise(44100))
    rest = resampler.flush()
    assert block.size + rest.size == -(-(hours + 44100) * 160 // 441) - hours * 160 // 441


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS + ODD_PAIRS)
def test_memory(rate_in: int, rate_out: int) -> None:
    """Of its own a channel needs a few KB; the tables are shared."""
    for quality in QUALITIES:
        one, two = (Resampler(rate_in, rate_out, quality=quality) for _ in range(2))
        assert one.nbytes <= 16 * 1024
        assert len(pickle.dumps(one)) <= one.nbytes + 1024
        for (stage, *_), (other, *_) in zip(design(rate_in, rate_out, quality).stages, one.stages, strict=True):
            assert stage is other
        assert all(a[0] is b[0] for a, b in zip(one.stages, two.stages, strict=True))
        assert sum(stage.nbytes for stage, *_ in one.stages) <= 512 * 1024


def test_threads_share_nothing_but_tables() -> None:
    samples = noise(48000 * 4)
    wanted = resample(samples, 48000, 16000).tobytes()
    found: list[bytes] = []

    def work() -> None:
        found.extend(resample(samples, 48000, 16000).tobytes() for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 12


def test_one_resampler_in_two_threads_stays_whole() -> None:
    """Which block comes first is open; that each is taken whole is not."""
    resampler = Resampler(48000, 16000)
    outputs: list[int] = []

    def work() -> None:
        outputs.extend(resampler.push(np.ones(4800, np.float32)).size for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outputs) + resampler.flush().size == 150 * 1600


@pytest.mark.parametrize("value", [0, -1, 3999, 384001, 2**40, 10**30, "16000", None, 16000.5, float("nan"),
                                   float("inf")])
@pytest.mark.parametrize("name", ["rate_in", "rate_out"])
def test_absurd_rates(name: str, value: object) -> None:
    rates = {"rate_in": 16000, "rate_out": 16000, name: value}
    with pytest.raises(LocalProtocolError, match=f"^{name}="):
        Resampler(**rates)  # type: ignore[arg-type]


@pytest.mark.parametrize(("options", "name"), [
    ({"channels": 0}, "channels"), ({"channels": 65}, "channels"), ({"channels": -1}, "channels"),
    ({"dtype": "float64"}, "dtype"), ({"dtype": "int8"}, "dtype"), ({"dtype": "nonsense"}, "dtype"),
    ({"quality": "vhq"}, "quality"), ({"quality": None}, "quality"), ({"quality": ["high"]}, "quality"),
])
def test_wrong_options(options: dict[str, object], name: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"^{name}="):
        Resampler(48000, 16000, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("samples", "error"), [
    (np.zeros(10, np.float64), TypeError), (np.zeros(10, np.int16), TypeError), (["x"], TypeError), (None, TypeError),
    (np.zeros((10, 2), np.float32), LocalProtocolError), (np.zeros((1, 1, 1), np.float32), LocalProtocolError),
    (np.float32(0.5), LocalProtocolError), (np.zeros((0, 2), np.float32), LocalProtocolError),
])
def test_wrong_samples(samples: object, error: type[Exception]) -> None:
    resampler = Resampler(48000, 16000)
    with pytest.raises(error, match="samples"):
        resampler.push(samples)
    assert resampler.push(np.zeros(0, np.float32)).size == 0


@pytest.mark.parametrize(("samples", "error"), [
    (np.zeros(10, np.float64), TypeError), (np.zeros(10, np.uint8), TypeError), (["x"], TypeError), (None, TypeError),
    (np.zeros((1, 1, 1), np.float32), LocalProtocolError), (np.float32(0.5), LocalProtocolError),
    (np.zeros((10, 65), np.float32), LocalProtocolError), (np.zeros((10, 0), np.float32), LocalProtocolError),
])
def test_wrong_signals(samples: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"samples|channels"):
        resample(samples, 48000, 16000)  # type: ignore[arg-type]


def test_broken_states_are_refused() -> None:
    resampler = Resampler(48000, 16000)
    good = resampler._state()
    for at, value in [(5, b""), (4, ()), (4, ((10**6, 0), (0, 0))), (4, ((0, 10**6), (0, 0)))]:
        state = list(good)
        state[at] = value
        with pytest.raises(ValueError, match="state"):
            resampler._restore(*state)
    with pytest.raises(TypeError, match="once"):
        resampler.__init__(48000, 16000)  # type: ignore[misc]
