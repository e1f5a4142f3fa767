"""Recorded files: requests, answers, and what to do next."""

from __future__ import annotations

import base64
import itertools
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from volc_conversations import AT, CREDENTIALS, LOG_ID, SEVEN

from asrproto.errors import LocalProtocolError, MalformedFrame, RemoteProtocolError, ServiceError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.testing.volcengine import RecordingService
from asrproto.volcengine.credentials import ApiKey
from asrproto.volcengine.recording import (
    Done,
    Failed,
    RecordingTask,
    Send,
    flash_request,
    parse_query,
    parse_submit,
    query_request,
    submit_request,
)

BASE = "https://openspeech.bytedance.com/api/v3/auc/bigmodel"
URL = "https://example.com/goforward.wav"

# The vendor's example of a response, from its page on recorded files.
EXAMPLE = {"audio_info": {"duration": 3696}, "result": {"text": "这是字节跳动， 今日头条母公司。", "utterances": [
    {"definite": True, "end_time": 1705, "start_time": 0, "text": "这是字节跳动，", "words": [
        {"blank_duration": 0, "end_time": 860, "start_time": 740, "text": "这"},
        {"blank_duration": 0, "end_time": 1020, "start_time": 860, "text": "是"}]},
    {"definite": True, "end_time": 3696, "start_time": 2110, "text": "今日头条母公司。", "words": [
        {"blank_duration": 0, "end_time": 3696, "start_time": 3696, "text": "司"}]}]}}


def answer(code: int, body: Any = b"", message: str = "OK") -> dict[str, Any]:
    return {"headers": {"X-Api-Status-Code": str(code), "X-Api-Message": message, "X-Tt-Logid": LOG_ID},
            "body": body if isinstance(body, bytes) else json.dumps(body).encode()}


def test_requests_as_documented() -> None:
    keys = (("X-Api-App-Key", "123456789"), ("X-Api-Access-Key", "made-up-token"))
    submit = submit_request(CREDENTIALS, request_id="an-id", url=URL, format="wav")
    assert (submit.method, submit.url) == ("POST", f"{BASE}/submit")
    assert submit.headers == (*keys, ("X-Api-Resource-Id", "volc.bigasr.auc"), ("X-Api-Request-Id", "an-id"),
                              ("X-Api-Sequence", "-1"), ("Content-Type", "application/json"))
    query = query_request(CREDENTIALS, request_id="an-id")
    assert (query.method, query.url, query.body) == ("POST", f"{BASE}/query", b"{}")
    assert query.headers == (*keys, ("X-Api-Resource-Id", "volc.bigasr.auc"), ("X-Api-Request-Id", "an-id"),
                             ("Content-Type", "application/json"))
    idle = submit_request(CREDENTIALS, idle=True, url=URL, format="wav")
    assert (idle.url, idle.header("X-Api-Resource-Id")) == (f"{BASE}/idle/submit", "volc.bigasr.auc_idle")
    assert query_request(CREDENTIALS, request_id="an-id", idle=True).url == f"{BASE}/idle/query"
    assert query_request(CREDENTIALS, request_id="an-id", log_id=LOG_ID).header("X-Tt-Logid") == LOG_ID
    flash = flash_request(ApiKey("made-up-key"), url=URL, resource_id="volc.bigasr.auc_turbo")
    assert (flash.url, flash.header("X-Api-Key")) == (f"{BASE}/recognize/flash", "made-up-key")
    assert flash.header("X-Api-Resource-Id") == "volc.bigasr.auc_turbo"
    assert len({submit_request(CREDENTIALS, url=URL, format="wav").header("X-Api-Request-Id") for _ in range(9)}) == 9
    seed = submit_request(CREDENTIALS, url=URL, format="wav", resource_id="volc.seedasr.auc")
    assert seed.header("X-Api-Resource-Id") == "volc.seedasr.auc"


def test_flash_takes_audio() -> None:
    request = flash_request(CREDENTIALS, memoryview(b"RIFF"))
    assert json.loads(request.body)["audio"] == {"data": base64.b64encode(b"RIFF").decode()}
    with pytest.raises(LocalProtocolError, match="either audio or url"):
        flash_request(CREDENTIALS)
    with pytest.raises(LocalProtocolError, match="bytes"):
        flash_request(CREDENTIALS, memoryview(bytearray((100 << 20) + 1)))


