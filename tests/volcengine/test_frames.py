"""Frames: published bytes, every combination of fields, and what is not a frame."""

from __future__ import annotations

import gzip
import pickle
import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.errors import FrameTooLarge, LocalProtocolError, MalformedFrame, RemoteProtocolError, TruncatedFrame
from asrproto.volcengine.frames import (
    Compression,
    EventType,
    Flags,
    Frame,
    MessageType,
    Serialization,
    decode_frame,
    encode_frame,
)

ERROR_TEXT = (b'{"error":"[Timeout waiting next packet] Handle response: pre-handle: schedule request: '
              b'allocate session: waiting next packet timeout, session has ended"}')
FIRST_RESPONSE = (b'{"audio_info":{"duration":0},"result":{"additions":{"log_id":"20260409175957B079592BDCD6D1DEF28C"},'
                  b'"text":""}}')
DIALOG = '{"dialog":{"bot_name":"豆包","dialog_id":"","extra":null}}'.encode()

# Bytes from the vendor's documentation (OD) and captured from the live service (CAP).
PUBLISHED = {
    "OD StartConnection": (
        bytes.fromhex("1114100000000001000000027b7d"),
        Frame(MessageType.FULL_CLIENT_REQUEST, flags=Flags.EVENT, serialization=Serialization.JSON,
              event=EventType.START_CONNECTION, payload=b"{}")),
    "OD StartSession": (
        bytes.fromhex("11141000000000640000002437356136313236652d343237662d343961312d613263312d3632313134336362396462330000"
                      "003c") + DIALOG,
        Frame(MessageType.FULL_CLIENT_REQUEST, flags=Flags.EVENT, serialization=Serialization.JSON,
              event=EventType.START_SESSION, session_id="75a6126e-427f-49a1-a2c1-621143cb9db3", payload=DIALOG)),
    "CAP ConnectionStarted": (
        bytes.fromhex("11941000000000320000002433396633656636632d323839662d343336382d396436372d3633366364376632633939330000"
                      "00027b7d"),
        Frame(MessageType.FULL_SERVER_RESPONSE, flags=Flags.EVENT, serialization=Serialization.JSON,
              event=EventType.CONNECTION_STARTED, connection_id="39f3ef6c-289f-4368-9d67-636cd7f2c993",
              payload=b"{}")),
    "CAP error": (
        bytes.fromhex("11f0100002aea59100000099") + ERROR_TEXT,
        Frame(MessageType.ERROR, serialization=Serialization.JSON, error_code=45000081, payload=ERROR_TEXT)),
    "CAP first response": (
        bytes.fromhex("11911000000000010000006e") + FIRST_RESPONSE,
        Frame(MessageType.FULL_SERVER_RESPONSE, flags=Flags.SEQUENCE, serialization=Serialization.JSON, sequence=1,
              payload=FIRST_RESPONSE)),
}
SIZES = {"OD StartSession": 112, "CAP ConnectionStarted": 54, "CAP error": 165, "CAP first response": 122}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_frames(name: str) -> None:
    wire, frame = PUBLISHED[name]
    assert len(wire) == SIZES.get(name, len(wire))
    decoded = decode_frame(wire)
    assert decoded == frame
    assert encode_frame(decoded) == encode_frame(frame) == wire
    assert type(decoded.message_type) is MessageType
    assert type(decoded.flags) is Flags


def test_published_frame_cut_short() -> None:
    # OD TTSResponse, printed without most of its audio: it declares 2044 bytes.
    wire = bytes.fromhex("11b400000000016000000024"
                         "33653739316137642d323237612d343434362d393933622d323466396533303263633938"
                         "000007fc4f676753")
    with pytest.raises(TruncatedFrame) as caught:
        decode_frame(wire)
    assert (caught.value.reason, caught.value.offset) == ("truncated-payload", len(wire) - 4)
    whole = decode_frame(wire + bytes(2044 - 4))
    assert whole.event is EventType.TTS_RESPONSE
    assert whole.session_id == "3e791a7d-227a-4446-993b-24f9e302cc98"
    assert whole.message_type is MessageType.AUDIO_ONLY_RESPONSE


