"""The probe against recordings that ffmpeg 9.0 made (half a second of goforward.wav), and against garbage.

    ffmpeg -t 0.5 -i goforward.wav -ar 16000 -ac 1 -b:a 32k m16k.mp3
    ffmpeg -t 0.5 -i goforward.wav -ar 44100 -ac 2 -f adts -b:a 32k s44k.aac    (and so on)
"""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.audio.containers import Recording, probe

DATA = Path(__file__).parent / "data"


def wav(rate: int = 16000, channels: int = 1, width: int = 2, frames: int = 16000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(bytes(width * channels * frames))
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "rate", "channels", "samples"), [
    # frames as ffprobe counts them; each is 576 samples (MPEG-2), 1152 (MPEG-1) or 1024 (AAC)
    ("m16k.mp3", 16000, 1, 576), ("s44k.mp3", 44100, 2, 1152),
    ("m16k.aac", 16000, 1, 1024), ("s44k.aac", 44100, 2, 1024),
])
def test_ffmpegs_files(name: str, rate: int, channels: int, samples: int) -> None:
    data = (DATA / name).read_bytes()
    found = probe(data)
    assert found is not None
    assert (found.container, found.rate, found.channels) == (name[-3:], rate, channels)
    frames = found.seconds * rate / samples
    assert frames == pytest.approx(round(frames))
    assert 0.5 <= found.seconds <= 0.5 + 4 * samples / rate  # an encoder pads, and MP3 has a frame of information
    cut = probe(data[:-10])  # the walk looks at headers, and the last one is still there
    assert cut == found
    if not data.startswith(b"ID3"):
        assert probe(b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128) + data) == found


@given(st.integers(1, 192000), st.integers(1, 8), st.integers(1, 4), st.integers(0, 300))
def test_wav(rate: int, channels: int, width: int, frames: int) -> None:
    found = probe(wav(rate, channels, width, frames))
    assert found == Recording("wav", rate, channels, 8 * width, True, frames / rate)


def test_wav_variants() -> None:
    data = wav(frames=1600)
    for size in (0, 0xFFFFFFFF, 1 << 30):  # streamed: the size was not known, or is a lie
        assert probe(data[:40] + struct.pack("<I", size) + data[44:]).seconds == 0.1
    extra = data[:12] + b"LIST\x03\x00\x00\x00abc\x00" + data[12:]  # an odd chunk is padded
    assert probe(extra) == probe(data)
    ulaw = data[:20] + b"\x07\x00" + data[22:]
    assert probe(ulaw).is_pcm is False
    guid = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    head = data[:16] + struct.pack("<IH", 40, 0xFFFE) + data[22:36]
    assert probe(head + struct.pack("<HHI", 22, 16, 4) + guid + data[36:]) == probe(data)
    for broken in (data[:12], data[:30], data[:36], data[:12] + data[36:], data[:32] + b"\0\0" + data[34:]):
        found = probe(broken)
        assert found.container == "wav"
        assert found.seconds is None


@pytest.mark.parametrize(("start", "container"), [
    ("664c614300000022", "flac"), ("4f67675300020000", "ogg"), ("1a45dfa39f428681", "webm"),
    ("0000001c667479704d344120", "m4a"), ("49443304000000000001000000", "mp3"),
])
def test_other_containers(start: str, container: str) -> None:
    assert probe(bytes.fromhex(start)) == Recording(container)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF....AVI LIST", b"hello world", b"\xff" * 50, bytes(50),
                                  b"\xff\xfb\xf0\xff", b"<html>"])
def test_nothing_known(data: bytes) -> None:
    assert probe(data) is None


@given(st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", b"\xff\xf1", b"\xff\xfb", b"ID3"]),
       st.binary())
def test_any_bytes(start: bytes, rest: bytes) -> None:
    found = probe(bytearray(start + rest))
    assert found is None or found.seconds is None or found.seconds >= 0


def test_a_minute_of_silence_is_walked_at_once() -> None:
    frame = bytes.fromhex("fff14c4000fffc")  # ADTS, LC, 48 kHz, mono, 7 bytes
    found = probe(frame * 100_000)
    assert found == Recording("aac", 48000, 1, seconds=100_000 * 1024 / 48000)
