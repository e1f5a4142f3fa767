"""The whole way from a microphone's blocks to signed frames, one second of audio at a time; see `benchmarks.chains`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import chains

SECOND = chains.blocks(1.0)


@pytest.fixture(params=chains.CHAINS)
def who(request: pytest.FixtureRequest) -> str:
    if "soxr" in request.param:
        pytest.importorskip("soxr")
        pytest.importorskip("amazon_transcribe")
    return str(request.param)


def one_second(chain: chains.Chain) -> Callable[[], int]:
    def run() -> int:
        return sum(len(chain(block)) for block in SECOND)

    return run


def test_each_second_becomes_ten_signed_frames(who: str) -> None:
    second = one_second(chains.CHAINS[who]())
    assert sum(second() for _ in range(5)) in (49, 50)  # the resampler's delay may hold the last one back
    chain = chains.CHAINS[who]()
    frames = [frame for _ in range(2) for block in SECOND for frame in chain(block)]
    for frame in frames:
        assert struct.unpack(">I", frame[:4])[0] == len(frame) > chains.CHUNK_BYTES
        assert b":chunk-signature" in frame
        assert b"AudioEvent" in frame


def test_chain(contest: Any, who: str) -> None:
    contest("1 s of 48 kHz stereo in 20 ms blocks to signed Transcribe frames", who, one_second(chains.CHAINS[who]()))


@pytest.mark.parametrize("quality", ["fast", "medium", "best"])
def test_qualities(contest: Any, quality: str) -> None:
    contest(f"the same at quality {quality}", "asrproto", one_second(chains.asrproto_chain(quality=quality)))


def test_plain_frames(contest: Any) -> None:
    contest("the same, frames not signed", "asrproto", one_second(chains.asrproto_chain(signed=False)))
