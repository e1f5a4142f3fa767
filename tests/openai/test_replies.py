"""Replies in every format and of every dialect, refusals in every shape, and bytes that are neither."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.audio import Transcription, TranscriptionDiarized, TranscriptionVerbose

from asrproto.errors import LocalProtocolError, MalformedFrame, ServiceError
from asrproto.events import Transcript, Word
from asrproto.openai.dialects import RESPONSE_FORMATS
from asrproto.openai.errors import parse_error
from asrproto.openai.transcription import parse_transcription


def parse(document: Any, response_format: str = "json") -> list[Transcript]:
    return parse_transcription(json.dumps(document).encode(), response_format=response_format)


JSON = {"text": "Go forward ten meters.", "logprobs": [{"token": "Go", "logprob": -0.01, "bytes": [71, 111]}],
        "languages": [{"code": "en"}], "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 45,
                                                  "total_tokens": 59, "input_token_details": {"audio_tokens": 14}}}
VERBOSE = {
    "task": "transcribe", "language": "english", "duration": 3.2, "text": " Go forward ten meters.",
    "segments": [
        {"id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": " Go forward", "tokens": [1], "temperature": 0.0,
         "avg_logprob": -0.3, "compression_ratio": 1.2, "no_speech_prob": 0.01},
        {"id": 1, "seek": 0, "start": 1.5, "end": 3.2, "text": " ten meters.", "tokens": [2], "temperature": 0.0,
         "avg_logprob": -0.3, "compression_ratio": 1.2, "no_speech_prob": 0.01}],
    "words": [{"word": "Go", "start": 0.0, "end": 0.4}, {"word": "forward", "start": 0.4, "end": 1.5},
              {"word": "ten", "start": 1.5, "end": 2.0}, {"word": "meters", "start": 2.0, "end": 3.2}],
    "usage": {"type": "duration", "seconds": 4},
}
DIARIZED = {
    "task": "transcribe", "duration": 3.2, "text": "Go. Where?", "usage": {"type": "duration", "seconds": 4},
    "segments": [
        {"type": "transcript.text.segment", "id": "seg_0", "start": 0.0, "end": 1.0, "text": " Go.", "speaker": "A"},
        {"type": "transcript.text.segment", "id": "seg_1", "start": 1.0, "end": 3.2, "text": "Where?",
         "speaker": "agent"}],
}


def test_json() -> None:
    Transcription.model_validate(JSON, strict=True)  # the client's own type takes this example
    assert parse(JSON) == [Transcript("Go forward ten meters.", True, language="en", raw=JSON)]
    assert parse({"text": ""}) == [Transcript("", True, raw={"text": ""})]


def test_verbose_json() -> None:
    TranscriptionVerbose.model_validate(VERBOSE, strict=True)
    first, second = parse(VERBOSE, "verbose_json")
    assert first == Transcript("Go forward", True, start=0.0, end=1.5, language="english", segment_id="0", raw=VERBOSE,
                               words=(Word("Go", 0.0, 0.4), Word("forward", 0.4, 1.5)))
    assert second == Transcript("ten meters.", True, start=1.5, end=3.2, language="english", segment_id="1",
                                raw=VERBOSE, words=(Word("ten", 1.5, 2.0), Word("meters", 2.0, 3.2)))


def test_diarized_json() -> None:
    TranscriptionDiarized.model_validate(DIARIZED, strict=True)
    assert [(t.text, t.speaker, t.start, t.end, t.segment_id) for t in parse(DIARIZED, "diarized_json")] == [
        ("Go.", "A", 0.0, 1.0, "seg_0"), ("Where?", "agent", 1.0, 3.2, "seg_1")]


def test_dialects() -> None:
    vllm = parse({"duration": "3.25", "language": "en", "text": "hi", "segments": None, "words": None}, "verbose_json")
    assert (vllm[0].start, vllm[0].end, vllm[0].language) == (0.0, 3.25, "en")
    localai = parse({"segments": [{"id": 0, "start": 0, "end": 2, "text": "hi"}], "text": "hi"}, "verbose_json")
    assert (localai[0].text, localai[0].end, localai[0].language) == ("hi", 2.0, None)
    assert parse({"segments": [], "text": "hi"}, "verbose_json")[0].text == "hi"
    speaches = parse({"text": "hi", "segments": [{"id": 1, "text": " hi", "words": [
        {"word": " hi", "start": 0.5, "end": 1, "probability": 0.75}]}]}, "verbose_json")
    assert speaches[0].words == (Word("hi", 0.5, 1.0, confidence=0.75),)
    groq = parse({"text": "hi", "x_groq": {"id": "req_1"}})
    assert groq[0].raw["x_groq"] == {"id": "req_1"}


def test_words_outside_of_the_segments_are_kept() -> None:
    found = parse({"text": "", "segments": [{"start": 1.0, "end": 2.0}, {"start": 3.0, "end": 4.0}],
                   "words": [{"word": w, "start": at, "end": at + 0.2} for w, at in
                             [("before", 0.0), ("in", 1.0), ("between", 2.5), ("second", 3.5), ("after", 9.0)]]})
    assert [[word.text for word in one.words] for one in found] == [["before", "in", "between"], ["second", "after"]]


SRT = ("1\r\n00:00:00,000 --> 00:00:01,500\r\nGo forward\r\n\r\n"
       "2\r\n00:00:01,500 --> 01:00:03,250\r\nten\r\nmeters.\r\n\r\n\r\n")
VTT = """WEBVTT - made by hand

