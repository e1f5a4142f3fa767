"""The audio rooms: resampling against python-soxr, conversion against numpy, telephony against audioop.

``plot_audio.py`` measures the quality of both sides with the same tones, and prints it beside the speed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from asrproto._kernels import cpu
from asrproto._kernels.resample import Stream
from asrproto.audio import AudioEncoder, Resampler, float_to_int16, resample
from asrproto.audio._design import design
from asrproto.audio.resample import ratio

soxr = pytest.importorskip("soxr")

QUALITIES = {"fast": "LQ", "medium": "MQ", "high": "HQ", "best": "VHQ"}
DOWN = [(48000, 16000), (44100, 16000), (32000, 16000), (24000, 16000), (22050, 16000), (16000, 8000)]
UP = [(11025, 16000), (8000, 16000), (16000, 24000), (16000, 48000)]
RNG = np.random.default_rng(7)


def noise(samples: int) -> np.ndarray:
    return (RNG.standard_normal(samples) * 0.1).astype(np.float32)


def at_level(samples: np.ndarray, rate_in: int, rate_out: int, quality: str, level: str) -> np.ndarray:
    stream = Stream(design(rate_in, rate_out, quality).stages, *ratio(rate_in, rate_out), 1, False, cpu.LEVELS[level])
    return np.concatenate([stream.push(samples), stream.flush()])


@pytest.mark.parametrize("who", ["asrproto", "soxr"])
@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize(("rate_in", "rate_out"), DOWN + UP)
def test_whole(contest: Callable[..., Any], rate_in: int, rate_out: int, quality: str, who: str) -> None:
    samples = noise(30 * rate_in)
    contenders = {"asrproto": lambda: resample(samples, rate_in, rate_out, quality=quality),
                  "soxr": lambda: soxr.resample(samples, rate_in, rate_out, quality=QUALITIES[quality])}
    contest(f"30 s, {rate_in} → {rate_out} Hz, {quality} / {QUALITIES[quality]}", who, contenders[who],
            at_least={"soxr": 2 if rate_out < rate_in else 1.2})


@pytest.mark.skipif("avx2" not in cpu.AVAILABLE, reason="no AVX2")
@pytest.mark.parametrize("who", ["asrproto", "soxr"])
@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize(("rate_in", "rate_out"), DOWN)
def test_whole_by_avx2(contest: Callable[..., Any], rate_in: int, rate_out: int, quality: str, who: str) -> None:
    samples = noise(30 * rate_in)
    contenders = {"asrproto": lambda: at_level(samples, rate_in, rate_out, quality, "avx2"),
                  "soxr": lambda: soxr.resample(samples, rate_in, rate_out, quality=QUALITIES[quality])}
    contest(f"30 s, {rate_in} → {rate_out} Hz, {quality} / {QUALITIES[quality]}, AVX2 alone", who, contenders[who],
            at_least={"soxr": 1.2})


@pytest.mark.parametrize("who", ["asrproto", "soxr"])
@pytest.mark.parametrize("dtype", ["float32", "int16"])
@pytest.mark.parametrize(("rate_in", "rate_out"), DOWN + UP)
def test_stream(contest: Callable[..., Any], rate_in: int, rate_out: int, dtype: str, who: str) -> None:
    block = noise(rate_in // 50)
    samples = float_to_int16(block) if dtype == "int16" else block
    ours = Resampler(rate_in, rate_out, dtype=dtype)
    theirs = soxr.ResampleStream(rate_in, rate_out, 1, dtype=dtype, quality="HQ")
    contenders = {"asrproto": lambda: ours.push(samples), "soxr": lambda: theirs.resample_chunk(samples)}
    contest(f"a block of 20 ms, {rate_in} → {rate_out} Hz, {dtype}", who, contenders[who], at_least={"soxr": 2})


@pytest.mark.parametrize("who", ["asrproto", "numpy", "a plain copy of the input"])
@pytest.mark.parametrize("count", [320, 1_600_000])
def test_float_to_int16(contest: Callable[..., Any], count: int, who: str) -> None:
    samples = noise(count)
    contenders = {"asrproto": lambda: float_to_int16(samples),
                  "numpy": lambda: (np.clip(samples, -1, 1) * 32767).astype(np.int16),
                  "a plain copy of the input": samples.copy}
    contest(f"float32 → int16, {count} samples", who, contenders[who], at_least={"numpy": 10 if count < 1000 else 3})


def audioop_telephony() -> Callable[[], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    block, state = RNG.bytes(160), [None]

    def work() -> bytes:
        wide, state[0] = audioop.ratecv(audioop.ulaw2lin(block, 2), 2, 1, 8000, 16000, state[0])
        return wide

    return work


def asrproto_telephony() -> Callable[[], Any]:
    encoder, block = AudioEncoder(rate_in=8000, dtype_in="ulaw", chunk_ms=20), RNG.bytes(160)
    return lambda: encoder.push(block)


@pytest.mark.parametrize("who", ["asrproto", "audioop"])
def test_telephony(contest: Callable[..., Any], who: str) -> None:
    work = {"asrproto": asrproto_telephony, "audioop": audioop_telephony}[who]()
    contest("20 ms of µ-law at 8 kHz → int16 at 16 kHz", who, work, at_least={"audioop": 2})


def numpy_and_soxr(block: np.ndarray) -> Callable[[], Any]:
    """What many clients do, with the state kept and the chunks cut."""
    stream = soxr.ResampleStream(48000, 16000, 1, dtype="float32", quality="HQ")
    held = bytearray()

    def work() -> list[bytes]:
        mono = stream.resample_chunk(block.mean(axis=1))
        held.extend((np.clip(mono, -1, 1) * 32767).astype(np.int16).tobytes())
        chunks = []
        while len(held) >= 3200:
            chunks.append(bytes(held[:3200]))
            del held[:3200]
        return chunks

    return work


def asrproto_capture(block: np.ndarray) -> Callable[[], Any]:
    encoder = AudioEncoder(rate_in=48000, channels_in=2, dtype_in="float32")
    return lambda: encoder.push(block)


@pytest.mark.parametrize("who", ["asrproto", "numpy and soxr"])
def test_capture(contest: Callable[..., Any], who: str) -> None:
    block = noise(2 * 960).reshape(-1, 2)
    work = {"asrproto": asrproto_capture, "numpy and soxr": numpy_and_soxr}[who](block)
    contest("20 ms of 48 kHz stereo float32 → 16 kHz mono int16 chunks", who, work, at_least={"numpy and soxr": 5})