I32 = st.integers(-2**31, 2**31 - 1)
IDS = st.text(max_size=40)
EVENTS = st.one_of(I32, st.sampled_from([1, 2, 50, 51, 52, 100, 150, 352, 451]))


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    message_type = draw(st.integers(0, 15))
    flags = draw(st.integers(0, 15))
    event = draw(EVENTS) if flags & 4 else None
    return Frame(
        message_type, flags=flags, serialization=draw(st.integers(0, 15)), compression=draw(st.integers(0, 15)),
        sequence=draw(I32) if flags & 1 else None, event=event,
        connection_id=draw(IDS) if event in (50, 51, 52) else None,
        session_id=draw(IDS) if event is not None and event not in (1, 2, 50, 51, 52) else None,
        error_code=draw(st.integers(0, 2**32 - 1)) if message_type == 15 else None,
        payload=draw(st.binary(max_size=200)), extension=draw(st.binary(min_size=0, max_size=14)) * 4,
        reserved=draw(st.integers(0, 255)))


@given(frames(), st.sampled_from([bytes, bytearray, memoryview]), st.integers(0, 9))
def test_round_trip_over_all_combinations(frame: Frame, kind: Any, level: int) -> None:
    wire = encode_frame(frame, gzip_level=level)
    decoded = decode_frame(kind(wire))
    assert decoded == frame
    assert hash(decoded) == hash(frame)
    assert pickle.loads(pickle.dumps(decoded)) == frame
    assert encode_frame(decoded, gzip_level=level) == wire


@given(frames())
def test_fields_stand_in_the_documented_order(frame: Frame) -> None:
    """Against the layout written out with struct."""
    expected = bytes([0x11 + len(frame.extension) // 4, frame.message_type << 4 | frame.flags,
                      frame.serialization << 4 | frame.compression, frame.reserved]) + frame.extension
    if frame.error_code is not None:
        expected += struct.pack(">I", frame.error_code)
    if frame.sequence is not None:
        expected += struct.pack(">i", frame.sequence)
    if frame.event is not None:
        expected += struct.pack(">i", frame.event)
    for text in (frame.connection_id, frame.session_id):
        if text is not None:
            expected += struct.pack(">I", len(text.encode())) + text.encode()
    wire = encode_frame(frame)
    assert wire.startswith(expected)
    size, = struct.unpack_from(">I", wire, len(expected))
    payload = wire[len(expected) + 4:]
    assert size == len(payload)
    assert (gzip.decompress(payload) if frame.compression == 1 else payload) == frame.payload


def field_starts(frame: Frame, wire: bytes) -> dict[str, tuple[int, int]]:
    """Where each field of a frame starts and ends, in the order of the wire."""
    at = 4 + len(frame.extension)
    spans = {"header": (0, at)}
    for name, number in (("error-code", frame.error_code), ("sequence", frame.sequence), ("event", frame.event)):
        if number is not None:
            spans[name] = (at, at + 4)
            at += 4
    for name, text in (("connection-id", frame.connection_id), ("session-id", frame.session_id)):
        if text is not None:
            spans[name] = (at, at + 4 + len(text.encode()))
            at = spans[name][1]
    spans["payload-size"] = (at, at + 4)
    spans["payload"] = (at + 4, len(wire))
    return spans


@given(frames(), st.data())
def test_a_frame_that_ends_inside_any_field(frame: Frame, data: st.DataObject) -> None:
    wire = encode_frame(frame)
    cut = data.draw(st.integers(0, len(wire) - 1))
    name, (start, _) = next((name, span) for name, span in field_starts(frame, wire).items() if cut < span[1])
    if name.endswith("-id") and cut >= start + 4:
        start += 4  # its size is whole, its text is cut
    with pytest.raises(TruncatedFrame) as caught:
        decode_frame(wire[:cut])
    assert (caught.value.reason, caught.value.offset) == (f"truncated-{name}", start)


@given(frames(), st.binary(min_size=1, max_size=20))
def test_bytes_left_over(frame: Frame, rest: bytes) -> None:
    wire = encode_frame(frame)
    with pytest.raises(MalformedFrame) as caught:
        decode_frame(wire + rest)
    assert (caught.value.reason, caught.value.offset) == ("trailing-bytes", len(wire))


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda rest: b"\x11" + rest)))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    refused = None
    try:
        frame = decode_frame(data)
    except RemoteProtocolError as error:
        refused = error
    if refused is not None:
        assert refused.offset is not None
        assert 0 <= refused.offset <= len(data)
        assert refused.reason == refused.reason.lower()
    elif frame.compression is not Compression.GZIP:
        assert encode_frame(frame) == data


