"""Long recordings: the requests, the replies, and the way from the first to the last, against the fake."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from asrproto.audio import wav
from asrproto.errors import LocalProtocolError, MalformedFrame, ServiceError
from asrproto.events import Transcript, Word
from asrproto.http import HttpResponse
from asrproto.testing import ScriptedRecogniser
from asrproto.testing.forms import read_form
from asrproto.testing.youdao import LongService
from asrproto.youdao.codes import LANGUAGES as ALL_LANGUAGES
from asrproto.youdao.long import (
    LANGUAGES,
    Done,
    Failed,
    Keys,
    LongTask,
    Send,
    parse_done,
    parse_prepare,
    parse_progress,
    parse_result,
    prepare_request,
    upload_request,
)

KEY = "0123456789abcdef"
SECRET = "s3cr3tS3cr3tS3cr3tS3cr3tS3cr3t00"
SALT = "00000000-0000-4000-8000-000000000000"
SIGNATURE = "658d857ed21393b10f4f547d1804f2c55d81c5b531829858ebbde357066fc538"  # v4, as in test_signing
NOW = datetime.fromtimestamp(1700000000, timezone.utc)


def task(audio: Any, **options: Any) -> LongTask:
    return LongTask(audio, **{"app_key": KEY, "app_secret": SECRET, "language": "en", "clock": lambda: NOW, **options})


def fake(**options: Any) -> LongService:
    return LongService(lambda rate: ScriptedRecogniser("go forward ten meters", rate),
                       **{"app_key": KEY, "app_secret": SECRET, **options})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "lecture.wav"
    content = bytes(range(250)) * 128
    path.write_bytes(wav.header(rate=16000, channels=1, data_size=len(content)) + content)
    return path


def test_from_the_announcement_to_the_text(recording: Path) -> None:
    for audio in (recording, recording.read_bytes()):
        service, one = fake(questions=2), task(audio, slice_size=10_000)
        stages, uploaded = [], b""
        step = one.start()
        while isinstance(step, Send):
            stages.append((step.stage, step.delay))
            if step.stage == "upload":
                uploaded += read_form(step.request)[-1].content
            response = service.respond(step.request, at=NOW)
            step = one.receive(response.status, response.headers, response.body)
        assert isinstance(step, Done)
        assert stages == [("prepare", 0), *[("upload", 0)] * 4, ("merge", 0), *[("progress", 20)] * 3, ("result", 0)]
        assert uploaded == recording.read_bytes()
        (transcript,) = step.transcripts
        assert (transcript.text, transcript.speaker, transcript.is_final) == ("go forward ten meters", "0", True)
        assert transcript.raw["word_timestamps"][1] == [300, 600]
        assert one.step is step
        with pytest.raises(LocalProtocolError, match="at the end"):
            one.receive(200, (), b"")
        for call in (one.start, one.receive_nothing):
            with pytest.raises(LocalProtocolError):
                call()


def test_the_requests() -> None:
    keys = Keys(KEY, SECRET, SALT, lambda: NOW)
    signed = {"appKey": KEY, "salt": SALT, "curtime": "1700000000", "signType": "v4", "sign": SIGNATURE}
    request = prepare_request(keys, name="a b.wav", format="wav", language="zh-CHS", size=(20 << 20) + 1)
    assert (request.method, request.url) == ("POST", "https://openapi.youdao.com/api/audio/prepare")
    assert {field.name: field.text for field in read_form(request)} == {
        "name": "a b.wav", "format": "wav", "langType": "zh-CHS", "sliceNum": "3", "fileSize": str((20 << 20) + 1),
        "type": "1", **signed}
    request = upload_request(keys, "task 1", 2, b"content\r\n", boundary="b0undary")
    form = read_form(request)
    assert {field.name: field.text for field in form[:-1]} == {"q": "task 1", "sliceId": "2", "type": "1", **signed}
    assert (form[-1].name, form[-1].content) == ("file", b"content\r\n")
    assert SECRET not in repr(keys) + repr(request)


def test_the_languages_are_known() -> None:
    assert set(LANGUAGES) <= set(ALL_LANGUAGES)


def reply(**fields: Any) -> bytes:
    return json.dumps({"errorCode": "0", **fields}).encode()


def test_replies() -> None:
    assert parse_prepare(reply(result="task-1")) == "task-1"
    parse_done(reply())
    for result in ([{"status": "9", "taskId": "t"}], [{"status": 9}], {"status": 9.0}):
        assert parse_progress(reply(result=result)).done
    assert not parse_progress(reply(result=[{"status": "4"}])).done
    rows = [{"sentence": "a b", "speaker": 1, "words": ["a", "b"], "more": 2}, {"sentence": ""}]
    assert parse_result(reply(result=rows)) == [
        Transcript("a b", True, words=(Word("a"), Word("b")), speaker="1", segment_id="0", raw=rows[0]),
        Transcript("", True, segment_id="1", raw=rows[1])]
    with pytest.raises(ServiceError) as caught:
        parse_done(b'{"errorCode": "4303"}')
    assert caught.value.retryable


@pytest.mark.parametrize(("parse", "body"), [
    (parse_prepare, reply()), (parse_prepare, reply(result="")), (parse_prepare, reply(result=["t"])),
    (parse_done, b"{}"), (parse_done, b"<html>"), (parse_progress, reply()), (parse_progress, reply(result=[])),
    (parse_progress, reply(result=[{"status": "soon"}])), (parse_progress, reply(result=[{}])), (parse_result, reply()),
    (parse_result, reply(result="x")), (parse_result, reply(result=[{}])), (parse_result, reply(result=["x"])),
    (parse_result, reply(result=[{"sentence": 5}])),
])
def test_malformed(parse: Any, body: bytes) -> None:
    with pytest.raises(MalformedFrame):
        parse(body)


def test_what_may_pass_is_tried_again(recording: Path) -> None:
    service, one = fake(), task(recording, max_attempts=3, poll_seconds=5)
    first = one.start()
    for answer in (one.receive_nothing, lambda: one.receive(502, (), b"<html>")):
        again = answer()
        assert isinstance(again, Send)
        assert (again.stage, again.delay) == ("prepare", 5)
        assert again.request.body != first.request.body  # signed anew: a salt serves once
    upload = one.receive(200, (), service.respond(again.request, at=NOW).body)
    assert upload.stage == "upload"
    with pytest.raises(MalformedFrame):
        one.receive(200, (), b"{}")
    assert one.step is upload
    one.receive(200, (), b'{"errorCode": "411"}')
    one.receive_nothing()
    failed = one.receive(200, (), b'{"errorCode": "411"}')
    assert isinstance(failed, Failed)
    assert failed.error.code == "411"


def test_what_cannot_pass_is_not(recording: Path) -> None:
    one = task(recording, app_secret="another secret")
    step = one.receive(200, (), fake().respond(one.start().request, at=NOW).body)
    assert isinstance(step, Failed)
    assert step.error.code == "202"


def test_refused_before_anything_is_sent(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    hour = bytes.fromhex("fff1604000fffc") * (3600 * 16000 // 1024 + 1)
    for audio, options, words in [
        (recording, {"language": "fr"}, "language must be one of"), (tmp_path / "empty.wav", {}, "empty"),
        (b"", {}, "empty"),
        (recording, {"format": "mp3"}, "format says mp3"), (hour, {"language": "ja"}, "takes 3600 s"),
        (recording, {"slice_size": 0}, "slice_size"), (recording, {"max_attempts": 0}, "max_attempts"),
        (recording, {"app_key": ""}, "app_key"), (b"fLaC", {}, "flac"),
    ]:
        with pytest.raises(LocalProtocolError, match=words):
            task(audio, **options)
    assert isinstance(task(hour, language="en").start(), Send)


def test_the_fake_wants_every_slice(recording: Path) -> None:
    service, one = fake(), task(recording, slice_size=30_000)
    step = one.start()
    while step.stage != "merge":
        response: HttpResponse = service.respond(step.request, at=NOW)
        if step.stage == "upload":
            service._tasks["task-1"].content.clear()
        step = one.receive(response.status, response.headers, response.body)
    assert json.loads(service.respond(step.request, at=NOW).body)["errorCode"] == "101"
