"""AudioEncoder: the same as its parts one after the other, however the input is cut."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrproto import LocalProtocolError
from asrproto.audio import (
    AudioEncoder,
    float_to_int16,
    int16_to_alaw,
    int16_to_ulaw,
    pcm_to_float,
    pick_channel,
    resample,
    to_mono,
)
from asrproto.audio.pcm import SAMPLE_FORMATS

DTYPES = {"u8": "u1", "s16le": "<i2", "s16be": ">i2", "s32le": "<i4", "s32be": ">i4",
          "f32le": "<f4", "f32be": ">f4", "f64le": "<f8", "f64be": ">f8"}


def capture(sample_format: str, frames: int, channels: int, seed: int = 0) -> bytes:
    """Noise at about half of full scale, as raw interleaved samples."""
    rng = np.random.default_rng(seed)
    if "f" in sample_format:
        samples = rng.uniform(-1.1, 1.1, (frames, channels))
        return samples.astype(DTYPES[sample_format]).tobytes()
    return rng.bytes(frames * channels * SAMPLE_FORMATS[sample_format])


def by_parts(raw: bytes, sample_format: str, channels: int, rate_in: int, rate_out: int, quality: str = "high",
             channel: int | None = None) -> np.ndarray:
    floats = pcm_to_float(raw, sample_format).reshape(-1, channels)
    mono = to_mono(floats) if channel is None else pick_channel(floats, channel)
    return float_to_int16(resample(mono, rate_in, rate_out, quality=quality))


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 64])
@pytest.mark.parametrize("sample_format", SAMPLE_FORMATS)
def test_same_as_its_parts(sample_format: str, channels: int) -> None:
    raw = capture(sample_format, 3000, channels)
    encoder = AudioEncoder(rate_in=44100, channels_in=channels, dtype_in=sample_format)
    wire = b"".join(encoder.push(raw) + encoder.flush())
    assert wire == by_parts(raw, sample_format, channels, 44100, 16000).tobytes()


@pytest.mark.parametrize(("encoding", "law"), [("ulaw", int16_to_ulaw), ("pcm_mulaw", int16_to_ulaw),
                                               ("alaw", int16_to_alaw), ("pcm_alaw", int16_to_alaw)])
def test_telephony(encoding: str, law: object) -> None:
    raw = capture("f32le", 4800, 1)
    encoder = AudioEncoder(rate_in=48000, dtype_in=np.float32, rate_out=8000, encoding=encoding, chunk_ms=20)
    chunks = encoder.push(raw) + encoder.flush()
    assert b"".join(chunks) == law(by_parts(raw, "f32le", 1, 48000, 8000))  # type: ignore[operator]
    assert [len(chunk) for chunk in chunks] == [160] * 5


@settings(max_examples=60)
@given(st.data())
def test_any_cut_even_within_a_sample(data: st.DataObject) -> None:
    sample_format = data.draw(st.sampled_from(["f32le", "s24le", "s16be", "u8", "ulaw"]))
    channels = data.draw(st.integers(1, 3))
    rate_in = data.draw(st.sampled_from([48000, 44100, 16000, 8000, 11025]))
    channel = data.draw(st.none() | st.integers(0, channels - 1))
    raw = capture(sample_format, data.draw(st.integers(0, 2000)), channels)
    encoder = AudioEncoder(rate_in=rate_in, channels_in=channels, dtype_in=sample_format, chunk_ms=10, channel=channel)
    chunks, at = [], 0
    while at < len(raw):
        size = data.draw(st.integers(1, 5) | st.integers(1, len(raw)))
        block = raw[at:at + size]
        chunks += encoder.push(data.draw(st.sampled_from([bytes, bytearray, memoryview]))(block))
        if data.draw(st.booleans()):
            encoder = pickle.loads(pickle.dumps(encoder))
        at += size
    assert all(len(chunk) == 320 for chunk in chunks)
    chunks += encoder.flush()
    assert b"".join(chunks) == by_parts(raw, sample_format, channels, rate_in, 16000, channel=channel).tobytes()
    assert all(len(chunk) == 320 for chunk in chunks[:-1])


@pytest.mark.parametrize("sample_format", DTYPES)
def test_arrays_as_they_come(sample_format: str) -> None:
    """Any strides, Fortran order, read-only, one and two dimensions."""
    raw = capture(sample_format, 1000, 2)
    array = np.frombuffer(raw, DTYPES[sample_format]).reshape(-1, 2)
    assert not array.flags.writeable
    wide = np.zeros((2000, 4), array.dtype)
    wide[::2, ::2] = array
    want = by_parts(raw, sample_format, 2, 32000, 16000).tobytes()
    for block in (array, np.asfortranarray(array), wide[::2, ::2]):
        encoder = AudioEncoder(rate_in=32000, channels_in=2, dtype_in=array.dtype)
        assert b"".join(encoder.push(block) + encoder.flush()) == want
    mono = AudioEncoder(rate_in=32000, dtype_in=array.dtype)
    flat = b"".join(mono.push(wide[::2, 0]) + mono.flush())
    column = AudioEncoder(rate_in=32000, dtype_in=array.dtype)
    assert b"".join(column.push(wide[::2, :1]) + column.flush()) == flat


def test_a_second_stream() -> None:
    raw = capture("s16le", 5000, 1)
    encoder = AudioEncoder(rate_in=24000, dtype_in="int16")
    first = encoder.push(raw) + encoder.flush()
    with pytest.raises(LocalProtocolError, match="flushed"):
        encoder.push(raw)
    with pytest.raises(LocalProtocolError, match="flushed"):
        encoder.flush()
    encoder.reset()
    assert encoder.push(raw) + encoder.flush() == first


def test_nothing_in_nothing_out() -> None:
    encoder = AudioEncoder(rate_in=48000, channels_in=2, dtype_in="float32")
    assert encoder.push(np.zeros((0, 2), np.float32)) == []
    assert encoder.push(b"") == []
    assert encoder.flush() == []


@pytest.mark.parametrize(("options", "names"), [
    ({"rate_in": 0}, "rate_in"), ({"rate_in": -8000}, "rate_in"), ({"rate_in": 10**9}, "rate_in"),
    ({"rate_in": "48k"}, "rate_in"), ({"rate_in": 44100.5}, "rate_in"), ({"rate_out": 3999}, "rate_out"),
    ({"channels_in": 0}, "channels_in"), ({"channels_in": 65}, "channels_in"), ({"channel": 1}, "channel"),
    ({"dtype_in": "complex64"}, "dtype_in"), ({"dtype_in": "mp3"}, "dtype_in"), ({"dtype_in": None}, "dtype_in"),
    ({"encoding": "flac"}, "encoding"), ({"chunk_ms": 0}, "chunk_ms"), ({"chunk_ms": 0.1}, "chunk_ms"),
    ({"chunk_ms": float("nan")}, "chunk_ms"), ({"chunk_ms": 1e9}, "chunk_ms"), ({"quality": "ultra"}, "quality"),
])
def test_wrong_options(options: dict[str, object], names: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"^{names}="):
        AudioEncoder(**{"rate_in": 48000, "dtype_in": "float32", **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(("samples", "error", "says"), [
    (np.zeros((10, 3), np.float32), LocalProtocolError, "samples"),
    (np.zeros(10, np.float32), LocalProtocolError, "samples"),
    (np.zeros((2, 2, 2), np.float32), LocalProtocolError, "samples"),
    (np.float32(1), LocalProtocolError, "samples"),
    (np.zeros((10, 2), np.int16), TypeError, "samples must be float32, not int16"),
    (["a", "b"], TypeError, "samples"),
    (None, TypeError, "samples"),
])
def test_wrong_samples(samples: object, error: type[Exception], says: str) -> None:
    encoder = AudioEncoder(rate_in=48000, channels_in=2, dtype_in="float32")
    with pytest.raises(error, match=says):
        encoder.push(samples)
    block = np.ones((4800, 2), np.float32)
    wire = b"".join(encoder.push(block) + encoder.flush())
    assert wire == by_parts(block.tobytes(), "f32le", 2, 48000, 16000).tobytes()
