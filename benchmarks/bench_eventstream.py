"""Event-stream frames: decoding and encoding against botocore and the amazon-transcribe SDK, and the cost of a byte.

Whoever decodes also hands over headers and payload of every message, as a client would use them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from asrproto._kernels import crc32
from asrproto.aws.eventstream import EventStreamDecoder, MessageEncoder, encode_message

KIB, MIB = 1 << 10, 1 << 20


def transcript_frame() -> bytes:
    """A TranscriptEvent of about 1.7 KB, as the service sends them: 13 words with their times."""
    words = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "then", "goes", "home"]
    items = [{"Content": word, "EndTime": round(0.31 * i + 0.3, 2), "StartTime": round(0.31 * i, 2),
              "Type": "pronunciation", "VocabularyFilterMatch": False} for i, word in enumerate(words)]
    result = {"Alternatives": [{"Items": items, "Transcript": " ".join(words)}], "EndTime": 5.27, "IsPartial": True,
              "ResultId": "8a9f6a8e-6c0c-4f4e-9b1f-2f6d4f8f2c55", "StartTime": 0.0}
    payload = json.dumps({"Transcript": {"Results": [result]}}, separators=(",", ":")).encode()
    return encode_message({":message-type": "event", ":event-type": "TranscriptEvent",
                           ":content-type": "application/json"}, payload)


FRAME = transcript_frame()
AUDIO_HEADERS = {":message-type": "event", ":event-type": "AudioEvent", ":content-type": "application/octet-stream"}
AUDIO = bytes(range(256)) * 12 + bytes(128)  # 100 ms at 16 kHz


def cut(stream: bytes, size: int) -> list[bytes]:
    return [stream[at:at + size] for at in range(0, len(stream), size)]


def ours(pieces: list[bytes]) -> int:
    decoder = EventStreamDecoder()
    feed = decoder.feed
    found = 0
    for piece in pieces:
        for message in feed(piece):
            _ = message.headers
            _ = message.payload
            found += 1
    decoder.close()
    return found


def botocore(pieces: list[bytes]) -> int:
    buffer = pytest.importorskip("botocore.eventstream").EventStreamBuffer()
    found = 0
    for piece in pieces:
        buffer.add_data(piece)
        for message in buffer:
            _ = message.headers
            _ = message.payload
            found += 1
    return found


DECODERS: dict[str, Callable[[list[bytes]], int]] = {"botocore": botocore, "asrproto": ours}


@pytest.mark.parametrize("who", DECODERS)
@pytest.mark.parametrize(("size", "shown", "at_least"), [(64 * KIB, "64 KB", 40), (MIB, "1 MB", 80), (64, "64 B", 15)])
def test_decode(contest: Any, who: str, size: int, shown: str, at_least: float) -> None:
    frames = MIB // len(FRAME)
    pieces = cut(FRAME * frames, size)
    decode = DECODERS[who]
    assert decode(pieces) == frames
    contest(f"decode {frames} frames of {len(FRAME) / 1000:.1f} KB, {shown} feeds", who, lambda: decode(pieces),
            at_least={"botocore": at_least})


@pytest.mark.parametrize("who", ["asrproto", "amazon-transcribe", "asrproto, headers anew"])
def test_encode(contest: Any, who: str) -> None:
    if who == "asrproto":
        encoder = MessageEncoder(AUDIO_HEADERS)
        work: Callable[[], bytes] = lambda: encoder.encode(AUDIO)  # noqa: E731
    elif who == "asrproto, headers anew":
        work = lambda: encode_message(AUDIO_HEADERS, AUDIO)  # noqa: E731
    else:
        serializer = pytest.importorskip("amazon_transcribe.eventstream").EventStreamMessageSerializer()
        work = lambda: serializer.serialize(AUDIO_HEADERS, AUDIO)  # noqa: E731
    assert work() == encode_message(AUDIO_HEADERS, AUDIO)
    contest("encode an AudioEvent of 3200 bytes", who, work, at_least={"amazon-transcribe": 15})


@pytest.mark.parametrize("who", ["asrproto", "zlib"])
@pytest.mark.parametrize("size", [len(FRAME), MIB])
def test_crc32(contest: Any, who: str, size: int) -> None:
    data = (FRAME * (size // len(FRAME) + 1))[:size]
    run = {"asrproto": crc32.crc32, "zlib": zlib.crc32}[who]
    contest(f"CRC-32 of {size} bytes (path: {crc32.PATH})", who, lambda: run(data))


# The peer here is what cannot be left out, done with what Python has: its cost per byte shows what the machine's caches
# and memory make of a size, so it is the ratio that must not fall as sizes grow.
SIZES = {"1 KB": KIB, "32 KB": 32 * KIB, "1 MB": MIB, "8 MB": 8 * MIB, "64 MB": 64 * MIB}


def checksum_and_copy(pieces: list[bytes]) -> None:
    """The checksum by zlib and one copy, in slices of a frame's size."""
    for piece in pieces:
        zlib.crc32(piece)
    for piece in pieces:
        for at in range(0, len(piece), len(FRAME)):
            _ = piece[at:at + len(FRAME)]


def gather_checksum_and_copy(pieces: list[bytes]) -> bytes:
    """The same for one frame that comes in pieces."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
    zlib.crc32(gathered)
    return bytes(gathered)


@pytest.mark.parametrize("who", ["asrproto", "zlib.crc32 and slices"])
@pytest.mark.parametrize("size", SIZES)
def test_length_of_the_feed(contest: Any, who: str, size: str) -> None:
    pieces = cut(FRAME * (64 * MIB // len(FRAME)), SIZES[size])
    work = ours if who == "asrproto" else checksum_and_copy
    contest(f"64 MB of frames in feeds of {size}", who, lambda: work(pieces))


@pytest.mark.parametrize("who", ["asrproto", "zlib.crc32 and slices"])
@pytest.mark.parametrize("size", SIZES)
def test_length_of_the_stream(contest: Any, who: str, size: str) -> None:
    pieces = cut(FRAME * max(1, SIZES[size] // len(FRAME)), 32 * KIB)
    work = ours if who == "asrproto" else checksum_and_copy
    contest(f"a stream of {size} in feeds of 32 KB", who, lambda: work(pieces))


@pytest.mark.parametrize("who", ["asrproto", "bytearray, zlib.crc32, bytes"])
@pytest.mark.parametrize("size", ["1 KB", "32 KB", "1 MB", "8 MB"])
def test_length_of_the_frame(contest: Any, who: str, size: str) -> None:
    pieces = cut(encode_message(AUDIO_HEADERS, bytes(SIZES[size])), 4 * KIB)
    work = ours if who == "asrproto" else gather_checksum_and_copy
    contest(f"one frame of {size} in feeds of 4 KB", who, lambda: work(pieces))
