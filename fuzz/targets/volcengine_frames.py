"""Volcengine frames: what decodes encodes to a frame that decodes the same, and to the same bytes where not packed."""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from random import Random

from asrproto.errors import RemoteProtocolError
from asrproto.volcengine.frames import Compression, decode_frame, encode_frame, gzip
from fuzz.harness import Target
from fuzz.mutate import mutate_bytes, mutate_json

LIMIT = 1 << 16


def read(data: bytes) -> Hashable:
    frame = decode_frame(data, max_payload_size=LIMIT)
    assert len(frame.payload) <= LIMIT
    wire = encode_frame(frame)
    assert decode_frame(wire, max_payload_size=LIMIT) == frame
    if frame.compression != Compression.GZIP:
        assert wire == data
    return int(frame.message_type), int(frame.flags), int(frame.compression), frame.event in (1, 50, 100, 150)


def mutate(data: bytes, random: Random) -> bytes:
    """A header bit, a field or the payload changed; a payload is packed again and the sizes before it follow."""
    try:
        frame = decode_frame(data)
    except RemoteProtocolError:
        return mutate_bytes(data, random)
    head = bytearray(data[:12])
    kind = random.randrange(4)
    if kind == 0:
        head[random.choice((0, 1, 1, 1, 2, 2, 3))] ^= 1 << random.randrange(8)
        return bytes(head) + data[12:]
    if kind == 1:
        return mutate_bytes(data, random)
    payload = (mutate_json if kind == 2 else mutate_bytes)(frame.payload, random)
    if random.random() < 0.3:  # packed, so that what lies behind gzip is reached
        packed = gzip(payload)
        if random.random() < 0.3:
            packed = mutate_bytes(packed[:-8], random) + zlib.crc32(payload).to_bytes(4, "little") + packed[-4:]
        size = len(data) - len(frame.payload)
        if frame.compression == Compression.NONE and size >= 8:
            return bytes((*data[:2], data[2] & 0xF0 | 1, *data[3:size - 4])) + len(packed).to_bytes(4, "big") + packed
    return encode_frame(frame.with_payload(payload))


TARGETS = (Target("volcengine_frames", read, mutate=mutate),)
