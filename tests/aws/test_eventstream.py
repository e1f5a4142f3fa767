"""Messages, values and the encoder: known answers, types, and what a caller cannot have."""

from __future__ import annotations

import copy
import enum
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from asrproto.aws.eventstream import (
    EventStreamDecoder,
    Int8,
    Int16,
    Int32,
    Int64,
    Message,
    MessageEncoder,
    Timestamp,
    encode_frame,
    encode_headers,
    encode_message,
)
from asrproto.errors import LocalProtocolError

AUDIO = {":message-type": "event", ":event-type": "AudioEvent", ":content-type": "application/octet-stream"}

# What Amazon Transcribe answers to JSON text where it expects frames: quoted in a user's question (recordings of its
# text carry a translated message; with the service's own English one both checksums hold).
BAD_REQUEST = (
    b"\x00\x00\x00\xa3\x00\x00\x00ah\x10k\xe1"
    b"\x0f:exception-type\x07\x00\x13BadRequestException"
    b"\r:content-type\x07\x00\x10application/json"
    b"\r:message-type\x07\x00\texception"
    b'{"Message":"Unexpected WebSocket frame received."}\xbd\xceK\x8a'
)

# Frames that botocore's own tests decode (tests/unit/test_eventstream.py), with the types that botocore forgets.
KNOWN: dict[str, tuple[str, dict[str, Any], bytes]] = {
    "empty": ("00000010 00000000 05c248eb 7d98c8ff", {}, b""),
    "byte": ("00000017 00000007 29860158 04 62797465 02 ff c2f869dc", {"byte": Int8(-1)}, b""),
    "short": ("00000019 00000009 710e923e 05 73686f7274 03 ffff b27cb6cc", {"short": Int16(-1)}, b""),
    "integer": ("0000001d 0000000d 83e3f0e7 07 696e7465676572 04 ffffffff 8b8e12eb", {"integer": Int32(-1)}, b""),
    "long": ("0000001e 0000000e 5d4adb8d 04 6c6f6e67 05 ffffffffffffffff 4bc232da", {"long": Int64(-1)}, b""),
    "payload": ("0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936", {}, b"{'foo':'bar'}"),
    "every type": (
        "00000062 00000052 03b5cb9c 0130 00 0131 01 0132 02 02 0133 03 0003 0134 04 00000004 0135 05 0000000000000005"
        "0136 06 0005 6279746573 0137 07 0004 75746638 0138 08 0000000000000008"
        "0139 09 30313233343536373839616263646566 63353671",
        {"0": True, "1": False, "2": Int8(2), "3": Int16(3), "4": Int32(4), "5": Int64(5), "6": b"bytes", "7": "utf8",
         "8": Timestamp(8), "9": UUID(bytes=b"0123456789abcdef")}, b""),
}


def typed(headers: Mapping[str, Any]) -> list[tuple[str, type, Any]]:
    return [(name, type(value), value) for name, value in headers.items()]


@pytest.mark.parametrize("name", KNOWN)
def test_known_frames(name: str) -> None:
    frame, headers, payload = bytes.fromhex(KNOWN[name][0]), *KNOWN[name][1:]
    assert encode_message(headers, payload) == frame
    message = Message.decode(frame)
    assert typed(message.headers) == typed(headers)
    assert message.payload == payload
    assert message == Message(headers, payload)
    assert message.encode() == frame


def test_real_server_frame() -> None:
    message = Message.decode(BAD_REQUEST)
    assert list(message.headers.items()) == [(":exception-type", "BadRequestException"),
                                             (":content-type", "application/json"), (":message-type", "exception")]
    assert message.payload == b'{"Message":"Unexpected WebSocket frame received."}'
    assert message.encode() == BAD_REQUEST
    assert EventStreamDecoder().feed(BAD_REQUEST) == [message]


def test_header_block_alone() -> None:
    # the header that the signature of an event covers
    assert encode_headers({":date": Timestamp(1_600_000_000_123)}) == (
        b"\x05:date\x08" + (1_600_000_000_123).to_bytes(8, "big"))
    assert encode_headers({}) == b""


def test_message_encoder_gives_what_encode_message_gives() -> None:
    encoder = MessageEncoder(AUDIO)
    for size in (0, 1, 3200, 70_000):
        assert encoder.encode(bytes(size)) == encode_message(AUDIO, bytes(size))


