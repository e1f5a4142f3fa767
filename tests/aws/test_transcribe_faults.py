"""What can go wrong in a conversation: refusals, damage, early ends; and the fake, which is as hard to break."""

from __future__ import annotations

import contextlib
import json
import pickle
import struct
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transcribe_conversations import (
    AUDIO_HEADERS,
    KEYS,
    NOW,
    SECOND,
    SESSIONS,
    WORDS,
    analytics,
    both_transports,
    opened,
    service,
    standard,
    started,
    talk,
)

from asrproto import (
    ChecksumMismatch,
    Event,
    MalformedFrame,
    RemoteProtocolError,
    SessionEnded,
    SessionFailed,
    Transcript,
    TruncatedFrame,
    UnknownEvent,
)
from asrproto.aws.eventstream import Message, encode_message
from asrproto.aws.sigv4 import Credentials, SigV4Signer
from asrproto.http import HttpRequest
from asrproto.testing import HandshakeRefused, ScriptedRecogniser
from asrproto.testing.transcribe import FakeTranscribe, TranscribeConversation

# -- Refusals ---------------------------------------------------------------------------------------------------------


def test_text_instead_of_frames() -> None:
    """The frame is the one that the real service answers with (prelude CRC 0x68106be1, message CRC 0xbdce4b8a)."""
    session = standard()
    [answer] = opened(session).receive('{"AudioEvent": "..."}')
    assert len(answer) == 163
    assert struct.unpack(">III", answer[:12]) == (163, 97, 0x68106BE1)
    assert answer[-4:] == struct.pack(">I", 0xBDCE4B8A)
    session.start()
    session.send_audio(b"?")
    [failed] = session.receive(answer)
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.message) == ("BadRequestException", "Unexpected WebSocket frame received.")
    assert failed.error.advice is not None
    assert "bytes as binary WebSocket messages" in failed.error.advice
    assert session.send_audio(SECOND) == []
    assert session.end_audio() == []
    assert session.receive_eof() == []


def refusal(session: Any, fake: FakeTranscribe, at: datetime = NOW, change: Any = None) -> SessionFailed:
    request = session.handshake()
    if change:
        request = HttpRequest(request.method, change(request.url), request.headers)
    with pytest.raises(HandshakeRefused) as refused:
        fake.accept(request, at=at)
    response = refused.value.response
    [failed] = session.receive_handshake(response.status, response.headers, response.body)
    assert isinstance(failed, SessionFailed)
    return failed


STRANGER = Credentials("AKIDEXAMPLE", "another/secret", "a-session/token==")


@both_transports
@pytest.mark.parametrize(("fake", "at", "code", "advice"), [
    ({}, timedelta(minutes=6), "InvalidSignatureException", "clock"),
    ({}, -timedelta(minutes=6), "InvalidSignatureException", "clock"),
    ({"region": "eu-west-1"}, timedelta(), "InvalidSignatureException", "region"),
    ({"credentials": STRANGER}, timedelta(), "InvalidSignatureException", "secret key is wrong"),
    ({"credentials": Credentials("AKIDOTHER", "x" * 20)}, timedelta(), "UnrecognizedClientException", "session_token"),
])
def test_refused_handshakes(transport: str, fake: dict[str, Any], at: timedelta, code: str, advice: str) -> None:
    failed = refusal(standard(transport=transport), service(**fake), NOW + at)
    assert failed.error.code == code
    assert failed.error.advice is not None
    assert advice in failed.error.advice
    assert not failed.error.retryable
    assert failed.error.request_id is not None


def test_an_altered_url_is_refused() -> None:
    for change in (lambda url: url.replace("language-code=en-US", "language-code=en-GB"),
                   lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
                   lambda url: url + "&session-resume-window=1",
                   lambda url: url.replace(":8443", "")):
        assert refusal(standard(), service(), change=change).error.code == "InvalidSignatureException"
    lost = refusal(standard(), service(), change=lambda url: url.replace("/stream", "/no-stream"))
    assert lost.error.code == "UnknownOperationException"


