"""Recordings: whole, readable, free of credentials, and good to be played back."""

from __future__ import annotations

import io
import itertools
import json
from contextlib import suppress
from pathlib import Path

import pytest

from asrproto.aws.eventstream import Message
from asrproto.errors import MalformedFrame, RemoteProtocolError, ServiceError, TruncatedFrame
from asrproto.events import Event, SessionEnded, SessionFailed
from asrproto.http import HttpRequest, HttpResponse
from asrproto.openai.realtime import RealtimeSession
from asrproto.session import HearsHandshake, StreamingSession, WireMessage
from asrproto.testing import FakeStreamingService, HandshakeRefused, ScriptedRecogniser
from asrproto.testing.openai import RealtimeService
from asrproto.testing.recording import Record, ReplayService, Tap, is_recording, read_recording
from asrproto.volcengine.frames import decode_frame
from fuzz.conversations import AT, CONVERSATIONS, SECRETS


def talk(session: StreamingSession, service: FakeStreamingService) -> list[Event]:
    """A whole conversation, with the answer to its handshake."""
    assert isinstance(session, HearsHandshake)
    try:
        fake = service.accept(session.handshake(), at=AT)
    except HandshakeRefused as refused:
        response = refused.response
        return list(session.receive_handshake(response.status, response.headers, response.body))
    status = 200 if session.handshake().method == "POST" else 101
    events = list(session.receive_handshake(status, fake.response_headers))

    def send(messages: object) -> None:
        for message in messages:  # type: ignore[attr-defined]
            for answer in fake.receive(message):
                events.extend(session.receive(answer))

    send(session.start())
    for _ in range(5):
        send(session.send_audio(bytes(3200)))
    send(session.end_audio())
    fake.receive_eof()
    return [*events, *session.receive_eof()]


def unpacked(message: WireMessage) -> bytes:
    """The message and everything that is packed in it."""
    if isinstance(message, str):
        return message.encode()
    for open_frame in (decode_frame, Message.decode):
        with suppress(RemoteProtocolError):
            return message + open_frame(message).payload
    return message


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_recorded_without_secrets_and_plays_back(name: str, tmp_path: Path) -> None:
    conversation, path = CONVERSATIONS[name], tmp_path / "talk.jsonl"
    with Tap(conversation.session(), path) as tap:
        events = talk(tap, conversation.service())
    assert any(isinstance(event, SessionEnded) for event in events)

    records = list(read_recording(path))
    for record in records:
        shown = unpacked(record.message) + str((record.url, record.headers)).encode()
        for secret in SECRETS:
            assert secret.encode() not in shown
    assert [record.kind for record in records[:3]] == ["handshake"] * 3
    assert {record.kind for record in records[3:]} <= {"binary", "text", "eof"}
    assert records[-1] == Record(records[-1].time, "service", "eof")

    assert talk(conversation.session(), ReplayService(path)) == events


def test_what_goes_through_a_tap_is_what_the_session_says() -> None:
    conversation = CONVERSATIONS["volcengine_legacy"]
    plain, tapped = conversation.session(), Tap(conversation.session(), io.StringIO())
    assert tapped.handshake() == plain.handshake()
    assert tapped.start() == plain.start()
    assert tapped.send_audio(bytes(9000)) == plain.send_audio(bytes(9000))
    assert tapped.end_audio() == plain.end_audio()


def test_lines_and_times() -> None:
    file = io.StringIO()
    clock = itertools.count(100.0, 0.25)
    tap = Tap(CONVERSATIONS["youdao"].session(), file, clock=lambda: next(clock))
    tap.handshake()
    tap.receive_handshake(101, [("X-A", "b")])
    tap.start()
    with pytest.raises(RemoteProtocolError):
        tap.receive("not JSON")
    tap.receive_eof()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["time"] for line in lines] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert [(line["from"], line["kind"]) for line in lines] == [
        ("client", "handshake"), ("service", "handshake"), ("client", "binary"), ("service", "text"),
        ("service", "eof")]
    assert lines[0]["method"] == "GET"
    assert lines[1] == {"time": 0.25, "from": "service", "kind": "handshake", "status": 101, "headers": [["X-A", "b"]]}
    assert lines[3]["data"] == "not JSON"
    assert is_recording(file.getvalue().encode()[:40])
    assert not is_recording(b'{"type":"session.created"}')


