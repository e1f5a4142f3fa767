"""What sessions make of responses, errors and garbage: hand-made frames, one trap each."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from volc_conversations import CREDENTIALS, LOG_ID, finals, partials

from asrproto.errors import LocalProtocolError, MalformedFrame, RemoteProtocolError, TruncatedFrame
from asrproto.events import Event, SessionEnded, SessionFailed, SessionStarted, Transcript, UnknownEvent
from asrproto.volcengine.codes import BIG_MODEL_CODES, LEGACY_CODES, find_code, service_error
from asrproto.volcengine.frames import Flags, Frame, encode_frame
from asrproto.volcengine.streaming import BigModelSession, LegacySession


def opened(**options: Any) -> BigModelSession:
    session = BigModelSession(CREDENTIALS, connect_id="an-id", **options)
    session.handshake()
    session.start()
    return session


def opened_legacy(**options: Any) -> LegacySession:
    session = LegacySession(CREDENTIALS, cluster="c", reqid="an-id", **options)
    session.handshake()
    session.start()
    return session


def response(document: Any, *, last: bool = False, sequence: int | None = 1, gzip: bool = False,
             **fields: Any) -> bytes:
    flags = (Flags.SEQUENCE if sequence is not None else Flags.NONE) | (Flags.LAST if last else Flags.NONE)
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return encode_frame(Frame(9, **{"flags": flags, "serialization": 1, "compression": int(gzip),
                                    "sequence": sequence, "payload": payload, **fields}))


def refusal(code: int, payload: bytes) -> bytes:
    return encode_frame(Frame(15, serialization=1, error_code=code, payload=payload))


def said(*utterances: tuple[str, bool], **result: Any) -> dict[str, Any]:
    return {"result": {"text": "".join(text for text, _ in utterances), "utterances": [
        {"text": text, "definite": definite, "start_time": 1000 * i, "end_time": 1000 * i + 900}
        for i, (text, definite) in enumerate(utterances)], **result}}


def heard(session: Any, *messages: bytes) -> list[Event]:
    return [event for message in messages for event in session.receive(message)]


def test_finals_are_reported_once_though_every_response_repeats_them() -> None:
    events = heard(opened(), response(said(("a", False))), response(said(("a", True))),
                   response(said(("a", True), ("b", False))), response(said(("a", True), ("b", False))),
                   response(said(("a", True), ("b!", True))), response(said(("a", True), ("b!", True)), last=True))
    assert finals(events) == [("0", "a"), ("1", "b!")]
    assert partials(events) == [("0", "a"), ("1", "b")]
    assert isinstance(events[-1], SessionEnded)


def test_a_final_may_come_before_one_that_stands_earlier() -> None:
    events = heard(opened(), response(said(("a", False), ("b", True))), response(said(("a.", True), ("b", True))))
    assert finals(events) == [("1", "b"), ("0", "a.")]


def test_the_last_response_makes_everything_final() -> None:
    assert finals(heard(opened(), response(said(("a", True), ("b", False)), last=True))) == [("0", "a"), ("1", "b")]
    # an empty last response: what was partial stands
    for empty in ({}, b"", {"result": {"text": ""}}, {"result": []}, {"result": None}):
        assert finals(heard(opened(), response(said(("a", True), ("b", False))), response(empty, last=True))) == [
            ("0", "a"), ("1", "b")]
    # one that was withdrawn is gone
    assert finals(heard(opened(), response(said(("a", False), ("b", False))),
                        response(said(("ab", True)), last=True))) == [("0", "ab")]


def test_single_results_count_on_from_the_last_final() -> None:
    def only(text: str, definite: bool, start: int) -> dict[str, Any]:
        return {"result": {"text": text, "utterances": [
            {"text": text, "definite": definite, "start_time": start, "end_time": start + 900}]}}

    events = heard(opened(result_type="single"), response(only("a", False, 0)), response(only("a.", True, 0)),
                   response(only("a.", True, 0)), response(only("b", False, 1000)), response(only("b.", True, 1000)),
                   response({"result": {"text": "", "utterances": []}}, last=True))
    assert finals(events) == [("0", "a."), ("1", "b.")]
    assert partials(events) == [("0", "a"), ("1", "b")]
    with pytest.raises(LocalProtocolError, match="show_utterances"):
        BigModelSession(CREDENTIALS, result_type="single", show_utterances=False)


TRAPS = {
    "packed though the request may not be": response(said(("a", True)), gzip=True),
    "not packed though the request is": response(said(("a", True))),
    "without a sequence": response(said(("a", True)), sequence=None),
    "with a sequence out of turn": response(said(("a", True)), sequence=99),
    "result as a list": response({"result": [said(("a", True))["result"]]}),
    "called raw though it is JSON": response(said(("a", True)), serialization=0),
    "with fields that nobody knows": response({**said(("a", True), new=1), "more": {"x": []}}),
    "with a header extension": response(said(("a", True)), extension=b"12345678"),
}


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.parametrize("gzip", [True, False])
def test_responses_are_what_they_say_themselves(name: str, gzip: bool) -> None:
    assert finals(heard(opened(gzip=gzip), TRAPS[name])) == [("0", "a")]


def test_nothing_is_sent_once_the_service_has_ended() -> None:
    session = opened()
    session.receive(response({}, last=True))
    assert session.send_audio(bytes(9000)) == session.end_audio() == []


def test_last_is_the_flag_and_never_the_sign() -> None:
    session = opened()
    assert not any(isinstance(event, SessionEnded) for event in session.receive(response({}, sequence=-3)))
    assert isinstance(session.receive(response({}, sequence=3, last=True))[-1], SessionEnded)


def test_everything_that_the_service_says_is_kept() -> None:
    raw = {"text": "你好", "definite": True, "start_time": -1, "end_time": 1500, "confidence": 0.5, "new": "field",
           "additions": {"speaker": "1", "channel_id": 2, "lid_lang": "speech_mand", "emotion": "happy"},
           "words": [{"text": "你", "start_time": 100, "end_time": 1500, "blank_duration": 0, "confidence": 0.25},
                     {"text": "好", "start_time": -1, "end_time": -1}]}
    started, transcript = opened().receive(response({"audio_info": {"duration": 1500},
                                                     "result": {"text": "你好", "utterances": [raw]}}))
    assert isinstance(started, SessionStarted)
    assert isinstance(transcript, Transcript)
    assert transcript.raw == raw
    assert (transcript.start, transcript.end, transcript.confidence) == (None, 1.5, 0.5)
    assert (transcript.speaker, transcript.channel, transcript.language) == ("1", "2", "speech_mand")
    assert [(word.text, word.start, word.end, word.confidence) for word in transcript.words] == [
        ("你", 0.1, 1.5, 0.25), ("好", None, None, None)]


def test_further_results_are_alternatives() -> None:
    events = heard(opened_legacy(), response({"code": 1000, "sequence": -2, "result": [
        {"text": "two", "confidence": 0.9}, {"text": "too", "confidence": 0.1}]}, sequence=None))
    transcript = events[1]
    assert isinstance(transcript, Transcript)
    assert (transcript.text, transcript.is_final, transcript.confidence) == ("two", True, 0.9)
    assert [(other.text, other.confidence) for other in transcript.alternatives] == [("too", 0.1)]


def test_the_older_sequence_is_in_the_json() -> None:
    session = opened_legacy()
    first = session.receive(response({"code": 1000, "sequence": 1, "addition": {"logid": LOG_ID}}, sequence=None))
    assert [type(event) for event in first] == [SessionStarted]
    assert session.log_id == LOG_ID
    last = session.receive(response({"code": 1000, "sequence": -2, "result": [{"text": "a"}]}, sequence=None))
    assert finals(last) == [("0", "a")]
    assert isinstance(last[-1], SessionEnded)


RETRYABLE = {55000031, 1003, 1005, 1020, 1021}


@pytest.mark.parametrize("code", [code for code in BIG_MODEL_CODES if code >= 45000000] + [55001234, 45009999])
def test_every_code_of_an_error_frame(code: int) -> None:
    session = opened()
    session.receive(response({"result": {"text": "", "additions": {"log_id": LOG_ID}}}))
    failed, = session.receive(refusal(code, b'{"error":"no, made-up-token"}'))
    assert isinstance(failed, SessionFailed)
    error = failed.error
    assert (error.code, error.message, error.request_id) == (str(code), "no, ***", LOG_ID)
    assert error.retryable is (code in RETRYABLE or 55000000 <= code < 56000000)
    assert not session.can_continue
    assert session.send_audio(bytes(9000)) == session.end_audio() == session.receive_eof() == []


@pytest.mark.parametrize("code", [code for code in LEGACY_CODES if code != 1000] + [1234])
def test_every_code_of_the_older_service(code: int) -> None:
    session = opened_legacy()
    failed, = session.receive(response({"reqid": "an-id", "code": code, "message": "no, made-up-token",
                                        "sequence": -1, "addition": {"logid": LOG_ID}}, sequence=None))
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.message, failed.error.request_id) == (str(code), "no, ***", LOG_ID)
    assert failed.error.retryable is (code in RETRYABLE)


def test_codes_are_explained() -> None:
    for table in (BIG_MODEL_CODES, LEGACY_CODES):
        for number, code in table.items():
            assert code.number == number
            assert code.meaning
            assert code.meaning_zh
            assert code.retryable is (number in RETRYABLE)
    assert [find_code(number).retryable for number in (55012345, 5501234, 56000000, 5600000, 7)] == [
        True, True, False, False, False]


@pytest.mark.parametrize(("payload", "words"), [
    (b'{"error":"words"}', "words"), (b'{"message":"words"}', "words"), (b"words\n", "words"),
    (b"\xffwords", "\ufffdwords"), (b'["words"]', '["words"]'), (b"", "no packet arrived in time"),
    (b"[" * 100_000, "[" * 4000),
])
def test_the_words_of_an_error_frame(payload: bytes, words: str) -> None:
    failed, = opened().receive(refusal(45000081, payload))
    assert isinstance(failed, SessionFailed)
    assert failed.error.message == words
    assert failed.error.request_id == "an-id"


def test_a_code_in_the_body_of_a_response() -> None:
    failed, = opened().receive(response({"code": 45000001, "message": "bad"}))
    assert isinstance(failed, SessionFailed)
    assert failed.error.code == "45000001"


def test_the_log_id_of_the_handshake() -> None:
    session = opened()
    assert session.receive_handshake(101, {"x-tt-logid": LOG_ID}) == []
    failed, = session.receive_eof()
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.retryable, failed.error.request_id) == ("connection-closed", True, LOG_ID)


GARBAGE = {
    "text-message": ("text", MalformedFrame),
    "truncated-header": (b"\x11", TruncatedFrame),
    "version": (b"\0\0\0\0", MalformedFrame),
    "trailing-bytes": (response({}) + b"x", MalformedFrame),
    "unexpected-type": (encode_frame(Frame(2)), MalformedFrame),
    "not-json": (response(b"{"), MalformedFrame),
    "wrong-shape": (response({"result": {"utterances": 3}}), MalformedFrame),
}


@pytest.mark.parametrize("reason", GARBAGE)
def test_garbage_is_refused_and_the_session_goes_on(reason: str) -> None:
    message, kind = GARBAGE[reason]
    session = opened()
    with pytest.raises(kind) as caught:
        session.receive(message)  # type: ignore[arg-type]
    assert caught.value.reason == reason
    assert session.can_continue
    assert finals(heard(session, response(said(("a", True)), last=True))) == [("0", "a")]


@pytest.mark.parametrize("document", [
    "text", 3, [], {"result": "text"}, {"result": {"text": 3}}, {"result": [3]}, {"audio_info": []},
    {"result": {"utterances": [{"words": {}}]}}, {"result": {"utterances": [{"start_time": "soon"}]}}, {"code": "x"},
    b"\xff", b'{"result":{"text":"\xff"}}', b"[" * 100_000, b'{"code":1e999}', b'{"a":' * 5000,
])
def test_json_of_the_wrong_shape(document: Any) -> None:
    for session in (opened(), opened_legacy()):
        with pytest.raises(MalformedFrame) as caught:
            session.receive(response(document))
        assert caught.value.reason in ("not-json", "wrong-shape")
        assert session.can_continue


def test_messages_out_of_order() -> None:
    session = BigModelSession(CREDENTIALS)
    for _ in range(2):
        with pytest.raises(MalformedFrame) as caught:
            session.receive(response({}))
        assert caught.value.reason == "before-start"
        session.handshake()
    session.start()
    session.receive(response({}, last=True))
    with pytest.raises(MalformedFrame) as caught:
        session.receive(response({}))
    assert caught.value.reason == "after-end"
    assert session.receive_eof() == []


def test_unknown_frames_are_handed_on() -> None:
    session = opened()
    for frame in (Frame(11, payload=b"sound"), Frame(12), Frame(5, flags=8), Frame(9, serialization=3, payload=b"\x0b"),
                  Frame(9, flags=4, event=451, session_id="s", payload=b"{}")):
        assert session.receive(encode_frame(frame)) == [UnknownEvent(frame)]


@given(st.binary(max_size=80), st.sampled_from([b"", b"\x11\x90\x10\0", b"\x11\x91\x11\0", b"\x11\xf0\x10\0"]))
def test_whatever_arrives_only_documented_errors_leave(rest: bytes, start: bytes) -> None:
    for session in (opened(), opened_legacy()):
        with suppress(RemoteProtocolError):
            events = session.receive(start + rest)
            assert session.can_continue or isinstance(events[-1], SessionEnded | SessionFailed)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
                        "result", "text", "utterances", "words", "definite", "additions", "start_time", "end_time",
                        "code", "sequence", "addition", "logid", "log_id", "audio_info", "confidence"]), inner))


@given(st.lists(st.tuples(JSON, st.booleans()), max_size=5), st.sampled_from(["full", "single"]))
def test_any_json_is_read_or_refused(documents: list[tuple[Any, bool]], result_type: Any) -> None:
    for session in (opened(result_type=result_type), opened_legacy(result_type=result_type)):
        for document, last in documents:
            if not session.can_continue:
                break
            with suppress(RemoteProtocolError):
                assert all(isinstance(event, Event) for event in session.receive(response(document, last=last)))


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=4), max_size=8))
def test_every_segment_is_final_at_most_once(responses: list[list[tuple[str, bool]]]) -> None:
    session = opened()
    events = heard(session, *[response(said(*utterances)) for utterances in responses], response({}, last=True))
    segments = [segment for segment, _ in finals(events)]
    assert len(segments) == len(set(segments))
    done = set()
    for event in events:
        if isinstance(event, Transcript):
            assert event.segment_id not in done
            if event.is_final:
                done.add(event.segment_id)


def test_calls_out_of_order() -> None:
    session = BigModelSession(CREDENTIALS)
    for call in (session.start, lambda: session.send_audio(b""), session.end_audio):
        with pytest.raises(LocalProtocolError):
            call()
    session.handshake()
    session.start()
    session.end_audio()
    for call in (session.handshake, session.start, lambda: session.send_audio(b""), session.end_audio):
        with pytest.raises(LocalProtocolError):
            call()


def test_the_words_of_a_refusal_are_cut_after_what_is_secret_in_them() -> None:
    secret = "made-up-token"
    error = service_error(45000000, "x" * 3995 + secret + "y" * 10**6, request_id=None, secrets=[secret])
    assert error.message == "x" * 3995 + "***yy"