def test_a_header_block_stands_for_its_headers() -> None:
    for headers in ({}, AUDIO):
        assert encode_frame(encode_headers(headers), b"payload") == encode_message(headers, b"payload")
    with pytest.raises(LocalProtocolError, match="200"):
        encode_frame(bytes(201), max_headers_size=200)
    with pytest.raises(TypeError):
        encode_frame(AUDIO)  # type: ignore[arg-type]


# -- Values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "bits"), [(Int8, 8), (Int16, 16), (Int32, 32), (Int64, 64), (Timestamp, 64)])
def test_sized_integers(kind: type[int], bits: int) -> None:
    for value in (-1 << bits - 1, -1, 0, 1, (1 << bits - 1) - 1):
        number = kind(value)
        assert number == value
        assert hash(number) == hash(value)
        assert str(number) == f"{number}" == str(value)
        assert repr(number) == f"{kind.__name__}({value})"
        assert type(pickle.loads(pickle.dumps(number))) is type(copy.deepcopy(number)) is kind
        assert type(Message.decode(encode_message({"n": number})).headers["n"]) is kind
        assert Message.decode(encode_message({"n": number})).headers["n"] == value
    for value in (-1 - (1 << bits - 1), 1 << bits - 1):
        with pytest.raises(LocalProtocolError, match=kind.__name__):
            kind(value)
        forged = int.__new__(kind, value)
        with pytest.raises(LocalProtocolError, match=f"'count'.*{kind.__name__}"):
            encode_message({"count": forged})
    with pytest.raises(TypeError):
        kind(1.0)


@pytest.mark.parametrize(("value", "expected"), [
    (0, Int32(0)), (2**31 - 1, Int32(2**31 - 1)), (-2**31, Int32(-2**31)), (2**31, Int64(2**31)),
    (-2**31 - 1, Int64(-2**31 - 1)), (2**63 - 1, Int64(2**63 - 1)), (-2**63, Int64(-2**63)),
    (bytearray(b"ab"), b"ab"), (memoryview(b"xaby")[1:3], b"ab"),
    (datetime(1970, 1, 1, 0, 0, 1, 999_999, timezone.utc), Timestamp(1999)),
    (datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), Timestamp(0)),
    (datetime(1969, 12, 31, 23, 59, 59, 999_999, timezone.utc), Timestamp(-1)),
    (enum.IntEnum("Color", "RED").RED, Int32(1)), (type("Text", (str,), {})("text"), "text"),
    (type("Id", (UUID,), {})(int=5), UUID(int=5)), (type("Tiny", (Int8,), {"__slots__": ()})(5), Int8(5)),
])
def test_what_other_values_become(value: Any, expected: Any) -> None:
    message = Message({"name": value})
    assert typed(message.headers) == [("name", type(expected), expected)]
    assert Message.decode(encode_message({"name": value})) == message


@pytest.mark.parametrize("value", [2**63, -2**63 - 1, datetime(2024, 1, 1), "x" * 32768, b"x" * 32768, "é" * 16384,
                                   "\ud800"], ids=repr)
def test_values_that_cannot_be_sent(value: Any) -> None:
    with pytest.raises(LocalProtocolError, match="'stamp'"):
        encode_message({"stamp": value})
    with pytest.raises(LocalProtocolError, match="'stamp'"):
        Message({"stamp": value}).encode()


@pytest.mark.parametrize("value", [None, 1.5, [1], {"a": 1}, object()], ids=repr)
def test_values_of_types_that_headers_lack(value: Any) -> None:
    with pytest.raises(TypeError, match="'stamp'"):
        encode_message({"stamp": value})
    with pytest.raises(TypeError, match="'stamp'"):
        Message({"stamp": value})


def test_longest_value_and_name() -> None:
    headers = {"n" * 255: "v" * 32767, "é" * 127: b"\xff" * 32767}
    assert Message.decode(encode_message(headers)).headers == headers


@pytest.mark.parametrize(("name", "error"), [("", LocalProtocolError), ("n" * 256, LocalProtocolError),
                                             ("é" * 128, LocalProtocolError), ("\ud800", LocalProtocolError),
                                             (b"name", TypeError), (None, TypeError)])
