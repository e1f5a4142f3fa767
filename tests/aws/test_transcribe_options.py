"""Every option is checked before anything is sent, what is wrong is named, and one table writes both transports."""

from __future__ import annotations

import typing
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto import LocalProtocolError
from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import (
    CallAnalyticsSession,
    MedicalScribeSession,
    MedicalSession,
    TranscribeSession,
)
from asrproto.aws.transcribe import keywords as typed
from asrproto.aws.transcribe.operations import CALL_ANALYTICS, MEDICAL, MEDICAL_SCRIBE, STANDARD
from asrproto.aws.transcribe.options import HEADER_PREFIX, Operation

KEYS = Credentials("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0")
ROLE = "arn:aws:iam::111122223333:role/Demo"
UUID = "01234567-89ab-cdef-0123-456789abcdef"

STANDARD_OPTIONS = {
    "session_id": UUID, "session_resume_window": 300, "transcript_format": "spoken", "vocabulary_name": "names-1.2_x",
    "vocabulary_filter_name": "rude", "vocabulary_filter_method": "tag", "language_model_name": "model",
    "show_speaker_label": True, "enable_channel_identification": True, "number_of_channels": 2,
    "enable_partial_results_stabilization": True, "partial_results_stability": "low",
    "content_redaction_type": "PII", "pii_entity_types": ["NAME", "SSN"],
}
IDENTIFYING = {
    "identify_language": True, "language_options": ["en-US", "fr-CA"], "preferred_language": "fr-CA",
    "vocabulary_names": ["a", "b"], "vocabulary_filter_names": "c,d", "vocabulary_filter_method": "mask",
    "content_identification_type": "PII", "pii_entity_types": "ALL",
}
SCRIBE = {"resource_access_role_arn": ROLE, "output_bucket_name": "notes-of-ours"}
DICTATION = {"specialty": "UROLOGY", "type": "DICTATION"}


English = partial(TranscribeSession, language_code="en-US")


def make(kind: Any, **options: Any) -> Any:
    return kind(KEYS, region="us-east-1", **options)


def query(**options: Any) -> dict[str, str]:
    request = make(TranscribeSession, **options).handshake()
    return {name: value for name, value in parse_qsl(urlsplit(request.url).query) if not name.startswith("X-Amz")}


def headers(kind: Any, **options: Any) -> dict[str, str]:
    request = make(kind, transport="http2", **options).handshake()
    return {name.removeprefix(HEADER_PREFIX): value for name, value in request.headers if HEADER_PREFIX in name}


def test_the_query_of_a_websocket() -> None:
    assert query(language_code="en-US") == {"language-code": "en-US", "media-encoding": "pcm", "sample-rate": "16000"}
    assert query(language_code="de-DE", sample_rate=8000, media_encoding="flac", **STANDARD_OPTIONS) == {
        "language-code": "de-DE", "sample-rate": "8000", "media-encoding": "flac", "session-id": UUID,
        "session-resume-window": "300", "transcript-format": "spoken", "vocabulary-name": "names-1.2_x",
        "vocabulary-filter-name": "rude", "vocabulary-filter-method": "tag", "language-model-name": "model",
        "show-speaker-label": "true", "enable-channel-identification": "true", "number-of-channels": "2",
        "enable-partial-results-stabilization": "true", "partial-results-stability": "low",
        "content-redaction-type": "PII", "pii-entity-types": "NAME,SSN"}
    assert query(**IDENTIFYING) == {
        "identify-language": "true", "language-options": "en-US,fr-CA", "preferred-language": "fr-CA",
        "sample-rate": "16000", "media-encoding": "pcm", "vocabulary-names": "a,b", "vocabulary-filter-names": "c,d",
        "vocabulary-filter-method": "mask", "content-identification-type": "PII", "pii-entity-types": "ALL"}


def test_a_comma_is_percent_encoded() -> None:
    """Signers and servers disagree about a raw one in a query."""
    assert "language-options=en-US%2Cfr-CA&" in make(TranscribeSession, **IDENTIFYING).handshake().url


def test_headers_on_http2_are_the_same() -> None:
    for options in ({"language_code": "en-US", **STANDARD_OPTIONS}, IDENTIFYING):
        assert headers(TranscribeSession, **options) == query(**options)


def test_false_and_none_are_not_given() -> None:
    nothing = {"show_speaker_label": False, "identify_language": False, "vocabulary_name": None}
    assert query(language_code="en-US", **nothing) == query(language_code="en-US")


