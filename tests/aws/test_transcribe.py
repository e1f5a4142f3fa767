"""Whole conversations with the fake service, and each thing that can go wrong in one."""

from __future__ import annotations

import contextlib
import json
import pickle
import struct
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto import (
    ChecksumMismatch,
    Event,
    LocalProtocolError,
    MalformedFrame,
    RemoteProtocolError,
    SessionEnded,
    SessionFailed,
    SessionStarted,
    StreamingSession,
    Transcript,
    TruncatedFrame,
    UnknownEvent,
)
from asrproto.aws.eventstream import Message, Timestamp, encode_message
from asrproto.aws.sigv4 import Credentials, SigV4Signer
from asrproto.aws.transcribe import (
    CallAnalyticsSession,
    MedicalScribeSession,
    MedicalSession,
    TranscribeSession,
)
from asrproto.http import HttpRequest
from asrproto.session import HearsHandshake
from asrproto.testing import HandshakeRefused, ScriptedRecogniser
from asrproto.testing.transcribe import FakeTranscribe, TranscribeConversation

NOW = datetime(2026, 3, 14, 15, 9, 26, 535897, timezone.utc)
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a-session/token==")
WORDS = "go forward ten meters"
SECOND = bytes(range(250)) * 128  # 32000 bytes: one second of s16le at 16 kHz
AUDIO_HEADERS = {":message-type": "event", ":event-type": "AudioEvent", ":content-type": "application/octet-stream"}
ROLE = "arn:aws:iam::111122223333:role/Demo"


def now() -> datetime:
    return NOW


standard = partial(TranscribeSession, KEYS, region="us-east-1", clock=now, language_code="en-US")
medical = partial(MedicalSession, KEYS, region="us-east-1", clock=now, specialty="CARDIOLOGY", type="DICTATION")
analytics = partial(CallAnalyticsSession, KEYS, region="us-east-1", clock=now, language_code="en-US")
scribe = partial(MedicalScribeSession, KEYS, region="us-east-1", clock=now, resource_access_role_arn=ROLE,
                 output_bucket_name="notes-of-ours")
SESSIONS: dict[str, Callable[[], Any]] = {
    "standard websocket": standard,
    "standard websocket signed": partial(standard, sign_frames=True),
    "standard http2": partial(standard, transport="http2"),
    "medical websocket": medical,
    "medical http2": partial(medical, transport="http2"),
    "analytics websocket": analytics,
    "analytics http2": partial(analytics, transport="http2"),
    "scribe http2": scribe,
}
every_session = pytest.mark.parametrize("make", SESSIONS.values(), ids=SESSIONS)


def service(**changes: Any) -> FakeTranscribe:
    return FakeTranscribe(**{"recogniser": partial(ScriptedRecogniser, WORDS), "credentials": KEYS, "clock": now}
                          | changes)


def opened(session: Any, fake: FakeTranscribe | None = None) -> TranscribeConversation:
    return (fake or service()).accept(session.handshake(), at=NOW)


def talk(session: Any, conversation: TranscribeConversation, audio: Iterable[bytes]) -> list[Event]:
    """The driver loop without a socket."""
    events: list[Event] = []

    def send(messages: Iterable[bytes]) -> None:
        for message in messages:
            for answer in conversation.receive(message):
                events.extend(session.receive(answer))

    send(session.start())
    for piece in audio:
        send(session.send_audio(piece))
    send(session.end_audio())
    conversation.receive_eof()
    return [*events, *session.receive_eof()]


def inner_frames(messages: Iterable[bytes]) -> list[Message]:
    """What is in the frames, signed or plain, without the signed empty one."""
    frames = []
    for message in messages:
        frame = Message.decode(message)
        if ":chunk-signature" in frame.headers:
            if not frame.payload:
                continue
            frame = Message.decode(frame.payload)
        frames.append(frame)
    return frames


def started(session: Any) -> Any:
    session.handshake()
    session.start()
    return session


# -- Conversations that go well ---------------------------------------------------------------------------------------


