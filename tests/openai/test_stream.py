"""Transcriptions as Server-Sent Events, of every dialect, cut anywhere."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.audio import TranscriptionTextDeltaEvent, TranscriptionTextDoneEvent, TranscriptionTextSegmentEvent

from asrproto.errors import FrameTooLarge, MalformedFrame, RemoteProtocolError, TruncatedFrame
from asrproto.events import Event, SessionEnded, SessionFailed, Transcript, UnknownEvent
from asrproto.http import SSEDecoder
from asrproto.openai.stream import TranscriptionStream

DELTAS: list[dict[str, Any]] = [
    {"type": "transcript.text.delta", "delta": "Go"},
    {"type": "transcript.text.delta", "delta": " forward\u2028", "logprobs": [{"token": " forward", "logprob": -0.1}]},
]
DONE: dict[str, Any] = {"type": "transcript.text.done", "text": "Go forward.", "languages": [{"code": "en"}],
                        "usage": {"type": "tokens", "input_tokens": 1, "output_tokens": 2, "total_tokens": 3}}
SEGMENTS: list[dict[str, Any]] = [
    {"type": "transcript.text.segment", "id": "seg_1", "start": 0.0, "end": 1.0, "speaker": "A", "text": " Go."},
    {"type": "transcript.text.segment", "id": "seg_2", "start": 1.0, "end": 2.5, "speaker": "B", "text": "Where?"},
]


def sse(*documents: Any, end: str = "\n") -> bytes:
    texts = (document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
             for document in documents)
    return "".join(f"data: {text}{end}{end}" for text in texts).encode()


def run(*pieces: bytes) -> list[Event]:
    stream = TranscriptionStream()
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + stream.close()


def shown(events: list[Event]) -> list[Any]:
    return [(event.text, event.is_final) if isinstance(event, Transcript) else type(event) for event in events]


def test_the_examples_are_those_of_the_client() -> None:
    for document in DELTAS:
        TranscriptionTextDeltaEvent.model_validate(document, strict=True)
    for document in SEGMENTS:
        TranscriptionTextSegmentEvent.model_validate(document, strict=True)
    TranscriptionTextDoneEvent.model_validate(DONE, strict=True)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("tail", [(), ("[DONE]",)])
def test_deltas_grow_and_become_final(end: str, tail: tuple[str, ...]) -> None:
    data = sse(*DELTAS, DONE, *tail, end=end)
    events = run(data)
    assert shown(events) == [("Go", False), ("Go forward\u2028", False), ("Go forward.", True), SessionEnded]
    assert isinstance(events[2], Transcript)
    assert (events[2].language, events[2].raw) == ("en", DONE)
    for cut in range(len(data)):
        assert run(data[:cut], data[cut:]) == events


def test_segments_are_not_said_twice() -> None:
    events = run(sse(*SEGMENTS, DONE, "[DONE]"))
    assert [(event.text, event.speaker, event.start, event.end, event.segment_id) for event in events[:2]] == [
        ("Go.", "A", 0.0, 1.0, "seg_1"), ("Where?", "B", 1.0, 2.5, "seg_2")]
    assert events[2:] == [SessionEnded(DONE)]


def test_deltas_of_segments_are_told_apart() -> None:
    deltas = [{"type": "transcript.text.delta", "delta": text, "segment_id": segment}
              for text, segment in [("a", "seg_1"), ("x", "seg_2"), ("b", "seg_1")]]
    events = run(sse(*deltas, *SEGMENTS, DONE))
    assert [(event.text, event.segment_id) for event in events[:3]] == [("a", "seg_1"), ("x", "seg_2"), ("ab", "seg_1")]
    assert shown(events[3:]) == [("Go.", True), ("Where?", True), SessionEnded]


def test_vllm() -> None:
    chunks = [{"id": "trsc-1", "object": "transcription.chunk", "created": 1, "model": "m", "choices": [
        {"delta": {"content": text}, "finish_reason": None}]} for text in (" Go", " forward", None)]
    usage = {"object": "transcription.chunk", "choices": [], "usage": {"total_tokens": 3}}
    assert shown(run(sse(*chunks, usage, "[DONE]"))) == [(" Go", False), (" Go forward", False), ("Go forward", True),
                                                         SessionEnded]
    failed = run(sse(chunks[0], {"error": {"message": "oops", "type": "InternalServerError", "code": 500}}, "[DONE]"))
    assert isinstance(failed[1], SessionFailed)
    assert (failed[1].error.code, failed[1].error.message, failed[1].error.retryable) == ("500", "oops", True)
    assert len(failed) == 2


def test_speaches() -> None:
    assert shown(run(sse({"text": "Go"}, {"text": " forward"}))) == [("Go", True), ("forward", True), SessionEnded]


def test_unknown_events_are_kept() -> None:
    odd = {"type": "transcript.text.sung", "key": "C"}
    assert run(sse(odd, [1], DONE))[:2] == [UnknownEvent(odd), UnknownEvent([1])]
    assert shown(run(sse(DONE, DELTAS[0]))) == [("Go forward.", True), SessionEnded]  # what follows the end is dropped


@given(st.integers(0, len(sse(*DELTAS, DONE)) - 1))
def test_a_stream_that_breaks_off(cut: int) -> None:
    """What came before is not lost, and the end says that there is more."""
    data = sse(*DELTAS, DONE)
    stream = TranscriptionStream()
    events = stream.feed(data[:cut])
    whole = data[:cut].count(b"\n\n")
    assert len(events) == whole
    with pytest.raises(TruncatedFrame) as caught:
        stream.close()
    ends_between = cut == 0 or data[:cut].endswith(b"\n\n")
    assert caught.value.reason == ("ended-early" if ends_between else "event-cut-off")


@pytest.mark.parametrize(("bad", "reason"), [
    ("{", "not-json"), ("", "not-json"), ("<html>", "not-json"), ({"type": "transcript.text.delta"}, "wrong-shape"),
    ({"type": "transcript.text.delta", "delta": 5}, "wrong-shape"), ({"type": "transcript.text.done"}, "wrong-shape"),
    ({"type": "transcript.text.segment", "id": 1}, "wrong-shape"),
    ({"object": "transcription.chunk", "choices": [5]}, "wrong-shape"), ({"text": 5}, "wrong-shape"),
])
def test_a_bad_event(bad: Any, reason: str) -> None:
    stream = TranscriptionStream()
    assert shown(stream.feed(sse(DELTAS[0], bad, DONE))) == [("Go", False)]  # not lost
    for call in (lambda: stream.feed(b""), stream.close):
        with pytest.raises(MalformedFrame) as caught:
            call()
        assert caught.value.reason == reason


def test_a_line_without_end() -> None:
    stream = TranscriptionStream(decoder=SSEDecoder(max_line_size=100))
    assert len(stream.feed(sse(DELTAS[0]) + b"data: " + b"x" * 1000)) == 1
    with pytest.raises(FrameTooLarge):
        stream.feed(b"x")


def test_the_key_is_not_echoed() -> None:
    stream = TranscriptionStream(secrets=["sk-made-up-0123456789"])
    error = {"message": "bad key sk-made-up-0123456789", "code": "sk-made-up-0123456789"}
    (failed,) = stream.feed(sse({"error": error}))
    assert isinstance(failed, SessionFailed)
    assert "sk-made" not in str(failed)


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        run(b"data: " + data)