def test_medical() -> None:
    assert headers(MedicalSession, **DICTATION, content_identification_type="PHI") == {
        "language-code": "en-US", "sample-rate": "16000", "media-encoding": "pcm", "specialty": "UROLOGY",
        "type": "DICTATION", "content-identification-type": "PHI"}


def test_call_analytics_and_scribe_send_some_options_later() -> None:
    assert headers(CallAnalyticsSession, language_code="en-GB", channel_roles=["CUSTOMER", "AGENT"]) == {
        "language-code": "en-GB", "sample-rate": "16000", "media-encoding": "pcm"}
    request = make(MedicalScribeSession, **SCRIBE, pronouns="SHE_HER").handshake()
    assert not [name for name, _ in request.headers if "pronouns" in name or "bucket" in name]


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    # unknown
    (TranscribeSession, {"langauge_code": "en-US"}, r"langauge_code is not an option .* did you mean language_code\?"),
    (English, {"chunk_size_ms": 5}, r"chunk_size_ms .* did you mean chunk_ms\?"),
    (English, {"xyzzy": 1}, r"^xyzzy is not an option of StartStreamTranscription$"),
    (English, {"specialty": "UROLOGY"}, "specialty .* MedicalSession"),
    (English, {"media_sample_rate_hz": 8000}, "called sample_rate here"),
    (MedicalSession, {**DICTATION, "transcript_format": "spoken"}, "transcript_format is not an option"),
    # one way to say the language
    (TranscribeSession, {}, "one of language_code, identify_language and identify_multiple_languages must be given"),
    (English, {**IDENTIFYING}, "language_code and identify_language exclude"),
    (TranscribeSession, {"identify_language": True, "identify_multiple_languages": True,
                         "language_options": ["en-US", "fr-CA"]}, "identify_multiple_languages exclude"),
    (CallAnalyticsSession, {}, "one of language_code and identify_language must be given"),
    (CallAnalyticsSession, {"identify_multiple_languages": True}, "identify_multiple_languages is not an option"),
    # values
    (TranscribeSession, {"language_code": "english"}, "language_code must be a language code .* not 'english'"),
    (TranscribeSession, {"language_code": "en-US\n"}, "language_code must be"),
    (TranscribeSession, {"language_code": b"en-US"}, "language_code must be"),
    (English, {"sample_rate": 7999}, "sample_rate must be .* 8000 to 48000, not 7999"),
    (English, {"sample_rate": 48001}, "sample_rate must be"),
    (English, {"sample_rate": 16000.0}, "sample_rate must be"),
    (English, {"sample_rate": True}, "sample_rate must be"),
    (MedicalSession, {**DICTATION, "sample_rate": 8000}, "sample_rate must be .* 16000 to 48000"),
    (English, {"media_encoding": "wav"}, "media_encoding must be 'pcm', .* or 'g729'"),
    (MedicalScribeSession, {**SCRIBE, "media_encoding": "g729"}, "media_encoding must be 'pcm', 'ogg-opus' or 'flac'"),
    (English, {"media_encoding": "g711-ulaw"}, "sample_rate must be 8000 with"),
    (English, {"session_id": "abc"}, "session_id must be a UUID"),
    (English, {"session_resume_window": 301}, "session_resume_window must be"),
    (English, {"transcript_format": "sung"}, "'written' or 'spoken', not 'sung'"),
    (English, {"vocabulary_name": "a b"}, "vocabulary_name must be"),
    (English, {"show_speaker_label": "yes"}, "show_speaker_label must be True or False"),
    (English, {"show_speaker_label": 1}, "show_speaker_label must be True or False"),
    (TranscribeSession, {"identify_language": True, "language_options": ["en-US"]}, "language_options .* at least 2"),
    (TranscribeSession, {"identify_language": True, "language_options": 7}, "language_options must be a sequence"),
    (TranscribeSession, {"identify_language": True, "language_options": ["en-US", "en-GB"]},
     "not both 'en-US' and 'en-GB'"),
    (TranscribeSession, {"identify_language": True, "language_options": [f"{a}{b}-XX" for a in "abcde" for b in "abcde"]
                         + ["en-US"] * 9}, "language_options must be at most 200 characters"),
    (MedicalSession, {"specialty": "SURGERY", "type": "DICTATION"}, "specialty must be 'PRIMARYCARE'"),
    (MedicalSession, {**DICTATION, "content_identification_type": "PII"}, "content_identification_type must be 'PHI'"),
    (MedicalScribeSession, {**SCRIBE, "language_code": "de-DE"}, "language_code must be 'en-US'"),
    # companions
    (MedicalSession, {"type": "DICTATION"}, "specialty must be given"),
    (MedicalSession, {"specialty": "UROLOGY"}, "type must be given"),
    (MedicalScribeSession, {"output_bucket_name": "notes-of-ours"}, "resource_access_role_arn must be given"),
    (MedicalScribeSession, {"resource_access_role_arn": ROLE}, "output_bucket_name must be given"),
    (TranscribeSession, {"identify_language": True}, "identify_language needs language_options as well"),
    (TranscribeSession, {"identify_multiple_languages": True}, "identify_multiple_languages needs language_options"),
    (English, {"language_options": ["en-US", "fr-CA"]},
     "language_options needs identify_language or identify_multiple_languages"),
    (English, {"preferred_language": "en-US"}, "needs identify_language"),
    (TranscribeSession, {"identify_multiple_languages": True, "language_options": ["en-US", "fr-CA"],
                         "preferred_language": "en-US"}, "preferred_language needs identify_language"),
    (TranscribeSession, IDENTIFYING | {"preferred_language": "de-DE"}, "'de-DE' must be one of language_options"),
    (English, {"vocabulary_names": ["a"]}, "vocabulary_names needs identify_language"),
    (English, {"vocabulary_filter_method": "tag"},
     "vocabulary_filter_method needs vocabulary_filter_name or vocabulary_filter_names"),
    (English, {"number_of_channels": 2}, "needs enable_channel_identification"),
    (English, {"enable_channel_identification": True}, "needs number_of_channels"),
    (English, {"enable_channel_identification": True, "number_of_channels": 3},
     "number_of_channels must be 2, not 3"),
    (English, {"partial_results_stability": "high"},
     "needs enable_partial_results_stabilization"),
    (English, {"pii_entity_types": "NAME"},
     "pii_entity_types needs content_identification_type or content_redaction_type"),
    (CallAnalyticsSession, {"language_code": "en-US", "output_location": "s3://bucket"}, "needs data_access_role_arn"),
    (CallAnalyticsSession, {"language_code": "en-US", "data_access_role_arn": ROLE}, "needs output_location"),
    (CallAnalyticsSession, {"language_code": "en-US", "channel_roles": ["AGENT"]}, "channel_roles must be exactly 2"),
    (CallAnalyticsSession, {"language_code": "en-US", "channel_roles": ["AGENT", "AGENT"]}, "both of 'AGENT' and"),
    (CallAnalyticsSession, {"language_code": "en-US", "channel_roles": ["PATIENT", "AGENT"]}, "'AGENT' or 'CUSTOMER'"),
    (MedicalScribeSession, {**SCRIBE, "vocabulary_filter_name": "x"}, "needs vocabulary_filter_method"),
    (MedicalScribeSession, {**SCRIBE, "kms_encryption_context": {"a": "b"}}, "needs kms_key_id"),
    (MedicalScribeSession, {**SCRIBE, "kms_key_id": "k", "kms_encryption_context": {"a": ""}}, "none of them empty"),
    (MedicalScribeSession, {**SCRIBE, "kms_key_id": "k", "kms_encryption_context": {"a": "\ud800"}}, "printable"),
    (CallAnalyticsSession, {"language_code": "en-US", "output_location": "s3://bucket/\ud800"}, "output_location must"),
    (English, {"sign_frames": "no"}, "sign_frames must be True or False, not 'no'"),
    # exclusions
    (English, {"content_identification_type": "PII", "content_redaction_type": "PII"},
     "content_identification_type and content_redaction_type exclude each other"),
    (TranscribeSession, IDENTIFYING | {"language_model_name": "m"}, "model_name and identify_language exclude"),
    (TranscribeSession, {"identify_language": True, "language_options": ["en-US", "fr-CA"],
                         "content_redaction_type": "PII"}, "content_redaction_type and identify_language exclude"),
    (TranscribeSession, IDENTIFYING | {"vocabulary_name": "v"}, "vocabulary_name and identify_language exclude"),
    # how the session is held
    (English, {"transport": "h2"}, "transport must be 'websocket' or 'http2', not 'h2'"),
    (MedicalScribeSession, {**SCRIBE, "transport": "websocket"}, "transport must be 'http2'"),
    (English, {"expires": 301}, "expires must be .* 1 to 300"),
    (English, {"expires": 0}, "expires must be"),
    (English, {"chunk_ms": 49}, "chunk_ms must be .* 50 to 200"),
    (English, {"chunk_ms": 201}, "chunk_ms must be"),
    *[(English, {"endpoint": endpoint}, "endpoint must be a host") for endpoint in (
        "https://host", "wss://", "wss://host/path", "host?x", "wss://me:pass@host", "wss://host:x", "wss://host:99999",
        "wss://[::1", "", "host\n", "h\u00f6st", "file://host", 7)],
]