@every_session
def test_words_come_out(make: Callable[[], Any]) -> None:
    session = make()
    assert isinstance(session, StreamingSession)
    assert isinstance(session, HearsHandshake)
    conversation = opened(session)
    events = talk(session, conversation, [SECOND, SECOND[:12345], SECOND[12345:]])
    *partials, final, ended = events
    assert conversation.failure is None
    assert conversation.audio_bytes == 2 * len(SECOND)
    assert isinstance(ended, SessionEnded)
    assert isinstance(final, Transcript)
    assert (final.text, final.is_final, final.end) == (WORDS, True, pytest.approx(1.2))
    assert [word.text for word in final.words] == WORDS.split()
    assert [(word.start, word.end) for word in final.words] == [
        (pytest.approx(0.3 * i), pytest.approx(0.3 * i + 0.3)) for i in range(4)]
    assert len(partials) == 4
    for count, partial_result in enumerate(partials, 1):
        assert isinstance(partial_result, Transcript)
        assert (partial_result.text, partial_result.is_final) == (" ".join(WORDS.split()[:count]), False)
        assert partial_result.segment_id == final.segment_id is not None


def test_plain_frames_on_a_websocket() -> None:
    session = started(standard())
    [frame] = session.send_audio(SECOND[:3200])
    assert Message.decode(frame) == Message(AUDIO_HEADERS, SECOND[:3200])
    [end] = session.end_audio()
    assert Message.decode(end) == Message(AUDIO_HEADERS, b"")


def test_the_end_of_a_signed_websocket() -> None:
    """The AWS SDK for JavaScript sends the same: the user's empty event, and the signed empty frame of its own."""
    session = started(standard(sign_frames=True))
    empty_event, nothing = map(Message.decode, session.end_audio())
    assert Message.decode(empty_event.payload) == Message(AUDIO_HEADERS, b"")
    assert nothing.payload == b""
    assert list(nothing.headers) == [":date", ":chunk-signature"]


def test_http2_ends_with_the_signed_empty_frame_alone() -> None:
    session = started(standard(transport="http2"))
    session.send_audio(SECOND[:100])
    rest, end = map(Message.decode, session.end_audio())
    assert Message.decode(rest.payload) == Message(AUDIO_HEADERS, SECOND[:100])
    assert end.payload == b""
    assert end.headers[":date"] == Timestamp.from_datetime(NOW)


def test_the_presigned_request() -> None:
    request = standard(expires=42).handshake()
    assert request.headers == ()
    assert "X-Amz-Expires=42&" in request.url
    assert "X-Amz-SignedHeaders=host&" in request.url
    assert "X-Amz-Date=20260314T150926Z&" in request.url
    assert "X-Amz-Security-Token=a-session%2Ftoken%3D%3D" in request.url
    assert "X-Amz-Credential=AKIDEXAMPLE%2F20260314%2Fus-east-1%2Ftranscribe%2Faws4_request" in request.url


def test_the_signed_request() -> None:
    request = standard(transport="http2").handshake()
    assert request.header("content-type") == "application/vnd.amazon.eventstream"
    assert request.header("x-amz-content-sha256") == "STREAMING-AWS4-HMAC-SHA256-EVENTS"
    assert request.header("x-amz-date") == "20260314T150926Z"
    assert request.header("x-amz-security-token") == KEYS.session_token
    authorization = request.header("authorization")
    assert authorization is not None
    assert "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;" in authorization
    assert request.body == b""
    assert all(name == name.lower() for name, _ in request.headers)  # RFC 9113, section 8.2.1


def test_the_configuration_of_call_analytics() -> None:
    session = analytics(channel_roles=["CUSTOMER", "AGENT"], output_location="s3://calls/today/",
                        data_access_role_arn=ROLE, content_redaction_output="redacted",
                        output_encryption_kms_key_id="alias/ours")
    session.handshake()
    [frame] = map(Message.decode, session.start())
    assert frame.headers == {":message-type": "event", ":event-type": "ConfigurationEvent",
                             ":content-type": "application/json"}
    assert json.loads(frame.payload) == {
        "ChannelDefinitions": [{"ChannelId": 0, "ParticipantRole": "CUSTOMER"},
                               {"ChannelId": 1, "ParticipantRole": "AGENT"}],
        "PostCallAnalyticsSettings": {"OutputLocation": "s3://calls/today/", "DataAccessRoleArn": ROLE,
                                      "ContentRedactionOutput": "redacted", "OutputEncryptionKMSKeyId": "alias/ours"}}


