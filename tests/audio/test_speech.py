"""End to end: real speech, brought to what a sound card gives and back through the encoder, is still the same words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asrproto.audio import AudioEncoder, int16_to_float, interleave, pcm_to_int16, resample, wav

pytest.importorskip("pocketsphinx")
from asrproto.testing.sphinx import SphinxRecogniser

RECORDINGS = ["goforward.wav", "librivox-austen-0920.wav", "librivox-austen-0930.wav"]


def words(pcm: bytes) -> list[str]:
    recogniser = SphinxRecogniser()
    recogniser.accept(pcm)
    return [word.text for word in recogniser.finish()]


@pytest.fixture(scope="module")
def originals(speech: Path) -> dict[str, tuple[bytes, list[str]]]:
    found = {}
    for name in RECORDINGS:
        described, pcm = wav.decode((speech / name).read_bytes())
        assert (described.rate, described.channels, described.sample_format) == (16000, 1, "s16le")
        found[name] = pcm, words(pcm)
    return found


@pytest.mark.parametrize("rate", [48000, 44100])
@pytest.mark.parametrize("name", RECORDINGS)
def test_the_same_words(originals: dict[str, tuple[bytes, list[str]]], name: str, rate: int) -> None:
    pcm, wanted = originals[name]
    assert wanted
    high = resample(int16_to_float(pcm_to_int16(pcm, "s16le")), 16000, rate, quality="best")
    captured = interleave([high, high])
    encoder = AudioEncoder(rate_in=rate, channels_in=2, dtype_in="float32")
    chunks = []
    for at in range(0, len(captured), rate // 100):
        chunks += encoder.push(captured[at:at + rate // 100])
    chunks += encoder.flush()
    back = b"".join(chunks)
    assert abs(len(back) - len(pcm)) <= 2
    difference = np.frombuffer(back, "<i2")[:len(pcm) // 2].astype(int) - np.frombuffer(pcm, "<i2")[:len(back) // 2]
    assert np.sqrt(np.mean(difference**2)) < 0.02 * np.sqrt(np.mean(np.frombuffer(pcm, "<i2").astype(float) ** 2))
    assert words(back) == wanted