def failure_of(session: Any, conversation: TranscribeConversation, messages: Iterable[bytes | str]) -> str:
    events = [event for message in messages for answer in conversation.receive(message)
              for event in session.receive(answer)]
    assert conversation.closed
    assert isinstance(events[-1], SessionFailed)
    assert events[-1].error.message == conversation.failure
    return events[-1].error.message


def test_what_the_fake_refuses_in_the_stream() -> None:
    def frame(kind: str, payload: bytes, content_type: str = "application/octet-stream") -> bytes:
        return encode_message({":message-type": "event", ":event-type": kind, ":content-type": content_type}, payload)

    audio = frame("AudioEvent", SECOND[:3200])
    configuration = frame("ConfigurationEvent", b"{}", "application/json")
    one_channel = b'{"ChannelDefinitions": [{"ChannelId": 0, "ParticipantRole": "AGENT"}]}'
    cases: list[tuple[Any, list[Any], str]] = [
        (standard(), [frame("AudioEvent", SECOND[:3201])], "does not hold whole frames"),
        (standard(), [frame("AudioEvent", SECOND + SECOND)], "stream is too big"),
        (standard(), [frame("AudioEvent", b"RIFF" + bytes(40))], "Could not decode the audio"),
        (standard(media_encoding="flac"), [frame("AudioEvent", bytes(40))], "Could not decode the audio"),
        (standard(), [frame("VideoEvent", b"")], "event type"),
        (standard(), [frame("AudioEvent", b"", "text/plain")], "content type"),
        (standard(), [configuration], "ConfigurationEvent is not expected"),
        (standard(), [audio[:-1]], "malformed"),
        (standard(), [audio[:-1] + b"!"], "malformed"),
        (standard(transport="http2"), [audio], "not signed"),
        (analytics(), [audio], "first event must be"),
        (analytics(), [configuration, configuration], "ConfigurationEvent is not expected"),
        (analytics(), [frame("ConfigurationEvent", b"{", "application/json")], "malformed"),
        (analytics(), [frame("ConfigurationEvent", b'{"ChannelDefinitions": 5}', "application/json")], "malformed"),
        (analytics(), [frame("ConfigurationEvent", one_channel, "application/json")], "malformed"),
        (analytics(), [frame("SessionControlEvent", b"{}", "application/json")], "not supported"),
    ]
    for session, messages, expected in cases:
        conversation = opened(session)
        session.start()
        assert expected in failure_of(session, conversation, messages)


def test_signed_frames_are_checked() -> None:
    for make in (partial(standard, sign_frames=True), partial(standard, transport="http2")):
        session = make()
        conversation = opened(session)
        session.start()
        first, _, third = session.send_audio(SECOND[:9600])
        conversation.receive(first)
        assert "signature" in failure_of(session, conversation, [third])  # out of order
        late = make(clock=iter([NOW, NOW - timedelta(minutes=6)]).__next__)
        conversation = opened(late)
        late.start()
        assert "expired" in failure_of(late, conversation, late.send_audio(SECOND[:3200]))


def test_options_that_only_the_service_can_see() -> None:
    """A client that checks nothing is answered with an exception frame."""
    signer = SigV4Signer(KEYS, service="transcribe", region="us-east-1")
    for query, expected in (
            ("language-code=en-US&media-encoding=pcm&sample-rate=5", "sample_rate must be"),
            ("language-code=en-US&media-encoding=pcm", "sample_rate must be given"),
            ("media-encoding=pcm&sample-rate=16000", "one of language_code"),
            ("language-code=en-US&media-encoding=pcm&sample-rate=16000&lang=x", "lang is not an option"),
            ("language-code=en-US&language-code=en-US&media-encoding=pcm&sample-rate=16000", "given twice")):
        url = f"wss://transcribestreaming.us-east-1.amazonaws.com:8443/stream-transcription-websocket?{query}"
        conversation = service().accept(signer.presign(HttpRequest("GET", url), at=NOW, expires=300), at=NOW)
        assert expected in failure_of(started(standard()), conversation, [b""])


def test_http2_without_its_end() -> None:
    conversation = opened(standard(transport="http2"))
    conversation.receive_eof()
    assert conversation.failure == "A complete signal was sent without the preceding empty frame."


# -- What the service sends -------------------------------------------------------------------------------------------


