"""Whole conversations with the fake service, the audio in them, and the order of calls."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transcribe_conversations import (
    AUDIO_HEADERS,
    KEYS,
    NOW,
    ROLE,
    SECOND,
    SESSIONS,
    WORDS,
    analytics,
    every_session,
    inner_frames,
    now,
    opened,
    scribe,
    standard,
    started,
    talk,
)

from asrproto import LocalProtocolError, SessionEnded, SessionStarted, StreamingSession, Transcript
from asrproto.aws.eventstream import Message, Timestamp
from asrproto.aws.transcribe import TranscribeSession
from asrproto.http import HttpRequest
from asrproto.session import HearsHandshake

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
