"""The decoder: any cut of a stream, every way in which a frame can be wrong, and what is left afterwards."""

from __future__ import annotations

import copy
import pickle
import struct
import threading
import zlib
from typing import Any
from uuid import UUID

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import example, given
from hypothesis import strategies as st

from asrproto.aws.eventstream import (
    EventStreamDecoder,
    Int8,
    Int16,
    Int32,
    Int64,
    Message,
    Timestamp,
    encode_message,
)
from asrproto.errors import (
    ChecksumMismatch,
    FrameTooLarge,
    LocalProtocolError,
    MalformedFrame,
    RemoteProtocolError,
    TruncatedFrame,
)


def raw(headers: bytes = b"", payload: bytes = b"", *, total: int | None = None,
        headers_len: int | None = None) -> bytes:
    """A frame by struct and zlib whose checksums hold, whatever its lengths claim."""
    if total is None:
        total = 16 + len(headers) + len(payload)
    prelude = struct.pack(">II", total, len(headers) if headers_len is None else headers_len)
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return body + struct.pack(">I", zlib.crc32(body))


def header(name: bytes, kind: int, value: bytes = b"") -> bytes:
    return bytes([len(name)]) + name + bytes([kind]) + value


def sized(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def altered(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1:]


def drained(*pieces: bytes, **limits: int) -> tuple[list[Message], RemoteProtocolError | None]:
    """All messages in a stream, and the error that ends it."""
    decoder = EventStreamDecoder(**limits)
    messages: list[Message] = []
    try:
        for piece in pieces:
            messages += decoder.feed(piece)
        decoder.close()
    except RemoteProtocolError as error:
        return [*messages, *error.messages], error
    return messages, None


GOOD = [Message({":event-type": "TranscriptEvent", "n": 1}, b'{"Transcript": {}}'), Message({}, b"x" * 300),
        Message({"stamp": Timestamp(5)}), Message()]
STREAM = b"".join(message.encode() for message in GOOD)
TEXT = header(b"text", 7, sized(b"value"))  # 13 bytes

# name: (frame, kind, reason, place of the fault in the frame)
FAULTS: dict[str, tuple[bytes, type[RemoteProtocolError], str, int]] = {
    "prelude altered": (altered(raw(TEXT), 3), ChecksumMismatch, "prelude-checksum", 8),
    "prelude checksum altered": (altered(raw(TEXT), 8), ChecksumMismatch, "prelude-checksum", 8),
    "text where frames belong": (b'{"audio": "AAAA"}', ChecksumMismatch, "prelude-checksum", 8),
    "header altered": (altered(raw(TEXT), 13), ChecksumMismatch, "message-checksum", 25),
    "payload altered": (altered(raw(TEXT, b"payload"), 30), ChecksumMismatch, "message-checksum", 32),
    "message checksum altered": (altered(raw(TEXT), 28), ChecksumMismatch, "message-checksum", 25),
    "total 0": (raw(total=0), MalformedFrame, "total-length", 0),
    "total 12": (raw(total=12), MalformedFrame, "total-length", 0),
    "total 15": (raw(total=15), MalformedFrame, "total-length", 0),
    "headers beyond the frame": (raw(TEXT, headers_len=14), MalformedFrame, "headers-length", 4),
    "headers over the checksum": (raw(TEXT, headers_len=17), MalformedFrame, "headers-length", 4),
    "headers of 4 GiB": (raw(TEXT, headers_len=2**32 - 1), MalformedFrame, "headers-length", 4),
    "message over the limit": (raw(total=24 * 2**20 + 1), FrameTooLarge, "message-too-large", 0),
    "message of 4 GiB": (raw(total=2**32 - 1), FrameTooLarge, "message-too-large", 0),
    "headers over the limit": (raw(total=2**20, headers_len=2**17 + 1), FrameTooLarge, "headers-too-large", 4),
    "empty name": (raw(TEXT + header(b"", 0)), MalformedFrame, "empty-header-name", 25),
    "name beyond the block": (raw(b"\x05nam"), MalformedFrame, "header-overrun", 12),
    "nothing after the name": (raw(TEXT + b"\x04name"), MalformedFrame, "header-overrun", 25),
    "unknown type": (raw(header(b"name", 10)), MalformedFrame, "unknown-header-type", 17),
    "type 255": (raw(header(b"name", 255)), MalformedFrame, "unknown-header-type", 17),
    "length of a string cut": (raw(header(b"name", 7, b"\0")), MalformedFrame, "header-overrun", 12),
    "string longer than the block": (raw(header(b"name", 7, b"\0\5text")), MalformedFrame, "header-overrun", 12),
    "string into the payload": (raw(header(b"name", 7, b"\0\5text"), b"!"), MalformedFrame, "header-overrun", 12),
    "short int8": (raw(header(b"name", 2)), MalformedFrame, "header-overrun", 12),
    "short int16": (raw(header(b"name", 3, b"\0")), MalformedFrame, "header-overrun", 12),
    "short int32": (raw(header(b"name", 4, b"\0" * 3)), MalformedFrame, "header-overrun", 12),
    "short int64": (raw(header(b"name", 5, b"\0" * 7)), MalformedFrame, "header-overrun", 12),
    "short timestamp": (raw(header(b"name", 8, b"\0" * 7)), MalformedFrame, "header-overrun", 12),
    "short uuid": (raw(header(b"name", 9, b"uuid?")), MalformedFrame, "header-overrun", 12),
    "string of 32768": (raw(header(b"name", 7, sized(bytes(32768)))), MalformedFrame, "header-value-too-long", 18),
    "bytes of 65535": (raw(header(b"name", 6, sized(bytes(65535)))), MalformedFrame, "header-value-too-long", 18),
    "name not UTF-8": (raw(header(b"na\xffe", 0)), MalformedFrame, "header-name-encoding", 13),
    "string not UTF-8": (raw(header(b"name", 7, sized(b"\xc3\x28"))), MalformedFrame, "header-value-encoding", 20),
    "surrogate in a string": (raw(header(b"name", 7, sized(b"\xed\xa0\x80"))), MalformedFrame, "header-value-encoding",
                              20),
    "a name twice": (raw(TEXT + header(b"n", 0) + TEXT), MalformedFrame, "repeated-header", 28),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_its_error_and_place(name: str) -> None:
    frame, kind, reason, place = FAULTS[name]
    messages, error = drained(STREAM + frame + STREAM)
    assert messages == GOOD
    assert type(error) is kind
    assert (error.reason, error.offset) == (reason, len(STREAM) + place)
    assert reason in str(error)

    with pytest.raises(kind) as caught:
        Message.decode(frame)
    assert (caught.value.reason, caught.value.offset, list(caught.value.messages)) == (reason, place, [])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_raised_as_soon_as_it_can_be_known(name: str) -> None:
    frame, kind, reason, place = FAULTS[name]
    known = len(frame) if reason not in {"prelude-checksum", "total-length", "headers-length", "message-too-large",
                                         "headers-too-large"} else 12
    decoder = EventStreamDecoder()
    for byte in range(known - 1):
        assert decoder.feed(frame[byte:byte + 1]) == []
    with pytest.raises(kind) as caught:
        decoder.feed(frame[known - 1:known])
    assert (caught.value.reason, caught.value.offset) == (reason, place)


def test_after_a_fault_the_same_error_comes_for_ever() -> None:
    decoder = EventStreamDecoder()
    with pytest.raises(ChecksumMismatch) as first:
        decoder.feed(STREAM + altered(STREAM, 40))
    assert first.value.messages == GOOD
    for call in (lambda: decoder.feed(STREAM), decoder.close, lambda: decoder.feed(b""),
                 lambda: pickle.loads(pickle.dumps(decoder)).feed(STREAM)):
        with pytest.raises(ChecksumMismatch) as again:
            call()
        assert str(again.value) == str(first.value)
        assert again.value is not first.value
        assert list(again.value.messages) == []
    assert decoder.buffered == 0
    assert pickle.loads(pickle.dumps(first.value)).messages == GOOD


@pytest.mark.parametrize("size", [1, 11, 12, 13, 50, len(GOOD[0].encode()) - 1])
def test_close_within_a_frame(size: int) -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(STREAM + STREAM[:size]) == GOOD
    assert decoder.buffered == size
    for _ in range(2):
        with pytest.raises(TruncatedFrame) as caught:
            decoder.close()
        assert (caught.value.reason, caught.value.offset) == ("truncated-frame", len(STREAM) + size)
    with pytest.raises(TruncatedFrame):
        decoder.feed(STREAM)


def test_close_between_frames() -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(STREAM) == GOOD
    decoder.close()
    decoder.close()
    with pytest.raises(LocalProtocolError, match="after close"):
        decoder.feed(b"")


@pytest.mark.parametrize("size", range(len(GOOD[0].encode())))
def test_part_of_a_message_alone(size: int) -> None:
    with pytest.raises(TruncatedFrame) as caught:
        Message.decode(GOOD[0].encode()[:size])
    assert (caught.value.reason, caught.value.offset) == ("truncated-frame", size)


@pytest.mark.parametrize("junk", [b"\0", b"junk", GOOD[0].encode()])
def test_junk_after_a_message(junk: bytes) -> None:
    frame = GOOD[0].encode()
    with pytest.raises(MalformedFrame) as caught:
        Message.decode(frame + junk)
    assert (caught.value.reason, caught.value.offset) == ("trailing-bytes", len(frame))


def test_limits_can_be_set() -> None:
    frame = encode_message({"a": "b"}, b"c" * 10)  # 6 bytes of headers, 32 in all
    assert drained(frame, max_message_size=32, max_headers_size=6)[1] is None
    assert drained(frame, max_message_size=31)[1].reason == "message-too-large"  # type: ignore[union-attr]
    assert drained(frame, max_headers_size=5)[1].reason == "headers-too-large"  # type: ignore[union-attr]
    with pytest.raises(FrameTooLarge):
        Message.decode(frame, max_message_size=31)
    big = encode_message({"a": "b"}, bytes(25 << 20), max_message_size=26 << 20)
    assert drained(big)[1].reason == "message-too-large"  # type: ignore[union-attr]
    assert len(drained(big, max_message_size=26 << 20)[0][0].payload) == 25 << 20


# -- Properties -------------------------------------------------------------------------------------------------------

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
values = st.one_of(
    st.booleans(),
    st.integers(-2**7, 2**7 - 1).map(Int8),
    st.integers(-2**15, 2**15 - 1).map(Int16),
    st.integers(-2**31, 2**31 - 1).map(Int32),
    st.integers(-2**63, 2**63 - 1).map(Int64),
    st.binary(max_size=300),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
    st.integers(-2**63, 2**63 - 1).map(Timestamp),
    st.uuids(),
)
messages = st.builds(Message, st.dictionaries(names, values, max_size=6), st.binary(max_size=600))
streams = st.lists(messages, max_size=6)


@given(messages)
def test_round_trip(message: Message) -> None:
    frame = message.encode()
    again = Message.decode(frame)
    assert again == message
    assert list(again.headers) == list(message.headers)
    assert again.encode() == frame


@given(streams, st.data())
def test_cuts_do_not_matter(stream: list[Message], data: st.DataObject) -> None:
    wire = b"".join(message.encode() for message in stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    wrap = data.draw(st.sampled_from([bytes, bytearray, memoryview]))
    decoder = EventStreamDecoder()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        found += decoder.feed(wrap(wire[start:end]))
        if data.draw(st.booleans()):
            decoder = data.draw(st.sampled_from([copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))]))(decoder)
    decoder.close()
    assert found == stream


def test_byte_by_byte() -> None:
    decoder = EventStreamDecoder()
    assert [message for byte in STREAM for message in decoder.feed(bytes([byte]))] == GOOD
    decoder.close()


@pytest.mark.parametrize("size", [1, 5, 64, 100_000])
def test_lists_that_are_kept_stay_as_they_are(size: int) -> None:
    decoder = EventStreamDecoder()
    lists = []
    for at in range(0, len(STREAM), size):
        lists.append(decoder.feed(STREAM[at:at + size]))
        mine = decoder.feed(b"")
        assert mine == []
        mine.append(GOOD[0])  # what a caller does with a list is no concern of the decoder's
        del mine
    assert [message for found in lists for message in found] == GOOD
    assert len({id(found) for found in lists}) == len(lists)


def test_payloads_outlive_decoder_and_stream() -> None:
    stream = bytearray(STREAM)
    of_bytes, of_bytearray = EventStreamDecoder().feed(bytes(stream)), EventStreamDecoder().feed(stream)
    stream[:] = bytes(len(stream))
    assert of_bytes == of_bytearray == GOOD
    large = encode_message({}, bytes(range(256)) * 400)
    [message] = EventStreamDecoder().feed(large + large[:20])
    assert message.payload == message.payload == bytes(range(256)) * 400


@given(streams)
@example(GOOD)
def test_as_botocore(stream: list[Message]) -> None:
    wire = b"".join(message.encode() for message in stream)
    oracle = EventStreamBuffer()
    oracle.add_data(wire)
    for ours, theirs in zip(drained(wire)[0], oracle, strict=True):
        plain = {name: value.bytes if isinstance(value, UUID) else value for name, value in ours.headers.items()}
        assert plain == theirs.headers
        assert ours.payload == theirs.payload


def check_outcome(data: bytes) -> None:
    """Accept, or raise RemoteProtocolError with a place inside what was fed; and whole or in bytes, all the same."""
    found, error = drained(data)
    assert b"".join(message.encode() for message in found) == data[:sum(len(message.encode()) for message in found)]
    if error is not None:
        assert type(error) in (ChecksumMismatch, MalformedFrame, FrameTooLarge, TruncatedFrame)
        assert error.offset is not None
        assert 0 <= error.offset <= len(data)
    piecewise, other = drained(*(data[at:at + 1] for at in range(len(data))))
    assert piecewise == found
    assert (type(other), str(other)) == (type(error), str(error))  # str() has reason and offset


@given(messages, st.data())
def test_every_altered_byte_is_noticed(message: Message, data: st.DataObject) -> None:
    frame = bytearray(message.encode())
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ChecksumMismatch):
        Message.decode(frame)
    check_outcome(bytes(frame))


