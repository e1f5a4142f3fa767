"""Chunks of one size out of pieces of any size."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto._chunks import Chunker

pieces = st.lists(st.binary(max_size=50))


@given(pieces, st.integers(1, 20))
def test_whole_chunks_and_nothing_lost(data: list[bytes], size: int) -> None:
    chunker = Chunker(size)
    chunks = [chunk for piece in data for chunk in chunker.push(piece)]
    assert {len(chunk) for chunk in chunks} <= {size}
    assert chunker.pending < size
    assert b"".join(chunks + chunker.flush()) == b"".join(data)
    assert chunker.pending == 0
    assert chunker.flush() == []


@given(pieces, st.integers(1, 20))
def test_eager_holds_nothing_back(data: list[bytes], size: int) -> None:
    chunker = Chunker(size, eager=True)
    for piece in data:
        chunks = chunker.push(piece)
        assert b"".join(chunks) == piece
        assert all(0 < len(chunk) <= size for chunk in chunks)
        assert chunker.pending == 0


def test_any_buffer() -> None:
    samples = np.arange(6, dtype=np.int16).reshape(3, 2)
    data = samples.tobytes()
    for spelling in (data, bytearray(data), memoryview(samples), samples, np.asfortranarray(samples)):
        assert Chunker(12).push(spelling) == [data]
    assert Chunker(2).push(samples[:0]) == []
    assert Chunker(4).push(samples[:, 1]) == [samples[:2, 1].tobytes()]


def test_floats_are_not_taken_for_encoded_audio() -> None:
    for dtype in (np.float16, np.float32, np.float64, ">f4"):
        with pytest.raises(TypeError, match="AudioEncoder"):
            Chunker(4).push(np.zeros(4, dtype))
    with pytest.raises(TypeError):
        Chunker(4).push("abc")  # type: ignore[arg-type]


def test_pickle() -> None:
    chunker = Chunker(4)
    chunker.push(b"abcdef")
    assert pickle.loads(pickle.dumps(chunker)).push(b"gh") == [b"efgh"]