def event_frame(kind: str, payload: bytes) -> bytes:
    return encode_message({":message-type": "event", ":event-type": kind, ":content-type": "application/json"}, payload)


@pytest.mark.parametrize(("payload", "reason"), [
    (b"", "not-json"), (b"<html>", "not-json"), (b'{"Transcript": {"Results"', "not-json"), (b"\xff", "not-json"),
    (b'{"Transcript": {"Results": [{"ResultId": "\xff"}]}}', "not-json"), (b"[" * 100_000, "not-json"),
    (b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not-json"),
    (b"[]", "wrong-shape"), (b"null", "wrong-shape"), (b'{"Transcript": []}', "wrong-shape"),
    (b'{"Transcript": {"Results": [{"StartTime": "soon"}]}}', "wrong-shape"),
    (b'{"Transcript": {"Results": [{"Alternatives": [{"Items": [7]}]}]}}', "wrong-shape"),
])
@both_transports
def test_payloads_that_are_no_events(payload: bytes, reason: str, transport: str) -> None:
    session = started(standard(transport=transport))
    with pytest.raises(MalformedFrame) as caught:
        session.receive(event_frame("TranscriptEvent", payload))
    assert caught.value.reason == reason
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), MalformedFrame)


def test_a_websocket_message_is_exactly_one_frame() -> None:
    frame = event_frame("TranscriptEvent", b'{"Transcript": {"Results": [{"ResultId": "1"}]}}')
    for broken, kind, offset in (
            (frame + frame, MalformedFrame, len(frame)), (frame[:-1], TruncatedFrame, len(frame) - 1),
            (b"", TruncatedFrame, 0), (frame[:-1] + b"?", ChecksumMismatch, len(frame) - 4),
            (b"not a frame at all", ChecksumMismatch, 8), (frame + frame[:-1] + b"?", MalformedFrame, len(frame))):
        session = started(standard())
        assert len(session.receive(frame)) == 1
        for _ in range(2):  # it stays broken and says the same again
            with pytest.raises(kind) as caught:
                session.receive(broken)
            assert caught.value.offset == offset
        with pytest.raises(kind):
            session.receive_eof()


@both_transports
def test_text_from_the_service(transport: str) -> None:
    with pytest.raises(MalformedFrame, match="hand on the bytes") as caught:
        started(standard(transport=transport)).receive("{}")
    assert caught.value.reason == "text-message"


def test_http2_gives_what_came_before_the_damage() -> None:
    session = started(standard(transport="http2"))
    good = event_frame("TranscriptEvent", b'{"Transcript": {"Results": [{"ResultId": "1"}]}}')
    bad = bytearray(good)
    bad[30] ^= 1
    [before] = session.receive(good + bytes(bad))
    assert isinstance(before, Transcript)
    for call in (lambda: session.receive(good), session.receive_eof):
        with pytest.raises(ChecksumMismatch) as caught:
            call()
        assert caught.value.offset is not None
        assert len(good) <= caught.value.offset <= 2 * len(good)


def test_http2_cut_off() -> None:
    session = started(standard(transport="http2"))
    session.receive(event_frame("TranscriptEvent", b"{}")[:20])
    with pytest.raises(TruncatedFrame):
        session.receive_eof()


@given(st.lists(st.integers(1, 400)))
def test_http2_responses_may_be_cut_anywhere(cuts: list[int]) -> None:
    session = standard(transport="http2")
    conversation = opened(session)
    messages = [*session.start(), *session.send_audio(SECOND), *session.end_audio()]
    response = b"".join(answer for message in messages for answer in conversation.receive(message))
    whole = session.receive(response)
    other = started(standard(transport="http2"))
    events = []
    for cut in cuts:
        events += other.receive(response[:cut])
        response = response[cut:]
    assert events + other.receive(response) == whole


@given(st.binary(max_size=200) | st.text(max_size=50), st.sampled_from(["websocket", "http2"]))
def test_any_bytes(data: Any, transport: str) -> None:
    session = started(standard(transport=transport))
    with contextlib.suppress(RemoteProtocolError):
        session.receive(data)
        session.receive_eof()


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                           lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                               st.sampled_from(["Transcript", "Results", "Alternatives", "Items", "Message", "Type",
                                                "TranscriptSegment", "MatchedDetails", "x"]), inner, max_size=4))