@pytest.mark.parametrize("body", [EXAMPLE, {**EXAMPLE, "result": [EXAMPLE["result"]]}])
def test_the_example_of_the_documentation(body: Any) -> None:
    recording = parse_query(**answer(20000000, body))
    assert not recording.pending
    assert not recording.silent
    assert (recording.text, recording.duration, recording.log_id) == ("这是字节跳动， 今日头条母公司。", 3.696, LOG_ID)
    assert [(part.segment_id, part.text, part.start, part.end) for part in recording.transcripts] == [
        ("0", "这是字节跳动，", 0.0, 1.705), ("1", "今日头条母公司。", 2.11, 3.696)]
    assert all(part.is_final for part in recording.transcripts)
    assert [(word.text, word.start, word.end) for word in recording.transcripts[0].words] == [
        ("这", 0.74, 0.86), ("是", 0.86, 1.02)]
    assert recording.raw == body


def test_a_result_without_utterances_is_one_transcript() -> None:
    recording = parse_query(**answer(20000000, {"result": {"text": "all of it"}}))
    assert [part.text for part in recording.transcripts] == ["all of it"]
    assert parse_query(**answer(20000000)).transcripts == ()


@pytest.mark.parametrize(("code", "pending", "silent"), [
    (20000000, False, False), (20000001, True, False), (20000002, True, False), (20000003, False, True)])
@pytest.mark.parametrize("parse", [parse_submit, parse_query])
def test_codes_that_are_no_refusal(parse: Any, code: int, pending: bool, silent: bool) -> None:
    recording = parse(**answer(code))
    assert (recording.code, recording.pending, recording.silent, recording.log_id) == (code, pending, silent, LOG_ID)


REFUSALS = {45000001: False, 45000002: False, 45000010: False, 45000030: False, 45000151: False, 45000292: False,
            55000031: True, 5500123: True, 55001234: True, 45999999: False}


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("parse", [parse_submit, parse_query])
def test_codes_that_are_refusals(parse: Any, code: int) -> None:
    with pytest.raises(ServiceError) as caught:
        parse(**answer(code, message="no, made-up-token"), credentials=CREDENTIALS)
    error = caught.value
    assert (error.code, error.message, error.request_id, error.retryable) == (
        str(code), "no, ***", LOG_ID, REFUSALS[code])


def test_answers_without_a_code() -> None:
    with pytest.raises(ServiceError) as caught:
        parse_query({}, b"bad gateway", status=502)
    assert (caught.value.code, caught.value.message, caught.value.retryable) == ("502", "bad gateway", True)
    with pytest.raises(MalformedFrame) as malformed:
        parse_query({}, b"")
    assert malformed.value.reason == "status-missing"
    for code in ("abc", "-1", "٣", "9" * 5000, "1.5"):
        with pytest.raises(MalformedFrame) as malformed:
            parse_submit({"x-api-status-code": code})
        assert malformed.value.reason == "status-code"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"result":3}', b'{"result":{"text":[]}}'])
