"""Sample conversion against exact references: every int16, every rounding boundary, every byte of G.711."""

from __future__ import annotations

import math
import struct
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto import LocalProtocolError
from asrproto.audio import (
    alaw_to_int16,
    deinterleave,
    float_to_int16,
    int16_to_alaw,
    int16_to_float,
    int16_to_ulaw,
    interleave,
    pcm_to_float,
    pcm_to_int16,
    pick_channel,
    to_mono,
    ulaw_to_int16,
)
from asrproto.audio.pcm import SAMPLE_FORMATS

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    audioop = pytest.importorskip("audioop")

EVERY_INT16 = np.arange(-32768, 32768, dtype=np.int16)


def exactly(x: float, scaling: str) -> int:
    """The rules themselves: one in rational numbers, the other in the doubles that a browser computes with."""
    if math.isnan(x):
        return 0
    if math.isinf(x):
        return 32767 if x > 0 else -32768
    if scaling == "full":
        return max(-32768, min(32767, round(Fraction(x) * 32768)))  # round() is half to even
    return math.trunc(max(-32768.0, min(32767.0, x * (32768 if x < 0 else 32767))))


def around(centre: np.ndarray, dtype: type, steps: int = 3) -> np.ndarray:
    """Each value and its nearest neighbours."""
    values = [centre.astype(dtype)]
    up = down = values[0]
    for _ in range(steps):
        up, down = np.nextafter(up, dtype(np.inf)), np.nextafter(down, dtype(-np.inf))
        values += [up, down]
    return np.unique(np.concatenate(values))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaling", ["full", "asymmetric"])