NOTE
a comment --
of two lines

STYLE
::cue { color: red }

00:00.000 --> 00:01.500 align:start line:0%
<v.loud Jane &amp; Joe>Go <i>forward</i></v> &lt;now&gt;

second
01:00:01.500 --> 01:00:03.250
ten
meters.
"""


def test_srt() -> None:
    first, second = parse_transcription(SRT.encode(), response_format="srt")
    assert (first.text, first.start, first.end, first.segment_id) == ("Go forward", 0.0, 1.5, "1")
    assert (second.text, second.start, second.end, second.segment_id) == ("ten\nmeters.", 1.5, 3603.25, "2")
    for variant in (SRT.replace("\r\n", "\n"), SRT.replace("\r\n", "\r"), "\ufeff" + SRT, SRT.replace(",", "."),
                    SRT.rstrip(), SRT.replace("\r\n\r\n", "\r\n \t\r\n")):
        again = parse_transcription(variant, response_format="srt")
        assert [(t.text, t.start, t.end) for t in again] == [(t.text, t.start, t.end) for t in (first, second)]
    assert parse_transcription("00:01,000 --> 00:02,5\nx", response_format="srt")[0].end == 2.5
    assert parse_transcription(b"", response_format="srt") == []


def test_vtt() -> None:
    first, second = parse_transcription(VTT, response_format="vtt")
    assert (first.text, first.speaker, first.start, first.end) == ("Go forward <now>", "Jane & Joe", 0.0, 1.5)
    assert (first.segment_id, second.segment_id) == (None, "second")
    assert (second.text, second.start, second.end) == ("ten\nmeters.", 3601.5, 3603.25)
    assert parse_transcription("\ufeffWEBVTT\n\n", response_format="vtt") == []


@pytest.mark.parametrize(("response_format", "body", "reason"), [
    ("srt", "hello", "cue-timing"), ("srt", "1\n00:00:00,000 -> 00:00:01,000\nx", "cue-timing"),
    ("srt", "1\n00:61:00,000 --> 00:00:01,000\nx", "cue-timing"), ("srt", '{"text": "x"}', "cue-timing"),
    ("vtt", "", "not-webvtt"), ("vtt", SRT, "not-webvtt"), ("vtt", "WEBVTTX\n\n", "not-webvtt"),
    ("vtt", "WEBVTT\n\nid\n", "cue-timing"), ("vtt", " <HTML>", "html-page"),
    ("text", "<!DOCTYPE html><p>x", "html-page"),
    ("json", "", "not-json"), ("json", "<html>502</html>", "not-json"), ("json", "hello", "not-json"),
    ("json", "[]", "wrong-shape"), ("json", '"hello"', "wrong-shape"), ("json", "{}", "wrong-shape"),
    ("json", '{"text": 5}', "wrong-shape"), ("json", '{"text": null}', "wrong-shape"),
    ("verbose_json", '{"text": "", "segments": [{"start": "soon"}]}', "wrong-shape"),
    ("verbose_json", '{"text": "", "words": {}}', "wrong-shape"),
    ("verbose_json", '{"text": "", "duration": "nan"}', "wrong-shape"),
    ("verbose_json", '{"text": "", "duration": "-inf"}', "wrong-shape"),
    ("verbose_json", '{"text": "", "segments": 3}', "wrong-shape"),
])
def test_malformed(response_format: str, body: str, reason: str) -> None:
    with pytest.raises(MalformedFrame) as caught:
        parse_transcription(body.encode(), response_format=response_format)
    assert caught.value.reason == reason


def test_text() -> None:
    assert parse_transcription("Go\u2028forward\n".encode(), response_format="text")[0].text == "Go\u2028forward"
    assert parse_transcription(b"\xff", response_format="text")[0].text == "\ufffd"
    with pytest.raises(LocalProtocolError, match="response_format"):
        parse_transcription(b"", response_format="xml")


@given(st.binary() | st.text().map(str.encode), st.sampled_from(RESPONSE_FORMATS), st.integers(200, 599))
def test_any_body(body: bytes, response_format: str, status: int) -> None:
    with contextlib.suppress(MalformedFrame, ServiceError):
        parse_transcription(body, response_format=response_format, status=status)


NAMES = ["text", "segments", "words", "start", "end", "id", "word", "code", "error", "message", "detail", "type", "loc",
         "msg"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.just(0.5) | st.sampled_from(["", "x", "1.5", "error"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner))


@given(JSON_VALUES, st.integers(200, 599))
def test_any_document(document: Any, status: int) -> None:
    with contextlib.suppress(MalformedFrame, ServiceError):
        parse_transcription(json.dumps(document).encode(), status=status)


# ---- refusals

KEY = "sk-made-up-0123456789"
PAGE = b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway &amp; more</title></head><body><h1>x</h1></body></html>"


@pytest.mark.parametrize(("status", "body", "code", "message", "retryable"), [
    (401, {"error": {"message": f"Incorrect API key provided: {KEY}.", "type": "invalid_request_error", "param": None,
                     "code": "invalid_api_key"}}, "invalid_api_key", "Incorrect API key provided: ***.", False),
    (400, {"error": {"message": "Unrecognized file format.", "type": "invalid_request_error", "param": None,
                     "code": None}}, "invalid_request_error", "Unrecognized file format.", False),
    (429, {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}},
     "rate_limit_exceeded", "slow down", True),
    (429, {"error": {"message": "pay first", "type": "insufficient_quota", "code": "insufficient_quota"}},
     "insufficient_quota", "pay first", False),
    (500, {"error": {"message": "oops", "type": "server_error"}}, "server_error", "oops", True),
    (409, {"error": {}}, "409", "", True),
    # vLLM
    (400, {"object": "error", "message": "bad", "type": "BadRequestError", "param": None, "code": 400},
     "BadRequestError", "bad", False),
    (404, {"error": {"message": "no model", "type": "NotFoundError", "param": None, "code": 404}}, "NotFoundError",
     "no model", False),
    # LocalAI
    (500, {"error": {"code": 500, "message": "could not load model", "type": ""}}, "500", "could not load model", True),
    # speaches, or any other on FastAPI
    (404, {"detail": "Model 'x' is not installed"}, "404", "Model 'x' is not installed", False),
    (422, {"detail": [{"type": "missing", "loc": ["body", "file"], "msg": "Field required"},
                      {"loc": ["body", 0], "msg": "Odd"}]}, "422", "body.file: Field required; body.0: Odd", False),
    # SiliconFlow
    (400, {"code": 20012, "message": "Model does not exist.", "data": None}, "20012", "Model does not exist.", False),
    (401, "Invalid token", "401", "Invalid token", False),
    (503, {"code": 50505, "message": "Model overloaded.", "data": None}, "50505", "Model overloaded.", True),
    # whatever stands in between
    (502, PAGE, "502", "502 Bad Gateway & more", True),
    (413, b"<html><body><h1>Too   large</h1><p>really</p></body></html>", "413", "Too large really", False),
    (504, b"", "504", "", True), (500, b"\xff\xfe plain", "500", "\ufffd\ufffd plain", True),
    (400, [1, 2], "400", "1; 2", False), (400, {"error": ["a", {"message": "b"}]}, "400", "", False),
    (400, None, "400", "", False),
])
def test_refusals(status: int, body: Any, code: str, message: str, retryable: bool) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ServiceError) as caught:
        parse_transcription(content, status=status, headers={"X-Request-ID": "req_7"}, secrets=[KEY])
    error = caught.value
    assert (error.code, error.message, error.retryable, error.request_id) == (code, message, retryable, "req_7")


def test_the_service_can_say_whether_to_try_again() -> None:
    assert parse_error(400, b"{}", headers={"x-should-retry": "true"}).retryable
    assert not parse_error(503, b"{}", headers=[("X-Should-Retry", "false")]).retryable
    assert parse_error(503, b"{}", headers=[("X-Should-Retry", "maybe")]).retryable


def test_a_refusal_with_status_200() -> None:
    for body, code in [({"error": {"message": "m", "code": "c"}}, "c"), ({"code": 20012, "message": "m"}, "20012")]:
        with pytest.raises(ServiceError) as caught:
            parse(body)
        assert (caught.value.code, caught.value.message) == (code, "m")


@pytest.mark.parametrize(("start", "end"), [
    (b"", b""), (b'{"detail":', b"}"), (b'{"detail":[{"loc":["a"],"msg":', b"}]}"), (b'{"error":{"message":', b"}}")])
def test_deep_nesting_is_not_followed(start: bytes, end: bytes) -> None:
    """Python's stack is left alone; deeper than JSON may be, the body is a text like any other."""
    for depth in range(4, 1100, 37):
        body = start + b"[" * depth + b"1" + b"]" * depth + end
        error = parse_error(400, body)
        assert error.code == "400"
        assert error.message in ("", body.decode()[:1000])


def test_a_long_page_is_cut() -> None:
    error = parse_error(500, b"<" * 5_000_000 + b"x" * 5_000_000)
    assert len(error.message) == 1000