def test_every_byte_of_one_frame_altered() -> None:
    frame = Message({"a": Int8(1), "b": "text", "c": UUID(int=1)}, b"payload").encode()
    for at in range(len(frame)):
        for bit in range(8):
            wrong = bytearray(frame)
            wrong[at] ^= 1 << bit
            assert isinstance(drained(bytes(wrong))[1], ChecksumMismatch)


@given(st.binary(max_size=200))
def test_random_bytes(data: bytes) -> None:
    check_outcome(data)


@given(st.binary(max_size=120), st.binary(max_size=20))
def test_random_header_blocks_under_right_checksums(headers: bytes, payload: bytes) -> None:
    check_outcome(raw(headers, payload))


@given(messages, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
       st.booleans())
def test_mutations_under_repaired_checksums(message: Message, changes: list[tuple[int, int]], lengths: bool) -> None:
    frame = bytearray(message.encode())
    for at, value in changes:
        frame[at % len(frame) if not lengths else at % 8] = value
    [total] = struct.unpack_from(">I", frame)
    frame[8:12] = struct.pack(">I", zlib.crc32(frame[:8]))
    end = max(12, min(len(frame), total) - 4)
    frame[end:end + 4] = struct.pack(">I", zlib.crc32(frame[:end]))
    check_outcome(bytes(frame))