BROKEN = {
    "version 2": ("2110100000000000", MalformedFrame, "version", 0),
    "version 0": ("0110100000000000", MalformedFrame, "version", 0),
    "a header of no words": ("1010100000000000", MalformedFrame, "header-size", 0),
    "a header longer than the frame": ("1f90100000000000", TruncatedFrame, "truncated-header", 0),
    "connection id that is not UTF-8": ("11941000" "00000032" "00000003" "61ff62" "00000000", MalformedFrame,
                                        "connection-id-utf8", 13),
    "session id that is not UTF-8": ("11941000" "00000096" "00000002" "c328" "00000000", MalformedFrame,
                                     "session-id-utf8", 12),
    "an id whose size lies": ("11941000" "00000096" "ffffffff" "6162", TruncatedFrame, "truncated-session-id", 12),
    "a payload whose size lies": ("11901000" "ffffffff" "7b7d", TruncatedFrame, "truncated-payload", 8),
    "not gzip": ("11901100" "00000002" "7b7d", MalformedFrame, "gzip", 8),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frames(name: str) -> None:
    wire, kind, reason, offset = BROKEN[name]
    with pytest.raises(kind) as caught:
        decode_frame(bytes.fromhex(wire))
    assert type(caught.value) is kind
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


def test_sizes_that_lie_cost_no_memory() -> None:
    tracemalloc.start()
    try:
        for wire in ("11901000ffffffff7b7d", "1194100000000096ffffffff6162"):
            with pytest.raises(TruncatedFrame):
                decode_frame(bytes.fromhex(wire))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_limit_holds_for_the_payload_as_it_travels() -> None:
    wire = encode_frame(Frame(9, payload=bytes(1000)))
    assert decode_frame(wire, max_payload_size=1000).payload == bytes(1000)
    with pytest.raises(FrameTooLarge) as caught:
        decode_frame(wire, max_payload_size=999)
    assert (caught.value.reason, caught.value.offset) == ("payload-size", 4)


def test_gzip_bomb() -> None:
    packed = gzip.compress(gzip.compress(bytes(64 << 20), 9))
    once = gzip.decompress(packed)
    wire = b"\x11\x90\x11\0" + struct.pack(">I", len(once)) + once
    tracemalloc.start()
    try:
        with pytest.raises(FrameTooLarge) as caught:
            decode_frame(wire, max_payload_size=1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert (caught.value.reason, caught.value.offset) == ("payload-bomb", 8)
    assert len(decode_frame(wire, max_payload_size=64 << 20).payload) == 64 << 20


@pytest.mark.parametrize(("damage", "kind", "reason", "offset"), [
    (lambda packed: packed[:-1], TruncatedFrame, "gzip-truncated", 8),
    (lambda packed: packed[:12], TruncatedFrame, "gzip-truncated", 8),
    (lambda packed: packed + b"x", MalformedFrame, "gzip-trailing-bytes", None),
    (lambda packed: packed + packed, MalformedFrame, "gzip-trailing-bytes", None),
    (lambda packed: packed[:-8] + b"\0" * 8, MalformedFrame, "gzip", 8),
])
def test_gzip_that_is_not_one_whole_member(damage: Any, kind: Any, reason: str, offset: int | None) -> None:
    packed = gzip.compress(b'{"result":{"text":"hello"}}', mtime=0)
    content = damage(packed)
    with pytest.raises(kind) as caught:
        decode_frame(b"\x11\x90\x11\0" + struct.pack(">I", len(content)) + content)
    assert (caught.value.reason, caught.value.offset) == (reason, 8 + len(packed) if offset is None else offset)


def test_an_empty_payload_may_be_called_gzip() -> None:
    assert decode_frame(bytes.fromhex("1192110000000000")).payload == b""


def test_gzip_has_no_time_in_it() -> None:
    frame = Frame(2, compression=Compression.GZIP, payload=b"speech" * 100)
    wire = encode_frame(frame)
    assert wire[8:16] == bytes.fromhex("1f8b080000000000")
    assert len(encode_frame(frame, gzip_level=0)) > len(wire)


MISFITS = {
    "message_type": {"message_type": 16},
    "flags": {"message_type": 1, "flags": -1},
    "serialization": {"message_type": 1, "serialization": 2**70},
    "compression": {"message_type": 1, "compression": 16},
    "reserved": {"message_type": 1, "reserved": 256},
    "extension": {"message_type": 1, "extension": b"123"},
    "error_code missing": {"message_type": 15},
    "error_code out of place": {"message_type": 9, "error_code": 1},
    "error_code range": {"message_type": 15, "error_code": -1},
    "sequence missing": {"message_type": 1, "flags": 1},
    "sequence out of place": {"message_type": 1, "sequence": 1},
    "sequence range": {"message_type": 1, "flags": 1, "sequence": 2**31},
    "event missing": {"message_type": 1, "flags": 4},
    "event out of place": {"message_type": 1, "event": 1},
    "event range": {"message_type": 1, "flags": 4, "event": 2**100},
    "connection_id missing": {"message_type": 9, "flags": 4, "event": 50},
    "connection_id out of place": {"message_type": 9, "flags": 4, "event": 1, "connection_id": ""},
    "session_id missing": {"message_type": 9, "flags": 4, "event": 100},
    "session_id out of place": {"message_type": 1, "session_id": "a"},
    "connection_id text": {"message_type": 9, "flags": 4, "event": 50, "connection_id": "\ud800"},
}


@pytest.mark.parametrize("name", MISFITS)
def test_fields_that_make_no_frame(name: str) -> None:
    with pytest.raises(LocalProtocolError, match=name.partition(" ")[0]):
        encode_frame(Frame(**MISFITS[name]))


@pytest.mark.parametrize("arguments", [
    {"message_type": "1"}, {"message_type": None}, {"message_type": 1, "sequence": "1"},
    {"message_type": 1, "session_id": b"a"}, {"message_type": 1, "payload": "text"},
    {"message_type": 1, "payload": None},
])
def test_fields_of_the_wrong_type(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Frame(**arguments)


def test_wrong_use_of_the_functions() -> None:
    for wrong in ("text", None, 3):
        with pytest.raises(TypeError):
            decode_frame(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        encode_frame(None)  # type: ignore[arg-type]


def test_a_frame_is_immutable_and_shows_no_payload() -> None:
    frame = Frame(9, payload=b"my secret")
    with pytest.raises(AttributeError):
        frame.payload = b""  # type: ignore[misc]
    assert "secret" not in repr(frame)
    assert frame != "frame"
    assert frame.with_payload(b"other").payload == b"other"


@pytest.mark.parametrize("payload", [bytearray(b"ab"), memoryview(b"xaxb")[1::2], memoryview(b"ab")])
def test_payload_of_any_kind(payload: Any) -> None:
    assert Frame(2, payload=payload).payload == b"ab"


# What clients get wrong about responses, each with the bytes that show it.
RESPONSES = {
    "a response is not packed though the request was": ("11911000" "00000001" "00000002" "7b7d", 1, b"{}"),
    "without flag 1 there is no sequence": ("11901000" "00000002" "7b7d", None, b"{}"),
    "the last response has a positive sequence": ("11931000" "00000007" "00000002" "7b7d", 7, b"{}"),
    "a header extension is skipped": ("13911000" "0123456789abcdef" "00000001" "00000002" "7b7d", 1, b"{}"),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_responses(name: str) -> None:
    wire, sequence, payload = RESPONSES[name]
    frame = decode_frame(bytes.fromhex(wire))
    assert (frame.sequence, frame.payload) == (sequence, payload)
    assert bool(frame.flags & Flags.LAST) is (name.startswith("the last"))
    assert encode_frame(frame).hex() == wire


def test_unknown_numbers_survive() -> None:
    frame = decode_frame(bytes.fromhex("117c79aa" "00000309" "00000001" "61" "00000000"))
    assert (frame.message_type, frame.flags, frame.serialization, frame.compression) == (7, 12, 7, 9)
    assert (frame.reserved, frame.event, frame.session_id) == (0xAA, 777, "a")