def test_names_that_cannot_be_sent(name: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="name"):
        encode_message({name: "value"})


def test_timestamp_and_datetime() -> None:
    when = datetime(2020, 9, 13, 12, 26, 40, 123_000, timezone.utc)
    assert Timestamp.from_datetime(when) == 1_600_000_000_123
    assert Timestamp.from_datetime(when).to_datetime() == when
    assert Timestamp(-1).to_datetime() == datetime(1969, 12, 31, 23, 59, 59, 999_000, timezone.utc)
    with pytest.raises(LocalProtocolError, match="time zone"):
        Timestamp.from_datetime(datetime(2020, 1, 1))
    for far in (-2**63, 2**63 - 1, 253_402_300_800_000):
        with pytest.raises(LocalProtocolError, match="years"):
            Timestamp(far).to_datetime()


# -- Spellings of headers and payloads --------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [
    AUDIO, OrderedDict(AUDIO), MappingProxyType(AUDIO), list(AUDIO.items()), tuple(AUDIO.items()),
    Message(AUDIO).headers, pytest.param(None, id="iterator"),
], ids=lambda headers: type(headers).__name__)
def test_spellings_of_headers(headers: Any) -> None:
    assert encode_message(headers if headers is not None else iter(AUDIO.items()), b"x") == encode_message(AUDIO, b"x")


def test_reordered_dict_keeps_its_order() -> None:
    headers = OrderedDict(AUDIO)
    headers.move_to_end(":message-type")
    assert list(Message.decode(encode_message(headers)).headers) == list(headers)


def test_a_name_twice_is_refused() -> None:
    pairs = [("a", 1), ("b", 2), ("a", 3)]
    for call in (encode_message, encode_headers, Message, MessageEncoder):
        with pytest.raises(LocalProtocolError, match="'a' is given twice"):
            call(pairs)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda data: memoryview(b"<" + data + b">")[1:-1]])
def test_any_bytes_like_payload(wrap: Any) -> None:
    data = bytes(range(256)) * 13
    expected = encode_message(AUDIO, data)
    assert encode_message(AUDIO, wrap(data)) == expected
    assert MessageEncoder(AUDIO).encode(wrap(data)) == expected
    assert Message(AUDIO, wrap(data)).encode() == expected
    assert Message.decode(wrap(expected)).payload == data
    assert EventStreamDecoder().feed(wrap(expected)) == [Message(AUDIO, data)]


@pytest.mark.parametrize("data", ["text", None, 5, memoryview(b"abcdef")[::2]], ids=repr)
def test_payloads_that_are_not_bytes(data: Any) -> None:
    for call in (MessageEncoder(AUDIO).encode, lambda data: encode_message({}, data), Message.decode,
                 EventStreamDecoder().feed):
        with pytest.raises(TypeError, match="bytes-like"):
            call(data)


def test_limits_of_what_is_sent() -> None:
    with pytest.raises(LocalProtocolError, match="max_message_size is 99"):
        encode_message({}, bytes(84), max_message_size=99)
    assert len(encode_message({}, bytes(83), max_message_size=99)) == 99
    with pytest.raises(LocalProtocolError, match="max_headers_size is 6"):
        encode_message({"abc": "d"}, max_headers_size=6)
    assert encode_message({"abc": "d"}, max_headers_size=8)
    encoder = MessageEncoder(AUDIO, max_message_size=150)
    with pytest.raises(LocalProtocolError, match="max_message_size"):
        encoder.encode(bytes(100))
    with pytest.raises(LocalProtocolError, match="max_message_size is 25165824"):
        encode_message({}, bytes(24 << 20))
    with pytest.raises(LocalProtocolError, match="max_headers_size is 131072"):
        encode_message({f"name{i}": bytes(32767) for i in range(5)})
    for limit in (-1, 15, 2**32):
        with pytest.raises(LocalProtocolError, match="max_message_size"):
            EventStreamDecoder(max_message_size=limit)
        with pytest.raises(LocalProtocolError, match="max_message_size"):
            encode_message({}, max_message_size=limit)
        with pytest.raises(LocalProtocolError, match="max_message_size"):
            MessageEncoder({}, max_message_size=limit)
        with pytest.raises(LocalProtocolError, match="max_message_size"):
            Message.decode(BAD_REQUEST, max_message_size=limit)
    with pytest.raises(LocalProtocolError, match="max_headers_size"):
        EventStreamDecoder(max_headers_size=-1)