def test_the_events_of_health_scribe() -> None:
    session = scribe(note_template="SIRP", vocabulary_name="v", vocabulary_filter_name="f",
                     vocabulary_filter_method="mask", channel_roles=["CLINICIAN", "PATIENT"], kms_key_id="k",
                     kms_encryption_context={"a": "b"}, pronouns="THEY_THEM")
    session.handshake()
    [configuration] = inner_frames(session.start())
    assert json.loads(configuration.payload) == {
        "ResourceAccessRoleArn": ROLE, "VocabularyName": "v", "VocabularyFilterName": "f",
        "VocabularyFilterMethod": "mask",
        "PostStreamAnalyticsSettings": {"ClinicalNoteGenerationSettings": {
            "OutputBucketName": "notes-of-ours", "NoteTemplate": "SIRP"}},
        "ChannelDefinitions": [{"ChannelId": 0, "ParticipantRole": "CLINICIAN"},
                               {"ChannelId": 1, "ParticipantRole": "PATIENT"}],
        "EncryptionSettings": {"KmsKeyId": "k", "KmsEncryptionContext": {"a": "b"}},
        "MedicalScribeContext": {"PatientContext": {"Pronouns": "THEY_THEM"}}}
    [control] = inner_frames(session.end_audio())
    assert control.headers[":event-type"] == "SessionControlEvent"
    assert json.loads(control.payload) == {"Type": "END_OF_SESSION"}


def test_two_channels() -> None:
    session = standard(enable_channel_identification=True, number_of_channels=2, show_speaker_label=True,
                       enable_partial_results_stabilization=True)
    events = talk(session, opened(session), [SECOND] * 4)
    finals = [event for event in events if isinstance(event, Transcript) and event.is_final]
    assert [(final.text, final.channel, final.speaker) for final in finals] == [
        (WORDS, "ch_0", "0"), (WORDS, "ch_1", "0")]
    assert finals[0].segment_id != finals[1].segment_id
    assert all(item.stable for item in finals[0].raw.alternatives[0].items)
    session = analytics(channel_roles=["AGENT", "CUSTOMER"])
    events = talk(session, opened(session), [SECOND] * 4)
    assert [event.speaker for event in events if isinstance(event, Transcript) and event.is_final] == [
        "AGENT", "CUSTOMER"]


def test_language_identification() -> None:
    session = TranscribeSession(KEYS, region="us-east-1", clock=now, identify_language=True,
                                language_options=["de-DE", "en-US"])
    final = talk(session, opened(session), [SECOND])[-2]
    assert isinstance(final, Transcript)
    assert final.language == "de-DE"
    assert final.raw.language_identification[0].score == 0.9


def test_what_the_handshake_answers() -> None:
    session = standard(session_id="01234567-89ab-cdef-0123-456789abcdef")
    conversation = opened(session)
    headers = conversation.response_headers
    assert session.receive_handshake(101, headers) == [
        SessionStarted("01234567-89ab-cdef-0123-456789abcdef", raw=tuple(headers))]
    session.start()
    [failed] = session.receive(conversation.time_out()[0])
    assert failed.error.request_id == dict(headers)["x-amzn-request-id"]


# -- Audio ------------------------------------------------------------------------------------------------------------

FRAMED = [("pcm", {}, 16000, 2, 3200), ("pcm", {"sample_rate": 48000, "chunk_ms": 200}, 48000, 2, 19200),
          ("pcm", {"sample_rate": 11025, "chunk_ms": 50}, 11025, 2, 1102),
          ("pcm", {"enable_channel_identification": True, "number_of_channels": 2}, 16000, 4, 6400),
          ("g711-ulaw", {"sample_rate": 8000}, 8000, 1, 800), ("g729", {"sample_rate": 8000}, 8000, 10, 100)]


@pytest.mark.parametrize(("encoding", "options", "rate", "frame", "chunk"), FRAMED)
def test_chunks_are_all_alike_and_whole(encoding: str, options: dict[str, Any], rate: int, frame: int,
                                        chunk: int) -> None:
    session = started(standard(media_encoding=encoding, **options))
    audio = bytes(chunk * 3 + frame)
    messages = [message for byte in (audio[:7], audio[7:]) for message in session.send_audio(byte)]
    assert [len(Message.decode(message).payload) for message in messages] == [chunk] * 3
    *rest, end = session.end_audio()
    assert [len(Message.decode(message).payload) for message in (*rest, end)] == [frame, 0]