def test_bodies_that_are_not_as_they_should_be(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_query(**answer(20000000, body))
    assert caught.value.reason in ("not-json", "wrong-shape")


def task(**options: Any) -> RecordingTask:
    ids = (f"id-{number}" for number in itertools.count(1))
    return RecordingTask(CREDENTIALS, url=URL, format="wav", new_id=lambda: next(ids), **options)


def reply(code: int, body: Any = b"") -> dict[str, Any]:
    return {"status": 200, **answer(code, body)}


NEXT = {  # after an answer to a submission, to a question
    20000000: ("query", "done"), 20000001: ("query", "query"), 20000002: ("query", "query"), 20000003: ("done", "done"),
    45000001: ("failed", "failed"), 45000002: ("failed", "failed"), 45000010: ("failed", "failed"),
    45000030: ("failed", "failed"), 45000151: ("failed", "failed"), 45000292: ("failed", "failed"),
    55000031: ("submit", "query"), 55001234: ("submit", "submit"), 5500123: ("submit", "submit"),
}


def name_of(step: Any) -> str:
    return step.stage if isinstance(step, Send) else type(step).__name__.lower()


@pytest.mark.parametrize("code", NEXT)
def test_what_to_do_next(code: int) -> None:
    after_submission, after_question = NEXT[code]
    first = task()
    assert name_of(first.start()) == "submit"
    step = first.receive(**reply(code))
    assert name_of(step) == after_submission
    second = task()
    second.start()
    second.receive(**reply(20000000))
    step = second.receive(**reply(code, EXAMPLE if code == 20000000 else b""))
    assert name_of(step) == after_question
    assert second.step == step
    if isinstance(step, Failed):
        assert step.error.code == str(code)
    if isinstance(step, Done):
        assert bool(step.recording.transcripts) is (code == 20000000)
    if isinstance(step, Send):
        expected = "id-2" if after_question == "submit" else "id-1"
        assert step.request.header("X-Api-Request-Id") == expected


def test_waiting_grows() -> None:
    waits = []
    asking = task(first_delay=1, growth=2, longest_delay=10)
    step: Any = asking.start()
    assert step.delay == 0
    for _ in range(7):
        step = asking.receive(**reply(20000000 if step.stage == "submit" else 20000001))
        waits.append(step.delay)
    assert waits == [1, 2, 4, 8, 10, 10, 10]


def test_submitting_again_ends() -> None:
    busy = task(max_submissions=3)
    steps: list[Any] = [busy.start()]
    steps += [busy.receive(**reply(55000031)) for _ in range(3)]
    assert [name_of(step) for step in steps] == ["submit", "submit", "submit", "failed"]
    assert [step.delay for step in steps[:3]] == [0, 1, 1.5]
    assert len({step.request.header("X-Api-Request-Id") for step in steps[:3]}) == 3
    assert (steps[3].error.code, steps[3].error.retryable) == ("55000031", True)


def test_asking_again_ends_where_told_to() -> None:
    asking = task(max_questions=2)
    asking.start()
    names = [name_of(asking.receive(**reply(code))) for code in (20000000, 20000002, 20000001)]
    assert names == ["query", "query", "failed"]
    step = asking.step
    assert isinstance(step, Failed)
    assert (step.error.code, step.error.retryable, step.error.request_id) == ("gave-up", True, LOG_ID)


def test_no_answer() -> None:
    lost = task(max_submissions=2)
    lost.start()
    assert name_of(lost.receive_nothing()) == "submit"
    lost.receive(**reply(20000000))
    assert name_of(lost.receive_nothing()) == "query"
    assert name_of(lost.receive(502, {}, b"bad gateway")) == "query"
    assert name_of(lost.receive(401, {}, b"who?")) == "failed"


def test_an_answer_that_breaks_the_protocol_changes_nothing() -> None:
    asking = task()
    asking.start()
    step = asking.receive(**reply(20000000))
    with pytest.raises(RemoteProtocolError):
        asking.receive(200, {"X-Api-Status-Code": "20000000"}, b"{")
    assert asking.step == step
    assert isinstance(asking.receive(**reply(20000000, EXAMPLE)), Done)


def test_wrong_use_of_a_task() -> None:
    asking = task()
    for call in (lambda: asking.receive(**reply(20000000)), asking.receive_nothing):
        with pytest.raises(LocalProtocolError, match="before start"):
            call()
    asking.start()
    with pytest.raises(LocalProtocolError, match="twice"):
        asking.start()
    asking.receive(**reply(45000001))
    with pytest.raises(LocalProtocolError, match="at the end"):
        asking.receive(**reply(20000000))
    for wrong in ({"first_delay": -1}, {"first_delay": 9, "longest_delay": 1}, {"growth": 0.5}, {"max_questions": 0},
                  {"max_submissions": 0}):
        with pytest.raises(LocalProtocolError):
            task(**wrong)


def run(asking: RecordingTask, service: RecordingService) -> tuple[Any, list[HttpRequest]]:
    step: Any = asking.start()
    requests = []
    while isinstance(step, Send):
        requests.append(step.request)
        response = service.respond(step.request, at=AT)
        asking = pickle.loads(pickle.dumps(asking))
        step = asking.receive(response.status, response.headers, response.body)
    return step, requests


@pytest.mark.parametrize("idle", [False, True])
def test_a_recording_from_its_submission_to_its_text(speech: Path, idle: bool) -> None:
    content = (speech / "goforward.wav").read_bytes()
    service = RecordingService(SEVEN, recordings={URL: content}, credentials=CREDENTIALS, submit_codes=[55000031],
                               query_codes=[20000002, 20000001, 55000031, 55001234, 20000001])
    asking = RecordingTask(CREDENTIALS, url=URL, format="wav", show_utterances=True, idle=idle)
    done, requests = run(asking, service)
    assert isinstance(done, Done)
    assert [part.text for part in done.recording.transcripts] == ["one two three four five six seven"]
    assert done.recording.duration == pytest.approx(44580 / 16000, abs=0.001)
    verbs = [request.url.rpartition("/")[2] for request in requests]
    assert verbs == ["submit", "submit", "query", "query", "query", "query", "submit", "query", "query"]
    assert all(("/idle/" in request.url) is idle for request in requests)


def silent_wav() -> bytes:
    return b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\x10\0\0\0" + bytes(16)


@pytest.mark.parametrize(("content", "outcome"), [
    (silent_wav(), "20000003"), (b"", "45000002"), (b"not a wav", "45000151")])
def test_recordings_that_give_no_text(content: bytes, outcome: str) -> None:
    service = RecordingService(SEVEN, recordings={URL: content}, credentials=CREDENTIALS)
    step, _ = run(RecordingTask(CREDENTIALS, url=URL, format="wav"), service)
    code = step.error.code if isinstance(step, Failed) else str(step.recording.code)
    assert code == outcome


def test_flash_answers_at_once(speech: Path) -> None:
    content = (speech / "goforward.wav").read_bytes()
    service = RecordingService(SEVEN, recordings={URL: content}, credentials=CREDENTIALS)
    for request in (flash_request(CREDENTIALS, content), flash_request(CREDENTIALS, url=URL)):
        response = service.respond(request, at=AT)
        assert parse_query(response.headers, response.body).text == "one two three four five six seven"


def altered(request: HttpRequest, **changes: Any) -> HttpRequest:
    fields = {"method": request.method, "url": request.url, "headers": request.headers, "body": request.body}
    return HttpRequest(**{**fields, **changes})


def test_what_the_fake_refuses(speech: Path) -> None:
    service = RecordingService(SEVEN, recordings={URL: (speech / "goforward.wav").read_bytes()},
                               credentials=CREDENTIALS)
    submit = submit_request(CREDENTIALS, request_id="an-id", url=URL, format="wav")

    def code(request: HttpRequest) -> str | None:
        response = service.respond(request, at=AT)
        assert isinstance(response, HttpResponse)
        assert response.header("X-Tt-Logid")
        return response.header("X-Api-Status-Code")

    assert code(query_request(CREDENTIALS, request_id="an-id")) == "45000001"
    assert code(submit) == "20000000"
    assert code(submit) == "45000001"  # the id was used
    assert code(query_request(CREDENTIALS, request_id="an-id")) == "20000000"
    assert code(query_request(CREDENTIALS, request_id="an-id", idle=True)) == "45000001"
    assert code(altered(submit, method="GET")) == "45000001"
    assert code(altered(submit, url=f"{BASE}/other")) == "45000001"
    assert code(altered(submit, body=b"{")) == "45000001"
    assert code(altered(submit, headers=submit.headers[1:])) == "45000010"
    assert code(altered(submit, headers=tuple(pair for pair in submit.headers if pair[0] != "X-Api-Sequence"))) == (
        "45000001")
    assert code(submit_request(CREDENTIALS, url="https://example.com/other", format="wav")) == "45000001"
    assert code(submit_request(CREDENTIALS, url=URL, format="mp3")) == "45000151"


@pytest.mark.parametrize(("document", "code"), [
    ({}, "45000001"), ([], "45000001"), ({"audio": {"url": URL}, "request": {}}, "45000001"),
    ({"audio": {"url": URL}, "request": {"model_name": "other"}}, "45000001"),
    ({"audio": {"data": "not base64!"}, "request": {"model_name": "bigmodel"}}, "45000151"),
    ({"audio": {"data": base64.b64encode(silent_wav()[:22] + b"\2" + silent_wav()[23:]).decode()},
      "request": {"model_name": "bigmodel"}}, "45000151"),
    ({"audio": {"data": base64.b64encode(silent_wav()).decode()}, "request": {"model_name": "bigmodel"}}, "20000003"),
])
def test_flash_requests_that_the_fake_refuses(document: Any, code: str) -> None:
    service = RecordingService(SEVEN, recordings={}, credentials=CREDENTIALS)
    request = altered(flash_request(CREDENTIALS, b"audio"), body=json.dumps(document).encode())
    assert service.respond(request, at=AT).header("X-Api-Status-Code") == code


def test_a_task_needs_an_id() -> None:
    service = RecordingService(SEVEN, recordings={}, credentials=CREDENTIALS)
    request = query_request(CREDENTIALS, request_id="an-id")
    headers = tuple(pair for pair in request.headers if pair[0] != "X-Api-Request-Id")
    assert service.respond(altered(request, headers=headers), at=AT).header("X-Api-Status-Code") == "45000001"
