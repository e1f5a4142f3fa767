"""Volcengine's frames against a careful pure-Python codec, and against zlib alone; and what gzip does to speech.

The peer below does the same work as asrproto's codec, with ``struct``: every optional field in its place, ranges and
presence checked, sizes held to the frame before they are believed.
"""

from __future__ import annotations

import json
import struct
import wave
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from asrproto._json import check_shape, read_json
from asrproto.volcengine.frames import (
    GZIP_LEVEL,
    Compression,
    Flags,
    Frame,
    MessageType,
    Serialization,
    decode_frame,
    encode_frame,
)
from asrproto.volcengine.results import Reply

SPEECH = Path(__file__).parent.parent / "examples" / "speech"

U32, I32 = struct.Struct(">I"), struct.Struct(">i")


class PlainFrame(NamedTuple):
    message_type: int
    flags: int = 0
    serialization: int = 0
    compression: int = 0
    sequence: int | None = None
    event: int | None = None
    connection_id: str | None = None
    session_id: str | None = None
    error_code: int | None = None
    payload: bytes = b""
    extension: bytes = b""
    reserved: int = 0


def plain_encode(frame: PlainFrame, level: int = GZIP_LEVEL) -> bytes:
    (message_type, flags, serialization, compression, sequence, event, connection_id, session_id, error_code, payload,
     extension, reserved) = frame
    if not (0 <= message_type <= 15 and 0 <= flags <= 15 and 0 <= serialization <= 15 and 0 <= compression <= 15
            and 0 <= reserved <= 255):
        raise ValueError("header field out of range")
    if len(extension) % 4 or len(extension) > 56:
        raise ValueError("extension")
    if (error_code is not None) != (message_type == 15):
        raise ValueError("error_code")
    if (sequence is not None) != bool(flags & 1):
        raise ValueError("sequence")
    if (event is not None) != bool(flags & 4):
        raise ValueError("event")
    if (connection_id is not None) != (event is not None and 50 <= event <= 52):
        raise ValueError("connection_id")
    if (session_id is not None) != (event is not None and event not in (1, 2, 50, 51, 52)):
        raise ValueError("session_id")
    if compression == 1:
        packer = zlib.compressobj(level, zlib.DEFLATED, 31)
        payload = packer.compress(payload) + packer.flush()
    parts = [bytes((0x11 + len(extension) // 4, message_type << 4 | flags, serialization << 4 | compression, reserved))]
    if extension:
        parts.append(extension)
    if error_code is not None:
        parts.append(U32.pack(error_code))
    if sequence is not None:
        parts.append(I32.pack(sequence))
    if event is not None:
        parts.append(I32.pack(event))
        for text in (connection_id, session_id):
            if text is not None:
                encoded = text.encode()
                parts += (U32.pack(len(encoded)), encoded)
    parts += (U32.pack(len(payload)), payload)
    return b"".join(parts)


def plain_decode(data: bytes, limit: int = 16 << 20) -> PlainFrame:
    size = len(data)
    if size < 4:
        raise ValueError("header")
    if data[0] >> 4 != 1:
        raise ValueError("version")
    at = 4 * (data[0] & 15)
    if not at or size < at:
        raise ValueError("header size")
    message_type, flags = data[1] >> 4, data[1] & 15
    error_code = sequence = event = connection_id = session_id = None
    if message_type == 15:
        if size - at < 4:
            raise ValueError("error code")
        error_code, = U32.unpack_from(data, at)
        at += 4
    if flags & 1:
        if size - at < 4:
            raise ValueError("sequence")
        sequence, = I32.unpack_from(data, at)
        at += 4
    if flags & 4:
        if size - at < 4:
            raise ValueError("event")
        event, = I32.unpack_from(data, at)
        at += 4
        texts = []
        for present in (50 <= event <= 52, event not in (1, 2, 50, 51, 52)):
            if not present:
                texts.append(None)
                continue
            if size - at < 4:
                raise ValueError("id")
            length, = U32.unpack_from(data, at)
            at += 4
            if size - at < length:
                raise ValueError("id")
            texts.append(data[at:at + length].decode())
            at += length
        connection_id, session_id = texts
    if size - at < 4:
        raise ValueError("payload size")
    length, = U32.unpack_from(data, at)
    at += 4
    if size - at != length:
        raise ValueError("payload")
    if length > limit:
        raise ValueError("limit")
    payload = data[at:]
    compression = data[2] & 15
    if compression == 1 and payload:
        unpacker = zlib.decompressobj(31)
        payload = unpacker.decompress(payload, limit + 1)
        if len(payload) > limit or not unpacker.eof or unpacker.unused_data:
            raise ValueError("gzip")
    return PlainFrame(message_type, flags, data[2] >> 4, compression, sequence, event, connection_id, session_id,
                      error_code, payload, data[4:4 * (data[0] & 15)], data[3])


def speech(name: str = "librivox-austen-0920.wav") -> bytes:
    with wave.open(str(SPEECH / name)) as file:
        return file.readframes(file.getnframes())


AUDIO = speech()[64000:70400]
BODY = json.dumps({
    "audio_info": {"duration": 3696},
    "result": {"text": "这是字节跳动，今日头条母公司。", "additions": {"log_id": "20260409175957B079592BDCD6D1DEF28C"},
               "utterances": [{"definite": True, "start_time": 0, "end_time": 1705, "text": "这是字节跳动，", "words": [
                   {"blank_duration": 0, "start_time": 740 + 120 * i, "end_time": 860 + 120 * i, "text": text}
                   for i, text in enumerate("这是字节跳动今日头")]}]},
}, ensure_ascii=False).encode()
BODY += b" " * (1024 - len(BODY))

ENCODED = {"message_type": 2, "flags": 1, "sequence": 7, "payload": AUDIO}
PLAIN_AUDIO = PlainFrame(**ENCODED)
OUR_AUDIO = Frame(MessageType.AUDIO_ONLY_REQUEST, flags=Flags.SEQUENCE, serialization=Serialization.RAW,
                  compression=Compression.NONE, sequence=7, payload=AUDIO)
RESPONSE = encode_frame(Frame(9, flags=1, serialization=1, sequence=7, payload=BODY))
PACKED_RESPONSE = encode_frame(Frame(9, flags=1, serialization=1, compression=1, sequence=7, payload=BODY))
PACKED_BODY = PACKED_RESPONSE[12:]
OUR_PACKED_AUDIO = Frame(2, flags=1, compression=1, sequence=7, payload=AUDIO)

assert len(AUDIO) == 6400
assert len(BODY) == 1024
assert plain_encode(PLAIN_AUDIO) == encode_frame(OUR_AUDIO)
assert plain_encode(PlainFrame(**{**ENCODED, "compression": 1})) == encode_frame(OUR_PACKED_AUDIO)
for _wire in (RESPONSE, PACKED_RESPONSE):
    assert all(getattr(plain_decode(_wire), _name) == getattr(decode_frame(_wire), _name)
               for _name in PlainFrame._fields)

Contenders = dict[str, Callable[[], Any]]

ENCODE: Contenders = {"asrproto": partial(encode_frame, OUR_AUDIO), "struct": partial(plain_encode, PLAIN_AUDIO)}
BUILD: Contenders = {"asrproto": lambda: encode_frame(Frame(2, flags=1, sequence=7, payload=AUDIO)),
                     "struct": lambda: plain_encode(PlainFrame(2, flags=1, sequence=7, payload=AUDIO))}
DECODE: Contenders = {"asrproto": partial(decode_frame, RESPONSE), "struct": partial(plain_decode, RESPONSE)}
READ: Contenders = {
    "asrproto": lambda: check_shape(read_json(decode_frame(RESPONSE).payload), Reply),
    "struct + json": lambda: json.loads(plain_decode(RESPONSE).payload),
}


def deflate(audio: bytes = AUDIO, level: int = GZIP_LEVEL) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(audio) + packer.flush()


PACK: Contenders = {"asrproto": partial(encode_frame, OUR_PACKED_AUDIO), "zlib alone": deflate}
UNPACK: Contenders = {"asrproto": partial(decode_frame, PACKED_RESPONSE),
                      "zlib alone": lambda: zlib.decompressobj(31).decompress(PACKED_BODY)}


@pytest.mark.parametrize("who", ENCODE)
def test_encode(contest: Any, who: str) -> None:
    contest("encode a 6400-byte audio frame", who, ENCODE[who], at_least={"struct": 4})


@pytest.mark.parametrize("who", BUILD)
def test_build_and_encode(contest: Any, who: str) -> None:
    contest("make and encode a 6400-byte audio frame", who, BUILD[who])


@pytest.mark.parametrize("who", DECODE)
def test_decode(contest: Any, who: str) -> None:
    contest("decode a 1 KB response", who, DECODE[who], at_least={"struct": 4})


@pytest.mark.parametrize("who", READ)
def test_decode_and_read(contest: Any, who: str) -> None:
    contest("decode a 1 KB response and read its JSON", who, READ[who])


@pytest.mark.parametrize("who", PACK)
def test_encode_gzip(contest: Any, who: str) -> None:
    contest("encode a 6400-byte audio frame with gzip", who, PACK[who], at_least={"zlib alone": 1 / 1.2})


@pytest.mark.parametrize("who", UNPACK)
def test_decode_gzip(contest: Any, who: str) -> None:
    contest("decode a 1 KB response with gzip", who, UNPACK[who], at_least={"zlib alone": 1 / 1.2})


@pytest.mark.parametrize("level", range(10))
def test_gzip_level_on_speech(contest: Any, level: int) -> None:
    """Which level is right for 200 ms of speech: time here, size as printed (``pytest -s``)."""
    whole = b"".join(map(speech, ("goforward.wav", "librivox-austen-0920.wav", "librivox-austen-0930.wav")))
    packets = [whole[start:start + 6400] for start in range(0, len(whole) - 6399, 6400)]

    def pack() -> int:
        return sum(len(deflate(packet, level)) for packet in packets)

    contest(f"gzip {len(packets)} packets of speech", f"level {level}", pack)
    print(f"\nlevel {level}: {100 * pack() / (6400 * len(packets)):.2f} % of the size")