# -- Cost -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1 << 10, 1 << 16])
def test_memory_grows_with_what_arrives_and_not_with_what_is_declared(piece: int) -> None:
    """The decoder holds one partial frame of 20 MB; after 1 MB of it no more than about 2 MB are in use."""
    frame = raw(total=20 << 20)[:12]
    decoder = EventStreamDecoder()
    decoder.feed(frame)
    assert decoder._capacity <= 64
    for fed in range(piece, (1 << 20) + 1, piece):
        assert decoder.feed(bytes(piece)) == []
        assert decoder.buffered == 12 + fed
        assert decoder._capacity <= max(64, 2 * decoder.buffered)


def test_a_large_frame_leaves_no_large_buffer_behind() -> None:
    decoder = EventStreamDecoder()
    frame = encode_message({}, bytes(5 << 20))
    assert sum(len(decoder.feed(frame[at:at + 65536])) for at in range(0, len(frame), 65536)) == 1
    assert decoder._capacity == 0


@pytest.mark.parametrize("piece", [1, 7, 64, 1700, 4096, 1 << 20])
def test_bytes_moved_are_linear_in_bytes_fed(piece: int) -> None:
    """However the stream is cut, each byte is copied into the buffer at most once, and only of frames that are cut."""
    frame = encode_message({":event-type": "TranscriptEvent"}, bytes(1650))
    stream = frame * (20 if piece < 64 else 1000)
    decoder = EventStreamDecoder()
    found = sum(len(decoder.feed(stream[at:at + piece])) for at in range(0, len(stream), piece))
    assert found == len(stream) // len(frame)
    cut_frames = min(found, len(stream) // piece)
    assert decoder._copied <= cut_frames * len(frame) + 2 * len(frame)  # the second term: the buffer finds its size


@pytest.mark.parametrize("piece", [64, 4096, 1 << 16])
def test_bytes_moved_are_linear_in_the_length_of_a_frame(piece: int) -> None:
    for size in (1 << 16, 1 << 20):
        frame = encode_message({}, bytes(size))
        decoder = EventStreamDecoder()
        assert sum(len(decoder.feed(frame[at:at + piece])) for at in range(0, len(frame), piece)) == 1
        assert decoder._copied <= 3 * len(frame)


def test_one_decoder_is_not_used_by_two_threads_at_once() -> None:
    frame = encode_message({}, bytes(20 << 20))
    decoder = EventStreamDecoder()
    decoder.feed(frame[:-1])
    outcomes: list[Any] = []
    barrier = threading.Barrier(2)

    def finish() -> None:
        barrier.wait()
        try:
            outcomes.append(decoder.feed(frame[-1:]))
        except (LocalProtocolError, RemoteProtocolError) as error:
            outcomes.append(error)

    threads = [threading.Thread(target=finish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, list) and len(outcome) == 1 for outcome in outcomes) == 1
