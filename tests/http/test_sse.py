"""The SSE decoder against the WHATWG's own examples, against any cut, and against the openai client's decoder."""

from __future__ import annotations

import contextlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder as ClientDecoder

from asrproto.errors import FrameTooLarge, LocalProtocolError, TruncatedFrame
from asrproto.http import ServerSentEvent, SSEDecoder


def decode(*pieces: bytes, **options: int) -> list[ServerSentEvent]:
    decoder = SSEDecoder(**options)
    return [event for piece in pieces for event in decoder.feed(piece)]


def plain(events: list[ServerSentEvent]) -> list[tuple[str, str]]:
    return [(event.event, event.data) for event in events]


# The examples of https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
# (the second is shortened) and rows for each rule of the section "Parsing an event stream" above them.
RULES = [
    ("stock", "data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10")]),
    ("space", "data:test\n\ndata: test\n\n", [("message", "test"), ("message", "test")]),
    ("two spaces", "data:  test\n\n", [("message", " test")]),
    ("empty data", "data\n\ndata\ndata\n\ndata:", [("message", ""), ("message", "\n")]),
    ("comment", ": test stream\n\ndata: first event\nid: 1\n\n", [("message", "first event")]),
    ("named", "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n", [("add", "73857293"), ("remove", "2153")]),
    ("named, no data", "event: add\n\ndata: x\n\n", [("message", "x")]),
    ("empty name", "event: add\nevent:\ndata: x\n\n", [("message", "x")]),
    ("data after name", "data: x\nevent: late\n\n", [("late", "x")]),
    ("unknown fields", "dat: 1\nDATA: 2\n data: 3\ndata: 4\nfoo\n\n", [("message", "4")]),
    ("colon in value", "data: a: b:c\n\n", [("message", "a: b:c")]),
    ("CR", "data: a\rdata: b\r\r", [("message", "a\nb")]),
    ("CRLF", "data: a\r\ndata: b\r\n\r\n", [("message", "a\nb")]),
    ("mixed", "data: a\rdata: b\ndata: c\r\n\rdata: d\n\r\n", [("message", "a\nb\nc"), ("message", "d")]),
    ("many empty lines", "\n\n\ndata: a\n\n\n\n\ndata: b\n\n", [("message", "a"), ("message", "b")]),
    ("LF CR LF is two empty lines", "data: a\n\r\ndata: b\n\n", [("message", "a"), ("message", "b")]),
    ("not an end: U+2028, U+2029, U+0085, FF, VT", "data: a\u2028b\u2029c\x85d\x0ce\x0bf\n\n",
     [("message", "a\u2028b\u2029c\x85d\x0ce\x0bf")]),
    ("BOM", "\ufeffdata: a\n\n", [("message", "a")]),
    ("only one BOM", "\ufeff\ufeffdata: a\n\ndata: b\n\n", [("message", "b")]),
    ("BOM inside", "data: \ufeffa\n\n\ufeffdata: b\n\n", [("message", "\ufeffa")]),
    ("NUL in data", "data: a\0b\n\n", [("message", "a\0b")]),
]


