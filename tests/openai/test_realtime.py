"""Realtime conversations: what is sent is of the client's types, the fake understands it, and every event is heard."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

from asrproto.audio import AudioEncoder
from asrproto.errors import LocalProtocolError, MalformedFrame
from asrproto.events import Event, SessionEnded, SessionFailed, SessionStarted, Transcript, UnknownEvent
from asrproto.openai.dialects import GROQ, OPENAI, VLLM
from asrproto.openai.realtime import Notice, RealtimeSession, TranscriptionFailed
from asrproto.session import HearsHandshake, StreamingSession
from asrproto.testing import HandshakeRefused, ScriptedRecogniser
from asrproto.testing.openai import RealtimeService

KEY = "sk-made-up-0123456789"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND = bytes(48000)
CLIENT = TypeAdapter[Any](RealtimeClientEvent)
SERVER = TypeAdapter[Any](RealtimeServerEvent)
ITEM = "conversation.item.input_audio_transcription."


def session(**options: Any) -> RealtimeSession:
    return RealtimeSession(**{"api_key": KEY, "model": "gpt-4o-transcribe", **options})


def started(**options: Any) -> RealtimeSession:
    one = session(**options)
    one.handshake()
    one.start()
    return one


def hear(one: RealtimeSession, kind: str, **fields: Any) -> list[Event]:
    return one.receive(json.dumps({"type": kind, "event_id": "event_1", **fields}))


def recognisers(rate: int) -> ScriptedRecogniser:
    return ScriptedRecogniser("go forward ten meters", rate)


def converse(one: RealtimeSession, service: RealtimeService, audio: bytes, *, cut: int = 5000) -> Iterator[Event]:
    """The driver of a client, without a socket."""
    fake = service.accept(one.handshake(), at=NOW)
    def exchange(messages: list[str]) -> Iterator[Event]:
        for message in messages:
            for answer in fake.receive(message):
                yield from one.receive(answer)

    yield from exchange(one.start())
    for at in range(0, len(audio), cut):
        yield from exchange(one.send_audio(audio[at:at + cut]))
    yield from exchange(one.end_audio())


def test_protocols() -> None:
    assert isinstance(session(), StreamingSession)
    assert isinstance(session(), HearsHandshake)


def test_handshake() -> None:
    request = session(organization="org-1", project="proj-1", extra_headers={"X-A": "b"}).handshake()
    assert (request.method, request.url) == ("GET", "wss://api.openai.com/v1/realtime?intent=transcription")
    assert request.headers == (("Authorization", f"Bearer {KEY}"), ("OpenAI-Organization", "org-1"),
                               ("OpenAI-Project", "proj-1"), ("X-A", "b"))
    assert KEY not in repr(request) + repr(session())
    local = session(dialect=VLLM, api_key=None, model="m", base_url="http://gpu:8000/v1/")
    assert (local.handshake().url, local.handshake().headers) == ("ws://gpu:8000/v1/realtime", ())
    assert session(base_url="wss://proxy/v1").handshake().url == "wss://proxy/v1/realtime?intent=transcription"


def test_settings() -> None:
    (update,) = started_messages(
        language="en", prompt="Austen", turn_detection={"type": "server_vad", "threshold": 0.5},
        noise_reduction="near_field", include=["item.input_audio_transcription.logprobs"],
        transcription={"keywords": ["asrproto"], "delay": "low"})
    assert json.loads(update) == {"type": "session.update", "session": {
        "type": "transcription", "include": ["item.input_audio_transcription.logprobs"],
        "audio": {"input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "gpt-4o-transcribe", "language": "en", "prompt": "Austen", "delay": "low",
                              "keywords": ["asrproto"]},
            "turn_detection": {"type": "server_vad", "threshold": 0.5}, "noise_reduction": {"type": "near_field"}}}}}
    CLIENT.validate_json(update, strict=True)
    (update,) = started_messages(audio_format="audio/pcma")
    settings = json.loads(update)["session"]["audio"]["input"]
    assert settings == {"format": {"type": "audio/pcma"}, "transcription": {"model": "gpt-4o-transcribe"},
                        "turn_detection": None}
    CLIENT.validate_json(update, strict=True)


def started_messages(**options: Any) -> list[str]:
    one = session(**options)
    one.handshake()
    return one.start()


@pytest.mark.parametrize(("audio_format", "chunk"), [("audio/pcm", 4800), ("audio/pcmu", 800), ("audio/pcma", 800)])
def test_audio_goes_in_chunks(audio_format: str, chunk: int) -> None:
    one = started(audio_format=audio_format)
    audio = bytes(range(256)) * 40
    messages = [*one.send_audio(audio[:3001]), *one.send_audio(memoryview(audio)[3001:])]
    last = one.end_audio()
    appended = [base64.b64decode(json.loads(message)["audio"]) for message in [*messages, *last[:-1]]]
    assert b"".join(appended) == audio
    assert {len(data) for data in appended[:-1]} == {chunk}
    assert json.loads(last[-1]) == {"type": "input_audio_buffer.commit"}
    for message in [*messages, *last]:
        CLIENT.validate_json(message, strict=True)


def test_conversation_with_the_fake() -> None:
    events = list(converse(session(), RealtimeService(recognisers, api_key=KEY), SECOND))
    assert isinstance(events[0], SessionStarted)
    assert events[0].session_id == "sess_fake"
    assert [type(event) for event in events[1:3]] == [Notice, Notice]
    texts = [(event.text, event.is_final, event.segment_id) for event in events if isinstance(event, Transcript)]
    assert texts == [("go", False, "item_1"), ("go forward", False, "item_1"), ("go forward ten", False, "item_1"),
                     ("go forward ten meters", False, "item_1"), ("go forward ten meters", True, "item_1")]
    assert events[-1] == SessionEnded()


def test_the_fake_speaks_the_clients_types() -> None:
    one, fake = session(), RealtimeService(recognisers, api_key=KEY).accept(session().handshake(), at=NOW)
    one.handshake()
    messages = [*one.start(), *one.send_audio(SECOND), *one.commit(), *one.end_audio(), '{"type": "odd"}', "{"]
    answers = [answer for message in messages for answer in fake.receive(message)]
    kinds = [SERVER.validate_json(answer).type for answer in answers[1:]]  # the first has the session's id alone
    assert kinds == ["session.updated", "input_audio_buffer.committed", *[ITEM + "delta"] * 4, ITEM + "completed",
                     "error", "error"]


@pytest.mark.parametrize(("audio_format", "encoding", "rate"), [
    ("audio/pcm", "pcm_s16le", 24000), ("audio/pcmu", "ulaw", 8000), ("audio/pcma", "alaw", 8000)])
def test_the_fake_hears_every_format_at_16_khz(audio_format: str, encoding: str, rate: int) -> None:
    heard: list[int] = []

    class Counter(ScriptedRecogniser):
        def accept(self, pcm: bytes) -> Any:
            heard.append(len(pcm))
            return super().accept(pcm)

    encoder = AudioEncoder(rate_in=48000, dtype_in="int16", rate_out=rate, encoding=encoding)
    audio = b"".join([*encoder.push(memoryview(bytes(96000)).cast("h")), *encoder.flush()])
    one = session(audio_format=audio_format)
    events = list(converse(one, RealtimeService(lambda rate: Counter("a b", rate), api_key=KEY), audio, cut=777))
    assert isinstance(events[-1], SessionEnded)
    assert sum(heard) == 32000  # one second


def test_vllm() -> None:
    one = session(dialect=VLLM, api_key=None, model="voxtral")
    service = RealtimeService(recognisers, api_key=None, dialect=VLLM)
    assert started_messages(dialect=VLLM, model="voxtral") == [
        '{"type":"session.update","model":"voxtral"}', '{"type":"input_audio_buffer.commit"}']
    events = list(converse(one, service, bytes(32000)))
    assert [event.text for event in events if isinstance(event, Transcript)] == [
        "go", "go forward", "go forward ten", "go forward ten meters", "go forward ten meters"]
    assert isinstance(events[-1], SessionEnded)
    assert one.receive_eof() == []
    assert [type(event) for event in hear(one, "transcription.done", text="again")] == [Transcript]  # one end is enough
    refused = started(dialect=VLLM, api_key=None)
    (failed,) = hear(refused, "error", error="The model `m` does not exist.", code="model_not_found")
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.message) == ("model_not_found", "The model `m` does not exist.")
    with pytest.raises(LocalProtocolError, match="one stretch"):
        started(dialect=VLLM).commit()
    for option in ("language", "prompt", "noise_reduction"):
        with pytest.raises(LocalProtocolError, match=option):
            session(dialect=VLLM, **{option: "x"})


def test_stretches_by_hand() -> None:
    one = started()
    assert one.commit() == []  # an empty commit is an error of the service's
    assert len(one.send_audio(SECOND)) == 10
    assert one.commit() == ['{"type":"input_audio_buffer.commit"}']
    assert one.commit() == []
    one.send_audio(SECOND[:1000])
    assert len(one.commit()) == 2
    hear(one, "input_audio_buffer.committed", item_id="a")
    hear(one, ITEM + "delta", item_id="a", delta="x")
    one.end_audio()
    assert isinstance(hear(one, ITEM + "completed", item_id="a", transcript="x")[-1], Transcript)  # b is not there yet
    hear(one, "input_audio_buffer.committed", item_id="b")
    assert hear(one, ITEM + "completed", item_id="b", transcript="y")[-1] == SessionEnded()


def test_no_audio_at_all() -> None:
    one = session()
    events = list(converse(one, RealtimeService(recognisers, api_key=KEY), b""))
    assert events[-1] == SessionEnded()
    assert not any(isinstance(event, SessionFailed | Transcript) for event in events)


def test_turn_detection() -> None:
    one = started(turn_detection={"type": "server_vad"})
    one.send_audio(SECOND)
    (notice,) = hear(one, "input_audio_buffer.speech_started", audio_start_ms=0, item_id="a")
    assert (notice.kind, notice.raw["item_id"]) == ("input_audio_buffer.speech_started", "a")
    hear(one, "input_audio_buffer.committed", item_id="a", previous_item_id=None)
    assert [json.loads(message)["type"][19:] for message in one.end_audio()] == ["commit", "clear"]
    hear(one, "input_audio_buffer.committed", item_id="b")  # by the service itself, just before
    error = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "message": "buffer too small"}
    assert [type(event) for event in hear(one, "error", error=error)] == [Notice]
    hear(one, ITEM + "completed", item_id="b", transcript="second")
    hear(one, "input_audio_buffer.cleared")
    last = hear(one, ITEM + "completed", item_id="a", transcript="first")
    assert [type(event) for event in last] == [Transcript, SessionEnded]
    assert one.receive_eof() == []


def test_speakers() -> None:
    one = started()
    one.send_audio(SECOND)
    one.end_audio()
    hear(one, "input_audio_buffer.committed", item_id="a")
    (segment,) = hear(one, ITEM + "segment", item_id="a", id="seg_1", content_index=0, text=" Go.", speaker="A",
                      start=0.0, end=1.5)
    assert segment == Transcript("Go.", True, start=0.0, end=1.5, speaker="A", segment_id="a/seg_1", raw=segment.raw)
    completed = hear(one, ITEM + "completed", item_id="a", transcript="Go.")
    assert [type(event) for event in completed] == [Notice, SessionEnded]


def test_a_stretch_that_fails() -> None:
    one = started()
    one.send_audio(SECOND)
    one.end_audio()
    hear(one, "input_audio_buffer.committed", item_id="a")
    failed, ended = hear(one, ITEM + "failed", item_id="a", content_index=0,
                         error={"type": "server_error", "code": "audio_unintelligible", "message": f"no {KEY}"})
    assert isinstance(failed, TranscriptionFailed)
    assert (failed.segment_id, failed.error.code, failed.error.message) == ("a", "audio_unintelligible", "no ***")
    assert failed.error.retryable
    assert ended == SessionEnded()


def test_failures() -> None:
    one = started()
    (failed,) = hear(one, "error", error={"type": "invalid_request_error", "code": "invalid_api_key", "message": KEY,
                                          "param": None, "event_id": None})
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.message) == ("invalid_api_key", "***")
    assert one.send_audio(SECOND) == one.commit() == one.end_audio() == one.receive_eof() == []

    one = started()
    one.send_audio(SECOND)
    (failed,) = one.receive_eof()
    assert isinstance(failed, SessionFailed)
    assert failed.error.code == "connection-closed"
    assert one.receive_eof() == []

    one = started()
    one.end_audio()
    assert one.receive_eof() == [SessionEnded()]  # closed instead of answering the clear: nothing was said anyway


def test_refused_handshake() -> None:
    one = session(api_key="sk-stranger-000")
    with pytest.raises(HandshakeRefused) as caught:
        RealtimeService(recognisers, api_key=KEY).accept(one.handshake(), at=NOW)
    response = caught.value.response
    (failed,) = one.receive_handshake(response.status, response.headers, response.body)
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.request_id) == ("invalid_api_key", "req_fake")
    assert failed.error.message == "Incorrect API key provided: ***."
    assert session().receive_handshake(101, ()) == []


def test_unknown_events_are_kept() -> None:
    one = started()
    for document in ({"type": "response.done"}, {"type": 5}, {}, [1], "x", None):
        assert one.receive(json.dumps(document)) == [UnknownEvent(document)]
    assert hear(one, "conversation.item.added", item={})[0].kind == "conversation.item.added"
    assert hear(one, "session.created", session=5)[0].session_id is None
    assert one.receive(b'{"type": "session.updated"}') == [Notice("session.updated", {"type": "session.updated"})]


@pytest.mark.parametrize("message", ["", "{", b"\xff", "<html>", '{"type": "transcription.delta"}',
                                     f'{{"type": "{ITEM}delta"}}', f'{{"type": "{ITEM}completed", "item_id": "a"}}',
                                     '{"type": "input_audio_buffer.committed", "item_id": 5}'])
def test_malformed(message: bytes | str) -> None:
    with pytest.raises(MalformedFrame):
        started().receive(message)


KINDS = ["error", "session.created", "input_audio_buffer.committed", "input_audio_buffer.cleared",
         "transcription.delta", "transcription.done",
         *(ITEM + end for end in ("delta", "segment", "completed", "failed"))]
NAMES = ["item_id", "id", "delta", "text", "transcript", "error", "session", "languages"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["code", "message", "type"]), inner),
    max_leaves=5)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_event(kind: str, fields: dict[str, Any]) -> None:
    one = started()
    try:
        events = hear(one, kind, **fields)
    except MalformedFrame:
        return
    assert all(isinstance(event, Event) for event in events)


def test_order_of_calls() -> None:
    one = session()
    for call in (one.start, one.end_audio, one.commit, lambda: one.send_audio(b"")):
        with pytest.raises(LocalProtocolError, match="before handshake"):
            call()
    one = started()
    one.send_audio(b"x")
    for call in (one.end_audio, one.commit):
        with pytest.raises(LocalProtocolError, match="inside a 16-bit sample"):
            call()
    one.send_audio(b"y")
    one.end_audio()
    with pytest.raises(LocalProtocolError, match="after end_audio"):
        one.send_audio(b"")
    odd = started(audio_format="audio/pcmu")
    odd.send_audio(b"x")
    assert len(odd.end_audio()) == 2


def test_options() -> None:
    for options, words in [({"dialect": GROQ}, "Groq has no realtime"), ({"audio_format": "audio/opus"}, "audio/pcmu"),
                           ({"dialect": VLLM, "audio_format": "audio/pcmu"}, "audio/pcm"),
                           ({"chunk_ms": 0}, "chunk_ms"), ({"chunk_ms": 250_000}, "15728640"),
                           ({"api_key": None}, "needs an api_key"), ({"model": ""}, "model")]:
        with pytest.raises(LocalProtocolError, match=words):
            session(**options)
    assert session(chunk_ms=240_000).rate == 24000
    assert session(dialect=VLLM).rate == 16000
    small = msgspec.structs.replace(OPENAI.realtime, max_append=8000)
    with pytest.raises(LocalProtocolError, match="8000"):
        session(dialect=msgspec.structs.replace(OPENAI, realtime=small), chunk_ms=130)


def test_a_session_pickles_in_the_middle() -> None:
    one = started()
    one.send_audio(SECOND[:7000])
    hear(one, ITEM + "delta", item_id="a", delta="Go")
    copy = pickle.loads(pickle.dumps(one))
    assert copy.send_audio(SECOND) == one.send_audio(SECOND)
    assert copy.end_audio() == one.end_audio()
    assert hear(copy, ITEM + "delta", item_id="a", delta=" on") == hear(one, ITEM + "delta", item_id="a", delta=" on")