# -- Messages as values -----------------------------------------------------------------------------------------------


def test_equality_minds_the_type_on_the_wire_and_not_the_order() -> None:
    assert Message({"a": 1, "b": "x"}) == Message({"b": "x", "a": Int32(1)})
    ones = [Message({"n": value}) for value in (Int8(1), Int16(1), Int32(1), Int64(1), Timestamp(1), True)]
    assert len(set(ones)) == len(ones)
    assert all((a == b) == (a is b) for a in ones for b in ones)
    assert Message({"n": "x"}) != Message({"n": b"x"})
    assert Message({}, b"a") != Message({}, b"b")
    assert Message({}, b"") != b""


def test_a_message_stays_as_it_is() -> None:
    message, other = EventStreamDecoder().feed(encode_message(AUDIO, b"1") + encode_message(AUDIO, b"2"))
    for change in (lambda h: h.__setitem__("a", 1), lambda h: h.update(a=1), lambda h: h.clear(), lambda h: h.pop("a"),
                   lambda h: h.setdefault("a", 1), lambda h: h.__delitem__(":event-type"), lambda h: h.popitem(),
                   lambda h: h.__ior__({"a": 1})):
        with pytest.raises(TypeError, match="cannot be changed"):
            change(message.headers)
    with pytest.raises(AttributeError):
        message.payload = b""
    assert message.headers == other.headers == AUDIO
    assert {**message.headers, "a": 1} == {**AUDIO, "a": 1}
    assert hash(message) == hash(Message(AUDIO, b"1"))


def test_messages_are_copied_and_pickled() -> None:
    [message] = EventStreamDecoder().feed(encode_message(KNOWN["every type"][1], b"payload"))
    for twin in (pickle.loads(pickle.dumps(message)), copy.copy(message), copy.deepcopy(message)):
        assert twin == message
        assert typed(twin.headers) == typed(message.headers)
    assert copy.deepcopy(message.headers) == message.headers


@pytest.mark.parametrize("headers", ["text", b"bytes", [1], [("name",)], [("name", 1, 2)], None, 5], ids=repr)
def test_headers_that_are_not_pairs(headers: Any) -> None:
    for call in (encode_message, encode_headers, Message, MessageEncoder):
        with pytest.raises(TypeError, match=r"pairs|iterable"):
            call(headers)


def test_encoders_are_copied_and_pickled() -> None:
    encoder = MessageEncoder({"n": Int8(1), **AUDIO}, max_message_size=4000, max_headers_size=300)
    for twin in (pickle.loads(pickle.dumps(encoder)), copy.deepcopy(encoder)):
        assert twin.encode(b"x") == encoder.encode(b"x")
        assert (twin.headers, twin.max_message_size, twin.max_headers_size) == (encoder.headers, 4000, 300)


def test_what_was_never_initialised_does_no_harm() -> None:
    with pytest.raises(AttributeError):
        EventStreamDecoder.__new__(EventStreamDecoder).feed(bytes(16))
    with pytest.raises(AttributeError):
        EventStreamDecoder.__new__(EventStreamDecoder).feed(encode_message(AUDIO))
    with pytest.raises((AttributeError, TypeError)):
        MessageEncoder.__new__(MessageEncoder).encode(b"")
    assert Message.__new__(Message).payload == b""


def test_repr_is_short() -> None:
    assert repr(Message({"n": 5}, b"abc")) == "Message({'n': Int32(5)}, b'abc')"
    assert repr(Message({}, b"a" * 3200)) == f"Message({{}}, {b'a' * 60!r}... (3200))"
    with pytest.raises(LocalProtocolError) as caught:
        encode_message({"n" * 100_000: 2**100_000})
    assert len(str(caught.value)) < 200
    with pytest.raises(LocalProtocolError, match="a number of 100001 bits"):
        encode_message({"n": 2**100_000})
    with pytest.raises(LocalProtocolError, match="a number of 100001 bits"):
        Int8(2**100_000)
