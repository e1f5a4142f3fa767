"""JSON of peers: whatever the bytes, a value or MalformedFrame."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto._json import check_shape, read_json
from asrproto.errors import MalformedFrame


class Shape(msgspec.Struct):
    code: str
    seconds: float | None = None
    parts: list[str] = []


BAD = [b"", b"{", b"<html>", b"\xff", b'"\xff"', b'"\xed\xa0\x80"', "\ud800", b"[" * 100_000,
       b"[" * 100_000 + b"]" * 100_000, b"nan", b"1" * 5000, b"{'a': 1}", b"\xef\xbb\xbf{}"]


@pytest.mark.parametrize("data", BAD, ids=lambda data: repr(data[:12]))
def test_not_json(data: bytes | str) -> None:
    with pytest.raises(MalformedFrame, match="the reply is not JSON") as caught:
        read_json(data, what="the reply")
    assert caught.value.reason == "not-json"


@given(st.binary() | st.text())
def test_any_input(data: bytes | str) -> None:
    with contextlib.suppress(MalformedFrame):
        check_shape(read_json(data), Shape)


def test_shape() -> None:
    assert check_shape(read_json('{"code": "0", "seconds": "1.5", "more": 1}'), Shape) == Shape("0", 1.5)
    for document in ([], None, "x", {}, {"code": 1}, {"code": "0", "seconds": "soon"}, {"code": "0", "parts": [1]}):
        with pytest.raises(MalformedFrame) as caught:
            check_shape(document, Shape)
        assert caught.value.reason == "wrong-shape"