class Plain:
    """A session that shows its secrets in every way, and does not hear the answer to its handshake."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def handshake(self) -> HttpRequest:
        return self.request

    def start(self) -> list[WireMessage]:
        return []

    def send_audio(self, pcm: object) -> list[WireMessage]:
        return []

    def end_audio(self) -> list[WireMessage]:
        return []

    def receive(self, message: WireMessage) -> list[Event]:
        return []

    def receive_eof(self) -> list[Event]:
        return []


@pytest.mark.parametrize(("header", "value"), [
    ("Authorization", "Bearer sec/ret+\"key"),
    ("Authorization", "Bearer; sec/ret+\"key"),
    ("authorization", "sec/ret+\"key"),
    ("X-Api-Key", "sec/ret+\"key"),
    ("x-amz-security-token", "sec/ret+\"key"),
    ("Cookie", "sec/ret+\"key"),
])
def test_echoes_are_hidden(header: str, value: str) -> None:
    secret, file = "sec/ret+\"key", io.StringIO()
    tap = Tap(Plain(HttpRequest("GET", "wss://example.com/", [(header, value), ("X-A", "kept")])), file)
    tap.handshake()
    tap.receive_handshake(403, [("X-Echo", secret), ("Set-Cookie", "session")], json.dumps({"no": secret}).encode())
    tap.receive(json.dumps({"key": secret}))
    tap.receive(f"x?k=sec%2Fret%2B%22key&j={secret}")
    tap.receive(b"\x00" + secret.encode() + b"\xff")
    tap.receive(Message({"a": secret}, b"<" + secret.encode()).encode())
    _, refused, as_json, as_text, as_bytes, as_frame = read_recording(line.encode() for line in
                                                                      file.getvalue().splitlines(keepends=True))
    assert refused.response == HttpResponse(403, [("X-Echo", "***"), ("Set-Cookie", "***")], b'{"no": "***"}')
    assert as_json.message == '{"key": "***"}'
    assert as_text.message == "x?k=***&j=***"
    assert as_bytes.message == b"\x00***\xff"
    assert as_frame.message == Message({"a": "***"}, b"<***").encode()
    assert "kept" in file.getvalue()


def test_parameters_of_an_authorisation_are_told_from_what_is_secret() -> None:
    file = io.StringIO()
    tap = Tap(Plain(HttpRequest("GET", "wss://example.com/?X-Amz-Credential=AKIDX%2F20260102%2Fus-east-1&x=1", [
        ("Authorization", 'HMAC256; access_token="tokenX"; mac="macX"; h="Custom"')])), file, secrets=["further"])
    tap.handshake()
    tap.receive("tokenX AKIDX further Custom us-east-1")
    first, second = read_recording(line.encode() for line in file.getvalue().splitlines(keepends=True))
    assert first.url == "wss://example.com/?X-Amz-Credential=***%2F20260102%2Fus-east-1&x=1"
    assert first.headers == (("Authorization", "***"),)
    assert second.message == "*** *** *** Custom us-east-1"


def test_a_session_that_does_not_hear_the_handshake() -> None:
    tap = Tap(Plain(HttpRequest("GET", "wss://example.com/")), io.StringIO())
    assert tap.receive_handshake(101, []) == ()
    [failed] = tap.receive_handshake(503, [], b"busy")
    assert isinstance(failed, SessionFailed)
    assert isinstance(failed.error, ServiceError)
    assert (failed.error.code, failed.error.message, failed.error.retryable) == ("503", "busy", True)


def test_a_refusal_plays_back_without_the_key(tmp_path: Path) -> None:
    path = tmp_path / "refused.jsonl"
    key = "sk-not-the-right-one"
    service = RealtimeService(lambda rate: ScriptedRecogniser("hello", rate), api_key="sk-right")
    with Tap(RealtimeSession(api_key=key, model="m"), path) as tap:
        [failed] = talk(tap, service)
    assert key not in path.read_text()
    [again] = talk(RealtimeSession(api_key="sk-another", model="m"), ReplayService(path))
    assert isinstance(failed, SessionFailed)
    assert isinstance(again, SessionFailed)
    assert (again.error.code, again.error.message) == (failed.error.code, failed.error.message)


def test_a_client_of_another_pace_hears_all() -> None:
    lines = [b'{"time":0,"from":"service","kind":"text","data":"hello"}\n',
             b'{"time":0,"from":"client","kind":"text","data":"1"}\n',
             b'{"time":0,"from":"service","kind":"text","data":"one"}\n',
             b'{"time":0,"from":"client","kind":"text","data":"2"}\n',
             b'{"time":0,"from":"service","kind":"binary","data":"AAE="}\n']
    request = HttpRequest("GET", "wss://example.com/")
    open_end = ReplayService(lines).accept(request, at=AT)
    assert [open_end.receive(message) for message in ("a", b"b", "c")] == [["hello", "one"], [b"\x00\x01"], []]
    assert open_end.received == ["a", b"b", "c"]
    assert not open_end.closed
    open_end.receive_eof()
    assert open_end.closed
    ended = ReplayService([*lines, b'{"time":0,"from":"service","kind":"eof"}\n']).accept(request, at=AT)
    assert [(ended.receive(message), ended.closed) for message in "abc"] == [
        (["hello", "one"], False), ([b"\x00\x01"], True), ([], True)]


@pytest.mark.parametrize(("line", "kind", "reason"), [
    (b"hello\n", MalformedFrame, "not-json"),
    (b"[]\n", MalformedFrame, "wrong-shape"),
    (b'{"time":0,"from":"client","kind":"telegram"}\n', MalformedFrame, "wrong-shape"),
    (b'{"time":0,"from":"nobody","kind":"eof"}\n', MalformedFrame, "wrong-shape"),
    (b'{"time":0,"from":"client","kind":"binary","data":"A"}\n', MalformedFrame, "not-base64"),
    ('{"time":0,"from":"client","kind":"binary","data":"ä"}\n'.encode(), MalformedFrame, "not-base64"),
    (b"\xff\n", MalformedFrame, "not-json"),
    (b'{"time":0,"from":"cli', TruncatedFrame, "cut-short"),
    (b"\n", MalformedFrame, "not-json"),
])
def test_a_line_that_is_none(line: bytes, kind: type[RemoteProtocolError], reason: str, tmp_path: Path) -> None:
    good = b'{"time":0,"from":"service","kind":"eof"}\n'
    path = tmp_path / "x.jsonl"
    path.write_bytes(good + line)
    records = read_recording(path)
    assert next(records).kind == "eof"
    with pytest.raises(kind) as caught:
        next(records)
    assert (caught.value.reason, caught.value.offset) == (reason, len(good))


def test_an_unknown_field_is_passed_over() -> None:
    [record] = read_recording([b'{"time":0,"from":"service","kind":"eof","code":1000}'])
    assert record.kind == "eof"


def test_a_tap_is_a_session_and_shows_which() -> None:
    session = CONVERSATIONS["youdao"].session()
    assert repr(Tap(session, io.StringIO())) == f"Tap({session!r})"
    assert isinstance(Tap(session, io.StringIO()), StreamingSession)