@pytest.mark.parametrize(("kind", "options", "message"), REFUSED)
def test_refused_with_the_name_of_the_option(kind: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message) as caught:
        make(kind, **options)
    assert "\n" not in str(caught.value)


def test_a_long_value_is_not_shown_whole() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        make(TranscribeSession, language_code="x" * 100_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("region", ["", "us-east", "US-EAST-1", "us-east-1.evil.example/", "us-east-1\n", None, 5])
def test_regions(region: Any) -> None:
    with pytest.raises(LocalProtocolError, match="region must be"):
        TranscribeSession(KEYS, region=region, language_code="en-US")


def test_credentials_are_a_type_of_their_own() -> None:
    with pytest.raises(TypeError, match="credentials must be Credentials, not tuple"):
        TranscribeSession(("AKIDEXAMPLE", "secret"), region="us-east-1", language_code="en-US")  # type: ignore[arg-type]


@pytest.mark.parametrize(("endpoint", "region", "url"), [
    (None, "us-east-1", "wss://transcribestreaming.us-east-1.amazonaws.com:8443/stream-transcription-websocket?"),
    (None, "us-gov-west-1", "wss://transcribestreaming.us-gov-west-1.amazonaws.com:8443/stream-"),
    (None, "cn-north-1", "wss://transcribestreaming.cn-north-1.amazonaws.com.cn:8443/stream-transcription-websocket?"),
    ("localhost:9", "us-east-1", "wss://localhost:9/stream-transcription-websocket?"),
    ("wss://[::1]:9", "us-east-1", "wss://[::1]:9/stream-transcription-websocket?"),
    ("ws://127.0.0.1:9/", "us-east-1", "ws://127.0.0.1:9/stream-transcription-websocket?"),
])
def test_endpoints(endpoint: str | None, region: str, url: str) -> None:
    session = TranscribeSession(KEYS, region=region, language_code="en-US", endpoint=endpoint)
    assert session.handshake().url.startswith(url)


@pytest.mark.parametrize(("kind", "options", "path"), [
    (TranscribeSession, {"language_code": "en-US"}, "/stream-transcription"),
    (MedicalSession, DICTATION, "/medical-stream-transcription"),
    (CallAnalyticsSession, {"language_code": "en-US"}, "/call-analytics-stream-transcription"),
    (MedicalScribeSession, SCRIBE, "/medical-scribe-stream"),
])
def test_paths_and_transports(kind: Any, options: dict[str, Any], path: str) -> None:
    request = make(kind, transport="http2", **options).handshake()
    assert (request.method, request.url) == ("POST", f"https://transcribestreaming.us-east-1.amazonaws.com{path}")
    if kind is not MedicalScribeSession:
        request = make(kind, **options).handshake()
        host = "wss://transcribestreaming.us-east-1.amazonaws.com:8443"
        assert (request.method, request.url.partition("?")[0]) == ("GET", f"{host}{path}-websocket")


@pytest.mark.parametrize(("operation", "hints"), [
    (STANDARD, typed.TranscribeOptions), (MEDICAL, typed.MedicalOptions),
    (CALL_ANALYTICS, typed.CallAnalyticsOptions), (MEDICAL_SCRIBE, typed.MedicalScribeOptions)])
def test_typed_keywords_are_the_options(operation: Operation, hints: Any) -> None:
    settings = {"transport", "sign_frames", "expires", "endpoint", "chunk_ms", "clock"}
    assert set(typing.get_type_hints(hints)) - settings == {option.keyword for option in operation.options}


wire_names = st.sampled_from([option.name for option in STANDARD.options])
wire_texts = st.sampled_from(["true", "false", "en-US", "en-US,fr-CA", "pcm", "16000", "2", "PII", "ALL", "high", "tag",
                              UUID]) | st.text(max_size=10)


@given(st.lists(st.tuples(wire_names | st.text(max_size=5), wire_texts), max_size=8))
def test_any_query_is_parsed_or_refused(pairs: list[tuple[str, str]]) -> None:
    """And what is accepted is written again as it came, but for flags that are false."""
    try:
        checked = STANDARD.parse(pairs)
    except LocalProtocolError:
        return
    assert dict(STANDARD.parameters(checked)) == {name: text for name, text in pairs if text != "false"}


def test_every_set_of_options_survives_the_wire() -> None:
    for options in ({"language_code": "en-US", **STANDARD_OPTIONS}, IDENTIFYING):
        checked = STANDARD.check({"sample_rate": 8000, "media_encoding": "pcm"} | options)
        assert STANDARD.parse(STANDARD.parameters(checked)) == checked
