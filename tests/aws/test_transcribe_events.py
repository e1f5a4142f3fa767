"""The service's JSON as typed values and as the common events; its refusals as errors with advice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asrproto import Alternative, ServiceError, SessionFailed, Transcript, Word
from asrproto.aws.eventstream import encode_message
from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import (
    CallAnalyticsSession,
    CategoriesMatched,
    CharacterOffsets,
    Entity,
    IssueDetected,
    Item,
    LanguageWithScore,
    MedicalScribeSession,
    Result,
    TimestampRange,
    TranscribeSession,
    TranscriptSegment,
    UtteranceEvent,
    handshake_error,
)
from asrproto.aws.transcribe.failures import ADVICE, EXCEPTIONS

KEYS = Credentials("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0", "a-session/token==")


def session(kind: Any = TranscribeSession, **options: Any) -> Any:
    if kind is MedicalScribeSession:
        options |= {"resource_access_role_arn": "arn:aws:iam::111122223333:role/Demo", "output_bucket_name": "notes"}
    one = kind(KEYS, region="us-east-1", language_code="en-US", **options)
    one.handshake()
    one.start()
    return one


def received(kind: Any, event_type: str, document: Any) -> Any:
    frame = encode_message({":message-type": "event", ":event-type": event_type, ":content-type": "application/json"},
                           json.dumps(document).encode())
    return session(kind).receive(frame)


# Every member that the API Reference gives Result, Alternative, Item and Entity.
RESULT = {
    "ResultId": "f5d6", "StartTime": 0.49, "EndTime": 3.16, "IsPartial": False, "ChannelId": "ch_0",
    "LanguageCode": "en-US", "LanguageIdentification": [{"LanguageCode": "en-US", "Score": 0.97}],
    "Alternatives": [
        {"Transcript": "Call 555, Ann.",
         "Items": [
             {"StartTime": 0.49, "EndTime": 0.8, "Type": "pronunciation", "Content": "Call", "Confidence": 0.99,
              "VocabularyFilterMatch": False, "Speaker": "0", "Stable": True},
             {"StartTime": 0.8, "EndTime": 1.6, "Type": "pronunciation", "Content": "555", "Speaker": "0"},
             {"StartTime": 1.6, "EndTime": 1.6, "Type": "punctuation", "Content": ","},
             {"StartTime": 2, "EndTime": 3.16, "Type": "pronunciation", "Content": "Ann", "Speaker": "0"}],
         "Entities": [{"StartTime": 0.8, "EndTime": 1.6, "Category": "PII", "Type": "PHONE", "Content": "555",
                       "Confidence": 0.9}]},
        {"Transcript": "Call five", "Items": []}],
}


def test_a_transcript_event() -> None:
    [event] = received(TranscribeSession, "TranscriptEvent", {"Transcript": {"Results": [RESULT]}})
    raw = event.raw
    assert event == Transcript(
        "Call 555, Ann.", True, start=0.49, end=3.16,
        words=(Word("Call", 0.49, 0.8, 0.99, "0"), Word("555", 0.8, 1.6, None, "0"),
               Word(",", 1.6, 1.6, is_punctuation=True), Word("Ann", 2.0, 3.16, None, "0")),
        alternatives=(Alternative("Call five"),), channel="ch_0", speaker="0", language="en-US", segment_id="f5d6",
        raw=raw)
    assert isinstance(raw, Result)
    assert raw.language_identification == (LanguageWithScore(language_code="en-US", score=0.97),)
    assert raw.alternatives[0].items[0] == Item(
        content="Call", type="pronunciation", start_time=0.49, end_time=0.8, confidence=0.99, speaker="0", stable=True,
        vocabulary_filter_match=False)
    assert raw.alternatives[0].entities == (
        Entity(content="555", category="PII", type="PHONE", start_time=0.8, end_time=1.6, confidence=0.9),)


def test_several_results_and_none() -> None:
    events = received(TranscribeSession, "TranscriptEvent", {"Transcript": {"Results": [
        RESULT | {"ResultId": "1", "IsPartial": True}, {"ResultId": "2"}]}})
    assert [(event.segment_id, event.is_final, event.text) for event in events] == [
        ("1", False, "Call 555, Ann."), ("2", True, "")]
    for nothing in ({"Transcript": {"Results": []}}, {"Transcript": {}}, {}):
        assert received(TranscribeSession, "TranscriptEvent", nothing) == []


def test_two_speakers_are_not_one() -> None:
    items = [{"Content": "a", "Speaker": "0"}, {"Content": "b", "Speaker": "1"}]
    [event] = received(TranscribeSession, "TranscriptEvent", {"Transcript": {"Results": [
        {"Alternatives": [{"Transcript": "a b", "Items": items}]}]}})
    assert event.speaker is None
    assert [word.speaker for word in event.words] == ["0", "1"]


def test_null_is_what_does_not_come() -> None:
    nulls = dict.fromkeys(RESULT) | {"ResultId": "1", "Alternatives": [
        {"Transcript": None, "Items": [{"Content": "a", "Stable": None, "Type": None}, None], "Entities": None}]}
    [event] = received(TranscribeSession, "TranscriptEvent", {"Transcript": {"Results": [nulls, None]}})
    assert (event.segment_id, event.is_final, event.words) == ("1", True, (Word("a"),))


def test_unknown_fields_are_kept() -> None:
    document = {"Transcript": {"Results": [RESULT | {"Mood": "sunny"}]}, "More": 1}
    [event] = received(TranscribeSession, "TranscriptEvent", document)
    assert json.loads(event.raw.payload) == document


def test_the_payload_field_cannot_be_sent() -> None:
    [event] = received(TranscribeSession, "TranscriptEvent", {"Transcript": {"Results": [{"(payload)": "eA=="}]}})
    assert json.loads(event.raw.payload)["Transcript"]["Results"] == [{"(payload)": "eA=="}]


def test_an_utterance() -> None:
    [event] = received(CallAnalyticsSession, "UtteranceEvent", {
        "UtteranceId": "u1", "IsPartial": False, "ParticipantRole": "CUSTOMER", "BeginOffsetMillis": 490,
        "EndOffsetMillis": 3160, "Transcript": "My card, please.", "Sentiment": "NEGATIVE", "LanguageCode": "en-GB",
        "Items": [{"BeginOffsetMillis": 490, "EndOffsetMillis": 800, "Type": "pronunciation", "Content": "My",
                   "Confidence": 0.5, "VocabularyFilterMatch": True, "Stable": True},
                  {"BeginOffsetMillis": 800, "EndOffsetMillis": 800, "Type": "punctuation", "Content": ","}],
        "Entities": [{"BeginOffsetMillis": 1, "EndOffsetMillis": 2, "Category": "PII", "Type": "PIN", "Content": "1",
                      "Confidence": 1}],
        "IssuesDetected": [{"CharacterOffsets": {"Begin": 3, "End": 7}}],
        "LanguageIdentification": [{"LanguageCode": "en-GB", "Score": 1}]})
    raw = event.raw
    assert event == Transcript(
        "My card, please.", True, start=0.49, end=3.16, words=(
            Word("My", 0.49, 0.8, 0.5), Word(",", 0.8, 0.8, is_punctuation=True)),
        speaker="CUSTOMER", language="en-GB", segment_id="u1", raw=raw)
    assert isinstance(raw, UtteranceEvent)
    assert raw.sentiment == "NEGATIVE"
    assert raw.issues_detected == (IssueDetected(character_offsets=CharacterOffsets(begin=3, end=7)),)
    assert raw.entities[0].type == "PIN"


def test_categories() -> None:
    [event] = received(CallAnalyticsSession, "CategoryEvent", {
        "MatchedCategories": ["complaint"],
        "MatchedDetails": {"complaint": {"TimestampRanges": [{"BeginOffsetMillis": 5, "EndOffsetMillis": 9}]}}})
    assert isinstance(event, CategoriesMatched)
    assert event.categories == ("complaint",)
    assert event.details["complaint"].timestamp_ranges == (TimestampRange(begin_offset_millis=5, end_offset_millis=9),)


def test_a_segment_of_a_consultation() -> None:
    [event] = received(MedicalScribeSession, "TranscriptEvent", {"TranscriptSegment": {
        "SegmentId": "s1", "BeginAudioTime": 0.5, "EndAudioTime": 1.5, "Content": "Hello.", "IsPartial": True,
        "ChannelId": "0", "Items": [
            {"BeginAudioTime": 0.5, "EndAudioTime": 1.5, "Type": "pronunciation", "Content": "Hello", "Confidence": 1,
             "VocabularyFilterMatch": False}]}})
    assert isinstance(event.raw, TranscriptSegment)
    assert event == Transcript("Hello.", False, start=0.5, end=1.5, words=(Word("Hello", 0.5, 1.5, 1.0),), channel="0",
                               segment_id="s1", raw=event.raw)
    assert received(MedicalScribeSession, "TranscriptEvent", {}) == []


# -- Refusals ---------------------------------------------------------------------------------------------------------


def failure(headers: dict[str, Any], payload: bytes = b"") -> ServiceError:
    one = session()
    [failed] = one.receive(encode_message(headers, payload))
    assert isinstance(failed, SessionFailed)
    assert one.send_audio(bytes(3200)) == []
    return failed.error


# name: retryable. The messages are those that users of the SDKs report.
@pytest.mark.parametrize(("name", "message", "retryable", "advice"), [
    ("BadRequestException", "Unexpected WebSocket frame received.", False, "binary WebSocket messages"),
    ("BadRequestException", "Your request timed out because no new audio was received for 15 seconds.", False, "zeros"),
    ("BadRequestException", "Signature expired: 20201123T084949Z is now earlier than 20201123T084949Z "
                            "(20201123T085449Z - 5 min.)", False, "clock"),
    ("BadRequestException", "A complete signal was sent without the preceding empty frame.", False, "end_audio()"),
    ("BadRequestException", "Your stream is too big. Reduce the frame size and try again.", False, "chunk_ms"),
    ("BadRequestException", "Could not decode the audio stream that you provided. Check that the audio stream is valid "
                            "and try your request again.", False, "without a WAV header"),
    ("LimitExceededException", "You have reached your limit of concurrent streams.", True, "Service Quotas"),
    ("ConflictException", "A new stream started with the same session ID.", False, "session_id"),
    ("UnrecognizedClientException", "The security token included in the request is invalid.", False, "session_token"),
    ("InternalFailureException", "A problem occurred while processing the audio.", True, None),
    ("ServiceUnavailableException", "Service is currently unavailable. Try your request later.", True, None),
])
def test_exceptions(name: str, message: str, retryable: bool, advice: str | None) -> None:
    assert name in EXCEPTIONS
    for headers in ({":exception-type": name}, {":event-type": name}):
        error = failure({":message-type": "exception", ":content-type": "application/json", **headers},
                        json.dumps({"Message": message}).encode())
        assert (error.code, error.message, error.retryable) == (name, message, retryable)
        assert (advice or "") in (error.advice or "")
        assert (error.advice is None) == (advice is None)


def test_error_messages_and_odd_exceptions() -> None:
    error = failure({":message-type": "error", ":error-code": "InternalFailureException", ":error-message": "sorry"})
    assert (error.code, error.message, error.retryable) == ("InternalFailureException", "sorry", True)
    assert failure({":message-type": "error"}).code == "UnknownError"
    assert failure({":message-type": "exception"}).code == "UnknownException"
    assert failure({":message-type": "exception"}, b"plain words").message == "plain words"
    assert failure({":message-type": "exception"}, b'{"message": "small m"}').message == "small m"
    assert failure({":message-type": "exception"}, b'{"Message": 5}').message == ""
    assert failure({":message-type": "exception"}, b"\xff" * 9).message == "\ufffd" * 9
    assert len(failure({":message-type": "exception"}, b"x" * 100_000).message) == 4000


@pytest.mark.parametrize(("status", "headers", "body", "code", "message"), [
    (403, {"x-amzn-ErrorType": "InvalidSignatureException:http://internal.amazon.com/coral/"},
     b'{"message":"Signature not yet current: ..."}', "InvalidSignatureException", "Signature not yet current: ..."),
    (403, {}, b'{"__type":"com.amazon.coral.service#UnrecognizedClientException","Message":"The security token '
              b'included in the request is invalid."}', "UnrecognizedClientException",
     "The security token included in the request is invalid."),
    (403, {}, b"<ErrorResponse xmlns='x'>\n <Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>\n"
              b"<Message>The &lt;request&gt; signature we calculated does not match</Message></Error></ErrorResponse>",
     "SignatureDoesNotMatch", "The <request> signature we calculated does not match"),
    (403, {}, b"<AccessDeniedException>\n  <Message>Unable to determine service/operation name</Message>\n"
              b"</AccessDeniedException>", "403", "Unable to determine service/operation name"),
    (403, {}, b"", "403", "the handshake was refused with HTTP status 403"),
    (404, {}, b"Not Found", "404", "Not Found"),
    (503, {}, b"<html><body>busy</body></html>", "503", "<html><body>busy</body></html>"),
])
def test_refused_handshakes(status: int, headers: dict[str, str], body: bytes, code: str, message: str) -> None:
    error = handshake_error(status, headers | {"X-Amzn-RequestId": "r1"}, body)
    assert (error.code, error.message, error.request_id) == (code, message, "r1")
    assert error.retryable == (status == 503)
    assert (error.advice is None) == (status == 503)


def test_advice_for_handshakes() -> None:
    for text, advice in (("Credential should be scoped to a valid region. ", "region"),
                         ("The request signature we calculated does not match the one you provided.", "secret key"),
                         ("User: arn:aws:iam::1:user/x is not authorized to perform: transcribe:Start", "permission"),
                         ("The security token included in the request is expired", "session_token")):
        error = handshake_error(403, {}, json.dumps({"message": text}).encode())
        assert advice in (error.advice or "")
    assert all(advice.endswith((".", ")")) for _, advice in ADVICE)


def test_credentials_are_not_echoed() -> None:
    secrets = [KEYS.access_key_id, KEYS.secret_access_key, KEYS.session_token]
    text = " ".join(map(str, secrets)) + " a-session%2Ftoken%3D%3D"
    body = json.dumps({"Message": text}).encode()
    for error in (handshake_error(403, {}, body, credentials=KEYS),
                  failure({":message-type": "exception", ":exception-type": f"X{KEYS.secret_access_key}"}, body),
                  failure({":message-type": "error", ":error-code": "x", ":error-message": text})):
        assert not [secret for secret in [*secrets, "%2Ftoken"] if str(secret) in f"{error}{error!r}{error.code}"]