@given(st.lists(st.binary(max_size=9000), max_size=8), st.sampled_from(sorted(SESSIONS)))
def test_how_the_audio_is_cut_makes_no_difference(pieces: list[bytes], name: str) -> None:
    audio = b"".join(pieces)
    audio = audio[:len(audio) // 2 * 2]
    whole, cut = started(SESSIONS[name]()), started(SESSIONS[name]())
    expected = [*whole.send_audio(audio), *whole.end_audio()]
    actual, taken = [], 0
    for piece in pieces:
        actual += cut.send_audio(piece[:len(audio) - taken])
        taken += min(len(piece), len(audio) - taken)
    assert [*actual, *cut.end_audio()] == expected
    assert b"".join(frame.payload for frame in inner_frames(expected)
                    if frame.headers[":event-type"] == "AudioEvent") == audio


@pytest.mark.parametrize("encoding", ["ogg-opus", "flac"])
def test_containers_are_handed_on_at_once(encoding: str) -> None:
    session = started(standard(media_encoding=encoding))
    assert session.send_audio(b"") == []  # an empty event would end the stream
    assert [Message.decode(frame).payload for frame in session.send_audio(b"fLaC1")] == [b"fLaC1"]
    assert [len(Message.decode(frame).payload) for frame in session.send_audio(bytes(40000))] == [16384, 16384, 7232]
    assert len(session.end_audio()) == 1


def test_audio_that_ends_inside_a_sample() -> None:
    session = started(standard())
    session.send_audio(SECOND[:3201])
    with pytest.raises(LocalProtocolError, match="ends inside a frame: 1 of 2 bytes"):
        session.end_audio()
    session.send_audio(b"\0")
    assert [len(Message.decode(frame).payload) for frame in session.end_audio()] == [2, 0]


def test_floats_are_refused() -> None:
    np = pytest.importorskip("numpy")
    session = started(standard())
    with pytest.raises(TypeError, match="AudioEncoder"):
        session.send_audio(np.zeros(160, np.float32))
    assert len(session.send_audio(np.zeros(1600, np.int16))) == 1


# -- The order of calls -----------------------------------------------------------------------------------------------


@every_session
def test_out_of_order(make: Callable[[], Any]) -> None:
    session = make()
    for call in (session.start, lambda: session.send_audio(b""), session.end_audio):
        with pytest.raises(LocalProtocolError, match=r"was called before handshake\(\)"):
            call()
    session.handshake()
    with pytest.raises(LocalProtocolError, match=r"send_audio\(\) was called before start\(\)"):
        session.send_audio(SECOND)
    assert isinstance(session.handshake(), HttpRequest)  # a URL can expire before it is used
    session.start()
    session.end_audio()
    for call in (lambda: session.send_audio(SECOND), session.end_audio, session.start, session.handshake):
        with pytest.raises(LocalProtocolError, match=r"was called after end_audio\(\)"):
            call()


@every_session
def test_a_clock_without_a_time_zone(make: Callable[..., Any]) -> None:
    with pytest.raises(LocalProtocolError, match=r"time ?zone"):
        make(clock=lambda: NOW.replace(tzinfo=None)).handshake()


@every_session
def test_pickled_in_the_middle(make: Callable[[], Any]) -> None:
    session = make()
    on_http2 = session.handshake().method == "POST"
    answers = opened(session)
    first = [*session.start(), *session.send_audio(SECOND[:5001])]
    received = b"".join(answer for message in first for answer in answers.receive(message))
    if on_http2:
        session.receive(received[:50])
    twin = pickle.loads(pickle.dumps(session))
    for one in (session, twin):
        assert KEYS.secret_access_key not in repr(one)
    assert twin.send_audio(SECOND[5001:]) == session.send_audio(SECOND[5001:])
    assert twin.end_audio() == session.end_audio()
    if on_http2:
        assert twin.receive(received[50:]) == session.receive(received[50:])


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
both_transports = pytest.mark.parametrize("transport", ["websocket", "http2"])


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
