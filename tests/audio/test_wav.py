"""WAV headers and the decoder: fields by hand, and the standard library's `wave`."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto import LocalProtocolError, MalformedFrame, RemoteProtocolError, TruncatedFrame
from asrproto.audio import AudioEncoder, PcmFramer, wav
from asrproto.audio.pcm import SAMPLE_FORMATS

DS64 = b"ds64", struct.pack("<QQQI", 90, 6, 3, 0)
FORMATS = ["u8", "s16le", "s24le", "s32le", "f32le", "f64le", "ulaw", "alaw"]


def riff(*chunks: tuple[bytes, bytes], kind: bytes = b"RIFF", size: int | None = None) -> bytes:
    """A file of chunks, padded as they should be."""
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return kind + struct.pack("<I", 4 + len(body) if size is None else size) + b"WAVE" + body


def fmt(tag: int = 1, channels: int = 1, rate: int = 16000, bits: int = 16, frame: int | None = None,
        tail: bytes = b"") -> tuple[bytes, bytes]:
    frame = channels * bits // 8 if frame is None else frame
    return b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits) + tail


def extensible(tag: int, bits: int, valid: int, guid: str = "000000001000800000aa00389b71") -> tuple[bytes, bytes]:
    tail = struct.pack("<HHIH", 22, valid, 3, tag) + bytes.fromhex(guid)
    return fmt(0xFFFE, 2, 48000, bits, tail=tail)


def read(data: bytes, size: int = 1 << 30) -> tuple[wav.WavFormat | None, bytes]:
    decoder = wav.WavDecoder()
    samples = b"".join(decoder.feed(data[at:at + size]) for at in range(0, len(data), size))
    decoder.close()
    return decoder.format, samples


def test_the_canonical_44_bytes() -> None:
    # http://soundfile.sapp.org/doc/WaveFormat/: its example's fields, at 22050 Hz, stereo, 2048 bytes of samples
    assert wav.header(rate=22050, channels=2, data_size=2048) == bytes.fromhex(
        "524946462408000057415645666d742010000000010002002256000088580100040010006461746100080000")


@pytest.mark.parametrize("channels", [1, 2])
def test_the_standard_library_reads_it(channels: int) -> None:
    samples = bytes(range(240)) * channels
    with wave.open(io.BytesIO(wav.header(rate=16000, channels=channels, data_size=len(samples)) + samples)) as file:
        assert file.getparams()[:4] == (channels, 2, 16000, 120)
        assert file.readframes(1000) == samples


@given(st.sampled_from(FORMATS), st.integers(1, 8), st.integers(1, 384000), st.binary(max_size=600),
       st.sampled_from([None, False, True]), st.booleans(), st.integers(1, 64))
def test_round_trip(name: str, channels: int, rate: int, data: bytes, extended: bool | None, known: bool,
                    size: int) -> None:
    frame = channels * SAMPLE_FORMATS[name]
    data = data[:len(data) // frame * frame]
    head = wav.header(rate=rate, channels=channels, sample_format=name, data_size=len(data) if known else None,
                      extensible=extended)
    described, samples = read(head + data, size)
    assert described is not None
    assert (described.rate, described.channels, described.sample_format) == (rate, channels, name)
    assert described.frames == (len(data) // frame if known else None)
    assert described.frame_bytes == frame
    assert samples == data
    if known:
        assert struct.unpack("<I", head[4:8])[0] == len(head) - 8 + len(data) + len(data) % 2


def test_rf64() -> None:
    size = 5 * 2**30
    head = wav.header(rate=48000, channels=2, data_size=size)
    assert head[:4] == b"RF64"
    assert head[4:8] == b"\xff" * 4 == head[-4:]
    assert struct.unpack("<QQQ", head[20:44]) == (len(head) - 8 + size, size, size // 4)
    decoder = wav.WavDecoder()
    assert decoder.feed(head + b"abcd") == b"abcd"
    assert decoder.format is not None
    assert decoder.format.frames == size // 4
    with pytest.raises(TruncatedFrame, match="missing"):
        decoder.close()


@pytest.mark.parametrize(("options", "name"), [
    ({"rate": 0}, "rate"), ({"channels": 0}, "channels"), ({"channels": 70000}, "channels"),
    ({"sample_format": "s16be"}, "sample_format"), ({"sample_format": "mp3"}, "sample_format"),
    ({"data_size": -2}, "data_size"), ({"data_size": 3}, "data_size"), ({"rate": 2**31, "channels": 2}, "channels"),
])
def test_wrong_options(options: dict[str, object], name: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"^{name}="):
        wav.header(**{"rate": 16000, "channels": 1, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("file", [
    riff(fmt(), (b"data", b"abcdef")),
    riff((b"LIST", b"odd"), fmt(), (b"fact", b"\3\0\0\0"), (b"data", b"abcdef"), (b"LIST", b"after")),
    riff((b"JUNK", b"x" * 70001), fmt(tail=b"\0\0"), (b"data", b"abcdef")) + b"junk after the data",
    riff(fmt(tail=b"\0" * 301), (b"data", b"abcdef")),
    riff(fmt(), (b"data", b"abcdef"), size=0),
    riff(fmt(), (b"data", b"abcdef"), size=7),
    riff(fmt(), size=0xFFFFFFFF) + b"data\xff\xff\xff\xffabcdef",
    riff(fmt(), size=0x7FFFF024) + b"data\0\xf0\xff\x7fabcdef",
    riff(fmt(), size=0) + b"data\0\0\0\0abcdef",
    riff(DS64, fmt(), kind=b"RF64", size=0xFFFFFFFF) + b"data\xff\xff\xff\xffabcdef",
    riff(DS64, fmt(), (b"data", b"abcdef"), kind=b"RF64", size=0xFFFFFFFF),
], ids=range(11))
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_what_is_met_in_the_wild(file: bytes, size: int) -> None:
    described, samples = read(file, size)
    assert described is not None
    assert (described.rate, described.channels, described.sample_format) == (16000, 1, "s16le")
    assert samples == b"abcdef"


@pytest.mark.parametrize(("chunk", "name"), [
    (fmt(1, 1, 8000, 8), "u8"), (fmt(1, 2, 8000, 24), "s24le"), (fmt(1, 1, 8000, 32), "s32le"),
    (fmt(1, 1, 8000, 12, 2), "s16le"), (fmt(3, 1, 8000, 64), "f64le"), (fmt(6, 1, 8000, 8), "alaw"),
    (fmt(7, 3, 8000, 8), "ulaw"), (extensible(1, 24, 20), "s24le"), (extensible(3, 32, 32), "f32le"),
])
def test_formats(chunk: tuple[bytes, bytes], name: str) -> None:
    described, _ = read(riff(chunk, (b"data", b"")))
    assert described is not None
    assert described.sample_format == name


def test_big_endian() -> None:
    body = struct.pack(">HHIIHH", 1, 1, 8000, 16000, 2, 16)
    file = b"RIFX\0\0\0\x28WAVEfmt \0\0\0\x10" + body + b"data\0\0\0\x04abcd"
    assert read(file) == (wav.WavFormat(8000, 1, "s16be", 2), b"abcd")


@pytest.mark.parametrize(("file", "reason"), [
    (b"OggS" + bytes(20), "not-wav"), (b"RIFF\0\0\0\0AVI " + bytes(20), "not-wav"), (b"fLaC" + bytes(40), "not-wav"),
    (riff((b"data", b"ab")), "data-before-fmt"), (riff((b"fmt ", bytes(14))), "fmt-size"),
    (riff(fmt(), fmt()), "duplicate-fmt"), (riff(fmt(channels=0)), "fmt-fields"), (riff(fmt(rate=0)), "fmt-fields"),
    (riff(fmt(frame=0)), "fmt-fields"), (riff(fmt(channels=2, frame=3)), "fmt-fields"),
    (riff(fmt(bits=40)), "fmt-fields"),
    (riff(fmt(3, bits=16)), "fmt-fields"), (riff(fmt(7, bits=16)), "fmt-fields"), (riff(fmt(2)), "unsupported-format"),
    (riff(fmt(0x55)), "unsupported-format"), (riff(fmt(0xFFFE)), "fmt-size"),
    (riff(extensible(1, 16, 24)), "unsupported-format"),
    (riff(extensible(1, 16, 16, "00" * 14)), "unsupported-format"), (riff(fmt(), (b"data", b"abc")), "data-size"),
    (riff(fmt(), kind=b"RF64") + b"data\xff\xff\xff\xff", "ds64"), (riff((b"ds64", bytes(28))), "ds64"),
    (riff((b"ds64", bytes(20)), kind=b"RF64"), "ds64"),
])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_refused(file: bytes, reason: str, size: int) -> None:
    decoder = wav.WavDecoder()
    pieces = [file[at:at + size] for at in range(0, len(file), size)]
    with pytest.raises(MalformedFrame) as caught:
        list(map(decoder.feed, pieces))
    assert caught.value.reason == reason
    assert caught.value.offset is not None
    for again in (lambda: decoder.feed(b"x"), decoder.close):
        with pytest.raises(MalformedFrame) as repeated:
            again()
        assert repeated.value is caught.value


@pytest.mark.parametrize(("file", "reason"), [
    (b"", "truncated-header"), (b"RIFF", "truncated-header"), (riff(fmt())[:-3], "truncated-header"),
    (riff(fmt(), (b"LIST", b"12345678"))[:-4], "truncated-header"),
    (riff(fmt(), (b"data", b"abcdef"))[:-1], "truncated-data"),
    (riff(fmt()) + b"data\xff\xff\xff\xffabc", "truncated-frame"),
])
def test_cut_short(file: bytes, reason: str) -> None:
    decoder = wav.WavDecoder()
    decoder.feed(file)
    with pytest.raises(TruncatedFrame) as caught:
        decoder.close()
    assert caught.value.reason == reason


@given(st.binary(max_size=80), st.integers(0, 43), st.integers(0, 255))
def test_any_bytes_are_read_or_refused(tail: bytes, at: int, value: int) -> None:
    file = bytearray(riff(fmt(), (b"data", b"abcdef")) + tail)
    file[at] = value
    whole, cut = wav.WavDecoder(), wav.WavDecoder()
    outcomes = []
    for decoder, size in ((whole, len(file)), (cut, 1)):
        samples = b""
        try:
            for start in range(0, len(file), size):
                samples += decoder.feed(file[start:start + size])
            decoder.close()
            outcomes.append((samples, decoder.format))
        except RemoteProtocolError as error:
            outcomes.append((error.reason, error.offset))
    assert outcomes[0] == outcomes[1]


def test_a_length_that_lies_costs_no_memory() -> None:
    decoder = wav.WavDecoder()
    decoder.feed(riff((b"fmt ", fmt()[1]))[:-24] + b"fmt \xff\xff\xff\x7f" + fmt()[1])
    assert len(decoder._held) < 300


def test_from_file_to_wire(speech: Path) -> None:
    file = (speech / "goforward.wav").read_bytes()
    described, samples = wav.decode(file)
    with wave.open(str(speech / "goforward.wav")) as reference:
        assert samples == reference.readframes(1 << 30)
    encoder = AudioEncoder(rate_in=described.rate, channels_in=described.channels, dtype_in=described.sample_format)
    assert b"".join(encoder.push(samples) + encoder.flush()) == samples


@given(st.binary(max_size=400), st.integers(1, 9), st.none() | st.integers(1, 9), st.data())
def test_framer(data: bytes, frame: int, chunk: int | None, draw: st.DataObject) -> None:
    framer = PcmFramer(frame, chunk_frames=chunk)
    pieces, at = [], 0
    while at < len(data):
        size = draw.draw(st.integers(1, 60))
        pieces += framer.push(data[at:at + size])
        at += size
    assert all(len(piece) == frame * chunk if chunk else len(piece) % frame == 0 for piece in pieces)
    assert framer.pending < frame * (chunk or 1)
    assert b"".join(pieces) + framer.flush() == data
    assert framer.pending == 0


def test_framer_options() -> None:
    for options in ({"frame_bytes": 0}, {"frame_bytes": "2"}, {"frame_bytes": 2, "chunk_frames": 0}):
        with pytest.raises(LocalProtocolError, match="frame"):
            PcmFramer(**options)  # type: ignore[arg-type]