def test_every_rounding_boundary(scaling: str, dtype: type) -> None:
    halves = np.arange(-65540, 65541) / 2 / 32768
    if scaling == "asymmetric":
        halves = np.concatenate([np.arange(-32770, 1) / 32768, np.arange(0, 32770) / 32767])
    samples = around(halves, dtype, 2)
    wanted = np.array([exactly(x, scaling) for x in samples.tolist()], dtype=np.int16)
    assert np.array_equal(float_to_int16(samples, scaling=scaling), wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaling", ["full", "asymmetric"])
def test_what_is_no_sample(scaling: str, dtype: type) -> None:
    tiny, huge = np.finfo(dtype).tiny, np.finfo(dtype).max
    samples = np.array([np.nan, -np.nan, np.inf, -np.inf, 1, -1, 0.0, -0.0, tiny, -tiny, huge, -huge, 2, -2], dtype)
    wanted = [exactly(x, scaling) for x in samples.tolist()]
    for shift in range(9):  # in every place of a vector, and in the tail
        padded = np.concatenate([np.zeros(shift, dtype), samples, np.zeros(7, dtype)])
        assert float_to_int16(padded, scaling=scaling).tolist() == [0] * shift + wanted + [0] * 7  # type: ignore[arg-type]


@given(st.lists(st.floats(width=32)), st.sampled_from(["full", "asymmetric"]))
def test_any_float(values: list[float], scaling: str) -> None:
    found = float_to_int16(np.array(values, np.float32), scaling=scaling)  # type: ignore[arg-type]
    assert found.tolist() == [exactly(x, scaling) for x in values]
    found = float_to_int16(np.array(values, np.float64), scaling=scaling)  # type: ignore[arg-type]
    assert found.tolist() == [exactly(x, scaling) for x in values]


def test_every_int16_comes_back() -> None:
    floats = int16_to_float(EVERY_INT16)
    assert floats.dtype == np.float32
    assert np.array_equal(floats.astype(np.float64), EVERY_INT16 / 32768.0)
    assert np.array_equal(float_to_int16(floats), EVERY_INT16)
    assert np.array_equal(float_to_int16(floats.astype(np.float64)), EVERY_INT16)


@given(st.integers(0, 200), st.integers(1, 4), st.booleans(), st.sampled_from([np.float32, np.float64, ">f4", ">f8"]))
def test_any_strides_and_byte_order(frames: int, step: int, fortran: bool, dtype: object) -> None:
    base = np.random.default_rng(frames).uniform(-1.2, 1.2, (frames * step, 3)).astype(dtype)  # type: ignore[arg-type]
    samples = base[::-step, ::2]
    if fortran:
        samples = np.asfortranarray(samples)
    native = np.dtype(dtype).newbyteorder("=")  # type: ignore[call-overload]
    wanted = float_to_int16(np.ascontiguousarray(samples, dtype=native))
    assert np.array_equal(float_to_int16(samples), wanted)
    out = np.full((samples.shape[0] * 2, 4), 7, np.int16)
    target = out[::2, ::2]
    assert float_to_int16(samples, out=target) is target
    assert np.array_equal(target, wanted)
    assert (out[1::2] == 7).all()
    assert np.array_equal(int16_to_float(out[::2, ::2]), int16_to_float(wanted))
    floats = np.zeros((2, *wanted.shape), np.float32)[1]
    assert int16_to_float(wanted.astype(">i2"), out=floats) is floats
    assert np.array_equal(floats, int16_to_float(wanted))


def test_out_may_be_the_same_memory() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    wanted = float_to_int16(samples)
    memory = samples.copy()
    assert np.array_equal(float_to_int16(memory[::2], out=memory.view(np.int16)[:2500]), wanted[::2])


@pytest.mark.parametrize(("samples", "options", "error", "says"), [
    (np.zeros(3, np.int16), {}, TypeError, "samples must be float32 or float64"),
    (np.zeros(3, np.float16), {}, TypeError, "samples"),
    (np.zeros(3, np.complex64), {}, TypeError, "samples"),
    (["a"], {}, TypeError, "samples"), (None, {}, TypeError, "samples"),
    (np.zeros(3), {"scaling": "half"}, LocalProtocolError, "scaling="),
    (np.zeros(3), {"out": np.zeros(3, np.int32)}, TypeError, "out"),
    (np.zeros(3), {"out": [0, 0, 0]}, TypeError, "out"),
    (np.zeros(3), {"out": np.zeros(4, np.int16)}, LocalProtocolError, "out"),
    (np.zeros((2, 2)), {"out": np.zeros(4, np.int16)}, LocalProtocolError, "out"),
    (np.zeros(1), {"out": np.frombuffer(b"ab", np.int16)}, LocalProtocolError, "read-only"),
])
def test_wrong_use(samples: object, options: dict[str, object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        float_to_int16(samples, **options)  # type: ignore[arg-type]


def test_lists_and_scalars() -> None:
    assert float_to_int16([0.5, -1.0]).tolist() == [16384, -32768]
    assert float_to_int16(np.float32(0.25)).tolist() == 8192
    with pytest.raises(TypeError, match="samples must be int16"):
        int16_to_float(np.zeros(3, np.int32))


REFERENCE = {  # one sample -> the exact fraction of full scale
    "u8": lambda b: Fraction(b[0] - 128, 128),
    "s16le": lambda b: Fraction(int.from_bytes(b, "little", signed=True), 2**15),
    "s16be": lambda b: Fraction(int.from_bytes(b, "big", signed=True), 2**15),
    "s24le": lambda b: Fraction(int.from_bytes(b, "little", signed=True), 2**23),
    "s24be": lambda b: Fraction(int.from_bytes(b, "big", signed=True), 2**23),
    "s32le": lambda b: Fraction(int.from_bytes(b, "little", signed=True), 2**31),
    "s32be": lambda b: Fraction(int.from_bytes(b, "big", signed=True), 2**31),
    "f32le": lambda b: struct.unpack("<f", b)[0], "f32be": lambda b: struct.unpack(">f", b)[0],
    "f64le": lambda b: struct.unpack("<d", b)[0], "f64be": lambda b: struct.unpack(">d", b)[0],
}


@pytest.mark.parametrize("name", REFERENCE)
@given(data=st.data(), shift=st.integers(0, 3))
def test_raw_formats(name: str, data: st.DataObject, shift: int) -> None:
    width = SAMPLE_FORMATS[name]
    raw = data.draw(st.binary(max_size=40 * width))
    raw = raw[:len(raw) // width * width]
    exact = [REFERENCE[name](raw[at:at + width]) for at in range(0, len(raw), width)]
    view = memoryview(bytes(shift) + raw)[shift:]
    with np.errstate(over="ignore"):
        floats = np.array([np.float32(float(x)) for x in exact], np.float32)
    assert np.array_equal(pcm_to_float(view, name), floats, equal_nan=True)
    rounded = [max(-32768, min(32767, round(x * 32768))) if isinstance(x, Fraction) else exactly(x, "full")
               for x in exact]
    assert pcm_to_int16(view, name).tolist() == rounded


def test_every_byte_and_every_boundary_of_wider_integers() -> None:
    assert pcm_to_int16(bytes(range(256)), "u8").tolist() == [256 * (x - 128) for x in range(256)]
    steps = (-32769, -32768, -32767, 0, 32768)
    wide = np.concatenate([np.arange(-32768, 32768, dtype=np.int64) * 65536 + step for step in steps])
    wide = wide[(wide >= -2**31) & (wide < 2**31)].astype("<i4")
    wanted = np.clip(np.rint(wide / 65536), -32768, 32767)  # exact in float64, and rint is half to even
    assert np.array_equal(pcm_to_int16(wide, "s32le"), wanted)
    assert np.array_equal(pcm_to_int16(wide.astype(">i4"), "s32be"), wanted)
    assert np.array_equal(pcm_to_float(wide, "s32le"), (wide / 2**31).astype(np.float32))


def test_raw_formats_wrong_use() -> None:
    with pytest.raises(LocalProtocolError, match="data of 5 bytes"):
        pcm_to_int16(b"12345", "s16le")
    with pytest.raises(LocalProtocolError, match="sample_format="):
        pcm_to_float(b"", "s12le")
    with pytest.raises(TypeError):
        pcm_to_float("text", "u8")


def test_g711_decoding_is_audioops() -> None:
    every = bytes(range(256))
    assert ulaw_to_int16(every).tobytes() == audioop.ulaw2lin(every, 2)
    assert alaw_to_int16(every).tobytes() == audioop.alaw2lin(every, 2)


def test_g711_encoding_is_audioops() -> None:
    raw = EVERY_INT16.tobytes()
    for encode, decode, reference in ((int16_to_ulaw, ulaw_to_int16, audioop.lin2ulaw),
                                      (int16_to_alaw, alaw_to_int16, audioop.lin2alaw)):
        wanted = reference(raw, 2)
        assert encode(EVERY_INT16) == encode(raw) == encode(EVERY_INT16.astype(">i2")) == wanted
        assert encode(np.repeat(EVERY_INT16, 2)[::2]) == wanted
        again = encode(decode(bytes(range(256))))
        assert {a: b for a, b in enumerate(again) if a != b} in ({}, {0x7F: 0xFF})  # µ-law has two zeros
        with pytest.raises(TypeError, match="samples must be int16"):
            encode(np.zeros(3, np.float32))


@given(st.integers(0, 30), st.integers(1, 7), st.integers(0, 5))
def test_channels(frames: int, channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    floats = rng.uniform(-1, 1, (frames, channels)).astype(np.float32)
    total = floats[:, 0].copy()
    for channel in range(1, channels):
        total += floats[:, channel]
    assert np.array_equal(to_mono(floats), total / np.float32(channels))
    assert to_mono(floats).dtype == np.float32
    integers = rng.integers(-32768, 32768, (frames, channels)).astype(np.int16)
    wanted = [round(Fraction(sum(row), channels)) for row in integers.tolist()]
    assert to_mono(integers).tolist() == wanted
    assert to_mono(integers).dtype == np.int16
    assert np.array_equal(interleave(deinterleave(integers)) if channels else integers, integers)
    assert all(np.array_equal(a, b) for a, b in zip(deinterleave(integers.ravel(), channels), integers.T, strict=True))
    for channel in range(channels):
        assert np.array_equal(pick_channel(integers, channel), integers[:, channel])


def test_channels_wrong_use() -> None:
    for call in (lambda: pick_channel(np.zeros((3, 2)), 2), lambda: pick_channel(np.zeros(3), -1),
                 lambda: interleave([]), lambda: interleave([np.zeros(3), np.zeros(2)]),
                 lambda: deinterleave(np.zeros(5), 2), lambda: deinterleave(np.zeros(5)),
                 lambda: to_mono(np.zeros((2, 2, 2))), lambda: to_mono(np.zeros((2, 0)))):
        with pytest.raises(LocalProtocolError, match=r"channel|samples"):
            call()
    with pytest.raises(TypeError, match="samples"):
        to_mono(np.zeros((2, 2), complex))
    assert to_mono(np.zeros(4)).shape == (4,)
