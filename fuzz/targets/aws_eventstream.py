"""AWS event streams: any cut gives the same messages, which encode to the bytes they came from; botocore agrees."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from random import Random
from uuid import UUID
from zlib import crc32

from asrproto.aws.eventstream import EventStreamDecoder, Message
from asrproto.errors import RemoteProtocolError
from fuzz.harness import Target, cuts, fail_alike
from fuzz.mutate import mutate_bytes

try:
    from botocore.eventstream import EventStreamBuffer
except ImportError:  # the differential check is left out, the others stay
    EventStreamBuffer = None

LIMITS = {"max_message_size": 600, "max_headers_size": 200}
Outcome = tuple[list[Message], RemoteProtocolError | None]


def decode(pieces: Iterable[bytes], **limits: int) -> Outcome:
    decoder = EventStreamDecoder(**limits)
    messages: list[Message] = []
    try:
        for piece in pieces:
            messages += decoder.feed(piece)
        decoder.close()
    except RemoteProtocolError as error:
        return [*messages, *error.messages], error
    return messages, None


def check_against_botocore(data: bytes, messages: list[Message]) -> None:
    """What we accept it accepts, and reads alike; it is laxer, so the reverse does not hold."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    for ours, theirs in zip(messages, buffer, strict=False):
        assert ours.payload == theirs.payload
        plain = {name: value.bytes if isinstance(value, UUID) else value for name, value in ours.headers.items()}
        assert plain == theirs.headers


def read(data: bytes) -> Hashable:
    whole, error = decode([data])
    pieces, same_error = decode(cuts(data))
    assert whole == pieces
    assert fail_alike(error, same_error)
    wire = b"".join(message.encode() for message in whole)
    assert data.startswith(wire)
    assert error is not None or data == wire
    if EventStreamBuffer is not None:
        check_against_botocore(wire, whole)
    limited, limit = decode([data], **LIMITS)
    assert limited == whole[:len(limited)]
    kinds = frozenset(type(value).__name__ for message in whole for value in message.headers.values())
    return len(whole).bit_length(), kinds, error and error.reason, limit and limit.reason


def frame(block: bytes, payload: bytes, *, total: int | None = None, headers_len: int | None = None) -> bytes:
    """A frame whose checksums hold, whatever its lengths say."""
    total = 16 + len(block) + len(payload) if total is None else total
    headers_len = len(block) if headers_len is None else headers_len
    prelude = (total % 2**32).to_bytes(4, "big") + (headers_len % 2**32).to_bytes(4, "big")
    body = prelude + crc32(prelude).to_bytes(4, "big") + block + payload
    return body + crc32(body).to_bytes(4, "big")


def frames(data: bytes) -> list[bytes]:
    """`data` where its lengths cut it, with or without checksums; the rest is the last piece."""
    found = []
    while len(data) >= 16 and 16 <= (total := int.from_bytes(data[:4], "big")) <= len(data):
        found.append(data[:total])
        data = data[total:]
    return [*found, data] if data else found


HEADERS = (b"\1x\0", b"\1x\1", b"\2id\2\xff", b"\1n\3\x80\0", b"\1n\4\0\0\0\1", b"\1n\5" + b"\xff" * 8, b"\1b\6\0\2ab",
           b"\1s\7\0\2\xc3\xa9", b"\1t\x08" + b"\x7f" * 8, b"\1u\x09" + bytes(16), b"\1z\x0a", b"\0\0", b"\1s\7\x80\0")


def mutate(data: bytes, random: Random) -> bytes:
    """One frame changed inside, with lengths and checksums that hold again; or frames dropped, repeated, moved."""
    pieces = frames(data) or [frame(b"", b"")]
    i = random.randrange(len(pieces))
    kind = random.randrange(8)
    if kind == 0:
        return mutate_bytes(data, random)
    if kind == 1:
        pieces.insert(random.randrange(len(pieces) + 1), pieces[i])
    elif kind == 2:
        del pieces[i]
    elif len(pieces[i]) >= 16:
        size = int.from_bytes(pieces[i][4:8], "big")
        block, payload = pieces[i][12:12 + size][:len(pieces[i]) - 16], pieces[i][12 + size:-4]
        if kind == 3:
            total, headers_len = 16 + len(block) + len(payload), len(block)
            off = random.choice((-16, -4, -1, 1, 4, 16, 1 << 16, 1 << 31))
            pieces[i] = random.choice((frame(block, payload, total=total + off),
                                       frame(block, payload, headers_len=headers_len + off)))
        elif kind == 4:
            pieces[i] = frame(block, mutate_bytes(payload, random))
        elif kind == 5:
            at = random.choice((0, len(block)))
            pieces[i] = frame(block[:at] + random.choice(HEADERS) + block[at:], payload)
        else:
            pieces[i] = frame(mutate_bytes(block, random), payload)
    return b"".join(pieces)[:1 << 14]


TARGETS = (Target("aws_eventstream", read, mutate=mutate),)