@pytest.mark.parametrize(("stream", "events"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_rules_hold_for_every_single_cut(stream: str, events: list[tuple[str, str]]) -> None:
    data = stream.encode()
    assert plain(decode(data)) == events
    assert plain(decode(*(data[i:i + 1] for i in range(len(data))))) == events
    for cut in range(len(data)):
        assert plain(decode(data[:cut], b"", data[cut:])) == events


def test_ids() -> None:
    decoder = SSEDecoder()
    stream = b"data: a\n\nid: 1\ndata: b\n\ndata: c\n\nid: 2\n\nid: 3\0\ndata: d\n\nid\ndata: e\n\nid: 9\n"
    assert [event.id for event in decoder.feed(stream)] == ["", "1", "1", "2", ""]
    assert decoder.last_event_id == ""  # the block that sets 9 is not over
    assert decoder.feed(b"\n") == []
    assert decoder.last_event_id == "9"
    decoder.close()


def test_retry_takes_ascii_digits_only() -> None:
    decoder = SSEDecoder()
    bad = "".join(f"retry: {text}\n" for text in ("", "-1", "+1", "1.5", "1e3", "0x10", "٣", "1 ", "9" * 5000))
    events = decoder.feed(f"retry: 1500\ndata: a\n\n{bad}data: b\n\nretry: 007\n\n".encode())
    assert [event.retry for event in events] == [1500, None]
    assert decoder.retry == 7


@pytest.mark.parametrize("text", [b"\xff", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\xaf", b"\xed\xa0\x80", b"a\x80b"])
def test_invalid_utf8_is_replaced_and_never_joins_lines(text: bytes) -> None:
    data = b"data: x" + text + b"\n\ndata: y\n\n"
    expected = [("message", (b"x" + text).decode("utf-8", "replace")), ("message", "y")]
    assert plain(decode(data)) == expected
    for cut in range(len(data)):
        assert plain(decode(data[:cut], data[cut:])) == expected


LINES = ["data: x", "data:", "data", "data: ü\u2028", "event: e", "event", "id: 7", "id: \0", "id", "retry: 5",
         "retry: x", ": c", "", "", "", "foo: bar", "\ufeff"]


@given(st.lists(st.sampled_from(LINES)),
       st.lists(st.sampled_from(["\n", "\r", "\r\n"]), min_size=40, max_size=40), st.data())
def test_any_cut_gives_the_same(lines: list[str], ends: list[str], data: st.DataObject) -> None:
    stream = "".join(line + end for line, end in zip(lines, ends, strict=False)).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = [stream[i:j] for i, j in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole, cut = SSEDecoder(), SSEDecoder()
    assert whole.feed(stream) == [event for piece in pieces for event in cut.feed(piece)]
    assert (whole.last_event_id, whole.retry) == (cut.last_event_id, cut.retry)


@given(st.binary(max_size=300), st.integers(1, 20), st.data())
def test_any_bytes_and_any_cut_end_the_same(stream: bytes, limit: int, data: st.DataObject) -> None:
    """Events, then at most one error; the same for every cut, under small bounds too."""
    def run(pieces: list[bytes]) -> tuple[list[ServerSentEvent], object]:
        decoder, events = SSEDecoder(max_line_size=limit, max_event_size=limit + 5), []
        try:
            for piece in pieces:
                events += decoder.feed(piece)
            decoder.close()
        except (FrameTooLarge, TruncatedFrame) as error:
            return events, (error.reason, error.offset)
        return events, None

    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = [stream[i:j] for i, j in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert run(pieces) == run([stream])


def test_bounds() -> None:
    assert plain(decode(b"data: 4567\n\n", max_line_size=10)) == [("message", "4567")]
    decoder = SSEDecoder(max_line_size=10)
    assert plain(decoder.feed(b"data: a\n\ndata: 45678\n\n")) == [("message", "a")]  # not lost
    for _ in range(2):
        with pytest.raises(FrameTooLarge) as caught:
            decoder.feed(b"data: b\n\n")
        assert (caught.value.reason, caught.value.offset) == ("line-too-long", 9)
    with pytest.raises(FrameTooLarge):
        decoder.close()
    pickle.loads(pickle.dumps(decoder))

    assert plain(decode(b"data: 45\ndata: 89\n\n", max_line_size=9, max_event_size=9)) == [("message", "45\n89")]
    with pytest.raises(FrameTooLarge) as caught:
        decode(*[b"data\n"] * 11, max_line_size=9, max_event_size=9)
    assert caught.value.reason == "event-too-large"


def test_a_line_without_end_costs_no_more_memory_than_the_bound() -> None:
    decoder = SSEDecoder(max_line_size=1000)
    for _ in range(10):
        assert decoder.feed(b"x" * 100) == []
    for _ in range(100):
        with pytest.raises(FrameTooLarge, match="1000 bytes"):
            decoder.feed(b"x" * 100)
    assert sum(map(len, decoder._tail)) <= 1000


def test_the_end_of_the_stream() -> None:
    for whole in (b"", b"data: a\n\n", b"data: a\n\n: comment\n", b"data: a\n\nid: 4\n", b"data: a\n\nevent: x\n",
                  b"\xef\xbb\xbf"):
        decoder = SSEDecoder()
        decoder.feed(whole)
        decoder.close()
    for cut in (b"data: a", b"data: a\n", b"data: a\r", b"\xef\xbb", b"data: a\n\nd", b": comm"):
        decoder = SSEDecoder()
        decoder.feed(cut)
        for _ in range(2):
            with pytest.raises(TruncatedFrame) as caught:
                decoder.close()
            assert (caught.value.reason, caught.value.offset) == ("event-cut-off", len(cut))


def test_wrong_use() -> None:
    for options in ({"max_line_size": 0}, {"max_line_size": 10, "max_event_size": 9}):
        with pytest.raises(LocalProtocolError, match="max_line_size"):
            SSEDecoder(**options)
    for data in ("data: x", 5, None):
        with pytest.raises(TypeError):
            SSEDecoder().feed(data)  # type: ignore[arg-type]
    assert plain(SSEDecoder().feed(memoryview(bytearray(b"data: x\n\n")))) == [("message", "x")]


# ---- the openai client's decoder, on the same streams

def client_events(data: bytes, size: int) -> list[tuple[str, str]]:
    pieces = [data[i:i + size] for i in range(0, len(data), size)]
    return [(event.event or "message", event.data) for event in ClientDecoder().iter_bytes(iter(pieces))]


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_agrees_with_the_openai_client_where_that_one_is_right(size: int) -> None:
    stream = "".join(
        (f": ping{end}" if i % 3 == 0 else "") + (f"event: e{end}" if i % 2 else "") + f"data: wörd {i}{end}{end}"
        for i, end in enumerate(["\n", "\r\n", "\r"] * 20)).encode() + b"data: [DONE]\n\n"
    pieces = [stream[i:i + size] for i in range(0, len(stream), size)]
    assert plain(decode(*pieces)) == client_events(stream, size)
    assert len(client_events(stream, size)) == 61


# Where the client's decoder departs from the specification: a BOM hides the first event, an id turns every later
# empty line into an event (and a block of an id alone into one), bytes that are not UTF-8 raise.
DEPARTURES = [
    ("BOM", b"\xef\xbb\xbfdata: a\n\ndata: b\n\n", [("message", "a"), ("message", "b")]),
    ("id alone", b"data: a\n\nid: 1\n\n: ping\n\ndata: b\n\n", [("message", "a"), ("message", "b")]),
    ("retry alone", b"retry: 10\n\ndata: a\n\n", [("message", "a")]),
    ("event alone", b"event: ping\n\ndata: a\n\n", [("message", "a")]),
    ("not UTF-8", b"data: \xff\n\n", [("message", "\ufffd")]),
]


@pytest.mark.parametrize(("stream", "events"), [row[1:] for row in DEPARTURES], ids=[row[0] for row in DEPARTURES])
def test_is_right_where_the_openai_client_is_not(stream: bytes, events: list[tuple[str, str]]) -> None:
    assert plain(decode(stream)) == events
    with contextlib.suppress(UnicodeDecodeError):
        assert client_events(stream, 1 << 20) != events


def test_u2028_in_data() -> None:
    stream = 'data: {"delta":"a\u2028b"}\n\n'.encode()
    assert plain(decode(stream)) == [("message", '{"delta":"a\u2028b"}')]
    assert client_events(stream, 5) == plain(decode(stream))  # openai 3.51 holds it too


@pytest.mark.parametrize("count", [4095, 4096, 4097, 12_288, 12_290])
def test_an_event_of_very_many_lines(count: int) -> None:
    lines = [str(number) for number in range(count)]
    stream = "".join(f"data: {line}\n" for line in lines).encode() + b"\ndata: next\n\n"
    assert plain(decode(stream)) == [("message", "\n".join(lines)), ("message", "next")]
    assert plain(decode(stream[:20_000], stream[20_000:])) == plain(decode(stream))