names = st.sampled_from(["TranscriptEvent", "UtteranceEvent", "CategoryEvent", "BadRequestException", "Other"])


@given(st.sampled_from(["event", "exception", "error", "other", 7, None]), names,
       json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30),
       st.sampled_from(sorted(SESSIONS)))
def test_any_well_framed_message(kind: Any, name: str, payload: bytes, which: str) -> None:
    headers = {":event-type": name} | ({} if kind is None else {":message-type": kind})
    session = started(SESSIONS[which]())
    with contextlib.suppress(*([MalformedFrame] if kind == "event" else [])):
        assert all(isinstance(event, Event) for event in session.receive(encode_message(headers, payload)))


def test_kinds_of_message_that_are_not_known_yet() -> None:
    session = started(standard())
    for headers in ({":message-type": "event", ":event-type": "ThoughtEvent"}, {":message-type": "song"}, {},
                    {":message-type": "event"}, {":message-type": "event", ":event-type": 5}):
        frame = encode_message(headers, b"?")
        assert session.receive(frame) == [UnknownEvent(Message.decode(frame))]


@both_transports
def test_the_connection_closes(transport: str) -> None:
    session = started(standard(transport=transport))
    [failed] = session.receive_eof()
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.retryable) == ("ConnectionLost", True)
    assert session.receive_eof() == []
    session = started(standard(transport=transport))
    session.end_audio()
    assert session.receive_eof() == [SessionEnded()]
    assert session.receive_eof() == []


def test_another_decoder_reads_the_frames() -> None:
    """botocore's, which shares nothing with ours."""
    eventstream = pytest.importorskip("botocore.eventstream")
    session = started(standard())
    buffer = eventstream.EventStreamBuffer()
    buffer.add_data(b"".join([*session.send_audio(SECOND), *session.end_audio()]))
    messages = list(buffer)
    assert b"".join(message.payload for message in messages) == SECOND
    assert [message.headers for message in messages] == [AUDIO_HEADERS] * 11


# -- The fake is as hard to break -------------------------------------------------------------------------------------


@given(names | st.sampled_from(["AudioEvent", "ConfigurationEvent", "SessionControlEvent"]),
       st.sampled_from(["application/octet-stream", "application/json"]),
       json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30),
       st.sampled_from(sorted(SESSIONS)))
def test_any_well_framed_message_from_a_client(name: str, content_type: str, payload: bytes, which: str) -> None:
    session = SESSIONS[which]()
    conversation = opened(session)
    frame = encode_message({":message-type": "event", ":event-type": name, ":content-type": content_type}, payload)
    if session._sign_frames:
        session.start()
        frame = session._event_signer.sign(frame, at=NOW)
    answers = [*conversation.receive(frame), *conversation.receive(payload)]
    assert all(isinstance(Message.decode(answer), Message) for answer in answers)


@given(st.text(max_size=60), st.sampled_from(["GET", "POST", "PUT"]))
def test_any_request(text: str, method: str) -> None:
    base = "wss://transcribestreaming.us-east-1.amazonaws.com:8443/stream-transcription-websocket"
    for url in (text, f"wss://{text}/stream-transcription-websocket?x", f"{base}?{text}", f"{base}#{text}"):
        with pytest.raises(HandshakeRefused):
            service().accept(HttpRequest(method, url), at=NOW)


def test_g711_is_heard_as_samples() -> None:
    heard: list[bytes] = []

    class Listener(ScriptedRecogniser):
        def accept(self, pcm: bytes) -> Any:
            heard.append(pcm)
            return super().accept(pcm)

    for encoding, silence in (("g711-ulaw", 0xFF), ("g711-alaw", 0xD5)):  # the codes of the smallest positive value
        session = standard(media_encoding=encoding, sample_rate=8000)
        events = talk(session, opened(session, service(recogniser=partial(Listener, WORDS))), [bytes([silence]) * 1600])
        assert isinstance(events[-2], Transcript)
        assert events[-2].text == WORDS
    assert heard == [bytes(1600)] * 2 + [struct.pack("<h", 8) * 800] * 2  # ITU-T G.711: 0 and, in 16 bits, 8
