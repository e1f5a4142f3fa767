"""Streaming conversations, against the fake and against messages as the vendor prints them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.audio.containers import probe
from asrproto.errors import LocalProtocolError, MalformedFrame
from asrproto.events import Event, SessionEnded, SessionFailed, SessionStarted, Transcript, UnknownEvent, Word
from asrproto.session import HearsHandshake, StreamingSession
from asrproto.testing import ScriptedRecogniser
from asrproto.testing.youdao import StreamingService
from asrproto.youdao.streaming import YoudaoSession

KEY = "0123456789abcdef"
SECRET = "s3cr3tS3cr3tS3cr3tS3cr3tS3cr3t00"
SALT = "00000000-0000-4000-8000-000000000000"
NOW = datetime.fromtimestamp(1700000000, timezone.utc)
STARTED = '{"result":[],"action":"started","errorCode":"0"}'
SECOND = bytes(32000)


def session(**options: Any) -> YoudaoSession:
    settings = {"app_key": KEY, "app_secret": SECRET, "language": "en", "clock": lambda: NOW, **options}
    return YoudaoSession(settings.pop("app_key"), settings.pop("app_secret"), **settings)


def started(**options: Any) -> YoudaoSession:
    one = session(**options)
    one.handshake()
    one.start()
    return one


def service() -> StreamingService:
    return StreamingService(lambda rate: ScriptedRecogniser("go forward ten meters", rate), app_key=KEY,
                            app_secret=SECRET)


def converse(one: YoudaoSession, fake: StreamingService, audio: bytes, *, at: datetime = NOW,
             cut: int = 5000) -> Iterator[Event]:
    """The driver of a client, without a socket; the service hangs up when it has said its last word."""
    conversation = fake.accept(one.handshake(), at=at)
    messages = [*one.start()]
    for position in range(0, len(audio), cut):
        messages += one.send_audio(audio[position:position + cut])
    for message in [*messages, *one.end_audio()]:
        for answer in conversation.receive(message):
            yield from one.receive(answer)
    if conversation.closed:
        yield from one.receive_eof()


def test_protocols() -> None:
    assert isinstance(session(), StreamingSession)
    assert isinstance(session(), HearsHandshake)


def test_handshake() -> None:
    request = session(salt=SALT, options={"pointParam": "yes"}).handshake()
    url = urlsplit(request.url)
    assert (request.method, url._replace(query="").geturl()) == ("GET", "wss://openapi.youdao.com/stream_asropenapi")
    assert dict(parse_qsl(url.query, strict_parsing=True)) == {
        "appKey": KEY, "salt": SALT, "curtime": "1700000000", "signType": "v4", "langType": "en", "rate": "16000",
        "sign": "658d857ed21393b10f4f547d1804f2c55d81c5b531829858ebbde357066fc538",  # as in test_signing
        "format": "wav", "channel": "1", "version": "v1", "pointParam": "yes"}
    shown = repr(request) + repr(session())
    assert not any(secret in shown for secret in (SECRET, KEY, "658d857e"))
    again = session()
    assert again.handshake().url != again.handshake().url  # a salt serves once


def test_wire_messages() -> None:
    one = session()
    one.handshake()
    (header,) = one.start()
    found = probe(header)
    assert (found.rate, found.channels, found.bits, found.is_pcm, len(header)) == (16000, 1, 16, True, 44)
    audio = bytes(range(256)) * 100
    frames = [*one.send_audio(audio[:6401]), *one.send_audio(memoryview(audio)[6401:])]
    assert [len(frame) for frame in frames] == [6400] * 4
    assert one.send_audio(b"ab") == []
    assert one.end_audio() == [b"ab", b'{"end": "true"}']
    assert b"".join(frames) == audio
    assert len(started(rate=8000).send_audio(audio)[0]) == 3200


def test_conversation_with_the_fake() -> None:
    events = list(converse(session(), service(), SECOND))
    assert isinstance(events[0], SessionStarted)
    assert [(event.text, event.is_final, event.segment_id) for event in events[1:-1]] == [
        ("go", False, "0"), ("go forward", False, "0"), ("go forward ten", False, "0"),
        ("go forward ten meters", True, "0")]
    last = events[-2]
    assert isinstance(last, Transcript)
    assert (last.start, last.end, last.words[1]) == (0.0, 1.2, Word("forward", 0.3, 0.6))
    assert events[-1] == SessionEnded()
    heard = list(converse(session(rate=8000), service(), bytes(16000)))
    assert heard[-2].text == "go forward ten meters"


@pytest.mark.parametrize(("client", "late", "code"), [
    ({"app_secret": "another secret"}, 0, "202"), ({"app_key": "another"}, 0, "108"), ({}, 301, "206"),
    ({}, -301, "206"), ({"options": {"channel": "2"}}, 0, "9003"), ({"options": {"format": "mp3"}}, 0, "9001"),
    ({"options": {"langType": "xx"}}, 0, "9005"), ({"options": {"rate": "8000"}}, 0, "9002"),
    ({"options": {"rate": "fast"}}, 0, "9002"), ({"options": {"signType": "v3"}}, 0, "105"),
])
def test_what_the_fake_refuses(client: dict[str, Any], late: int, code: str) -> None:
    events = list(converse(session(**client), service(), SECOND, at=NOW + timedelta(seconds=late)))
    assert isinstance(events[-1], SessionFailed)
    assert events[-1].error.code == code
    assert not any(isinstance(event, Transcript) for event in events)


def test_a_salt_serves_once() -> None:
    fake = service()
    assert isinstance(list(converse(session(salt=SALT), fake, SECOND))[-1], SessionEnded)
    assert list(converse(session(salt=SALT), fake, SECOND))[-1].error.code == "207"


RESULT: dict[str, Any] = {"seg_id": 3, "st": {
    "sentence": "今天天气", "partial": True, "type": 1, "bg": 130, "ed": "1220", "more": 1,
    "ws": [{"w": "今天", "wb": 130, "we": 600}, {"w": "天气", "wb": 600, "we": 1220}]}}


@pytest.mark.parametrize("as_text", [False, True])
def test_recognition(as_text: bool) -> None:
    result = json.dumps([RESULT]) if as_text else [RESULT]
    document = {"result": result, "action": "recognition", "errorCode": "0", "new": {"field": 1}}
    (event,) = started().receive(json.dumps(document))
    assert event == Transcript("今天天气", False, start=0.13, end=1.22, segment_id="3", raw=document,
                               words=(Word("今天", 0.13, 0.6), Word("天气", 0.6, 1.22)))


@pytest.mark.parametrize(("st", "is_final"), [
    ({"partial": False}, True), ({"partial": "false", "type": 1}, True), ({"type": 0}, True), ({"type": "0"}, True),
    ({"type": 1}, False), ({}, True), ({"partial": True, "type": 0}, False)])
def test_which_results_are_final(st: dict[str, Any], is_final: bool) -> None:
    (event,) = started().receive(json.dumps({"result": [{"st": st}], "action": "recognition", "errorCode": "0"}))
    assert (event.is_final, event.text, event.segment_id) == (is_final, "", None)


def test_results_without_a_segment() -> None:
    for result in ([], "[]", "", None):
        assert started().receive(json.dumps({"result": result, "action": "recognition", "errorCode": "0"})) == []
    assert started().receive(STARTED.encode()) == [SessionStarted(raw=json.loads(STARTED))]


def test_failures() -> None:
    one = started()
    (failed,) = one.receive(f'{{"result":"[]","action":"error","errorCode":"202","descCN":"{SECRET}"}}')
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.retryable) == ("202", False)
    assert SECRET not in failed.error.message
    assert one.send_audio(SECOND) == one.end_audio() == one.receive_eof() == []
    assert one.receive('{"action":"error","errorCode":"202"}') == []

    assert started().receive('{"action":"error"}')[0].error.code == "error"
    assert started().receive('{"action":"recognition","errorCode":"304","result":[]}')[0].error.retryable
    one = started()
    one.end_audio()
    assert isinstance(one.receive('{"action":"recognition","errorCode":"304","result":[]}')[0], SessionEnded)
    assert one.receive_eof() == []

    (failed,) = started().receive_eof()
    assert isinstance(failed, SessionFailed)
    assert failed.error.code == "connection-closed"
    assert session().receive_handshake(101, ()) == []
    (failed,) = session().receive_handshake(502, (), b"<html>")
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.retryable) == ("502", True)
    assert session().receive_handshake(200, (), b'{"errorCode": "108"}')[0].error.code == "108"


def test_unknown_actions_are_kept() -> None:
    for document in ({"action": "dance", "errorCode": "0"}, {"errorCode": "0"}, {}, [], "x", None, 5):
        assert started().receive(json.dumps(document)) == [UnknownEvent(document)]


@pytest.mark.parametrize(("message", "reason"), [
    ("", "not-json"), ("<html>", "not-json"), (b"\xff", "not-json"),
    ('{"action":"recognition","result":"[","errorCode":"0"}', "not-json"),
    ('{"action":"recognition","result":{},"errorCode":"0"}', "wrong-shape"),
    ('{"action":"recognition","result":[{}],"errorCode":"0"}', "wrong-shape"),
    ('{"action":"recognition","result":[{"st":{"bg":"soon"}}],"errorCode":"0"}', "wrong-shape"),
    ('{"action":"recognition","result":[{"st":{"ws":[{}]}}],"errorCode":"0"}', "wrong-shape"),
])
def test_malformed(message: bytes | str, reason: str) -> None:
    with pytest.raises(MalformedFrame) as caught:
        started().receive(message)
    assert caught.value.reason == reason


TEXTS = ["0", "recognition", "error", "started", "[]", "[{}]"]


@given(st.dictionaries(st.sampled_from(["action", "errorCode", "result"]), st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["st", "seg_id", "ws", "bg"]), inner))))
def test_any_document(document: Any) -> None:
    try:
        events = started().receive(json.dumps(document))
    except MalformedFrame:
        return
    assert all(isinstance(event, Event) for event in events)


def test_order_of_calls_and_options() -> None:
    for call in ("start", "end_audio"):
        with pytest.raises(LocalProtocolError, match="before handshake"):
            getattr(session(), call)()
    one = started()
    one.send_audio(b"x")
    with pytest.raises(LocalProtocolError, match="inside a 16-bit sample"):
        one.end_audio()
    one.send_audio(b"y")
    assert one.end_audio()[0] == b"xy"
    with pytest.raises(LocalProtocolError, match="after end_audio"):
        one.send_audio(b"")
    for options, words in [({"language": "xx"}, "language"), ({"rate": 0}, "rate"), ({"chunk_ms": 0}, "chunk_ms"),
                           ({"app_key": ""}, "app_key"), ({"app_secret": ""}, "app_secret")]:
        with pytest.raises(LocalProtocolError, match=words):
            session(**options)


def test_a_session_pickles_in_the_middle() -> None:
    one = YoudaoSession(KEY, SECRET, language="en")
    one.handshake()
    one.start()
    one.send_audio(bytes(5000))
    copy = pickle.loads(pickle.dumps(one))
    assert copy.send_audio(SECOND) == one.send_audio(SECOND)
    assert copy.end_audio() == one.end_audio()
