"""The driver loop and the loopback server carry a toy service both ways, refusals and broken peers included."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Iterable, Sequence
from datetime import datetime

import pytest

from asrproto import Event, LocalProtocolError, ServiceError, SessionEnded, SessionFailed, SessionStarted, Transcript
from asrproto.cli.driver import Meter, converse, exchange
from asrproto.cli.loopback import Loopback
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import StreamingSession, WireMessage
from asrproto.testing import HandshakeRefused

URL = "wss://speech.example.com:8443/v1?key=a%2Fb&key=c"


class CountingConversation:
    """Answers each binary message with the bytes heard so far, and the text "end" with "bye"."""

    response_headers = (("X-Request-Id", "r-1"),)

    def __init__(self) -> None:
        self.closed = False
        self.heard = 0
        self.gone = False

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        if isinstance(message, bytes):
            self.heard += len(message)
            return [str(self.heard)]
        self.closed = message in ("end", "die")
        return ["bye"] if message == "end" else []

    def receive_eof(self) -> None:
        self.gone = True


class CountingService:
    """Accepts the URL that was meant for the real host, and nothing else."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.conversations: list[CountingConversation] = []

    def accept(self, request: HttpRequest, *, at: datetime) -> CountingConversation:
        assert at.tzinfo is not None
        self.requests.append(request)
        if request.header("X-Key") != "right":
            raise HandshakeRefused(HttpResponse(403, (("X-Request-Id", "r-0"),), b"wrong key"))
        self.conversations.append(CountingConversation())
        return self.conversations[-1]


class CountingSession:
    def __init__(self, key: str = "right", end: str = "end") -> None:
        self.key, self.end, self.ended = key, end, False

    def handshake(self) -> HttpRequest:
        return HttpRequest("GET", URL, [("X-Key", self.key)])

    def start(self) -> list[WireMessage]:
        return ["hello"]

    def send_audio(self, pcm: object) -> list[WireMessage]:
        if pcm == b"":
            raise LocalProtocolError("no audio in it")
        return [bytes(pcm)]  # type: ignore[call-overload]

    def end_audio(self) -> list[WireMessage]:
        self.ended = True
        return [self.end]

    def receive(self, message: WireMessage) -> list[Event]:
        if message == "bye":
            return [SessionEnded()]
        return [Transcript(str(message), is_final=False)]

    def receive_eof(self) -> list[Event]:
        return [SessionFailed(ServiceError("gone", code="eof"))]


class HearingSession(CountingSession):
    def receive_handshake(self, status: int, headers: Iterable[tuple[str, str]], body: bytes = b"") -> list[Event]:
        if status == 101:
            return [SessionStarted(dict(headers)["X-Request-Id"])]
        return [SessionFailed(ServiceError(body.decode(), code=str(status), request_id=dict(headers)["X-Request-Id"]))]


def run(session: StreamingSession, service: object, audio: Iterable[bytes], meter: Meter | None = None,
        pace: float = 0.0) -> list[Event]:
    events: list[Event] = []
    with Loopback(service) as loopback:  # type: ignore[arg-type]
        asyncio.run(asyncio.wait_for(
            converse(session, audio, events.append, route=loopback.address, meter=meter, pace=pace), 20))
    return events


def test_both_halves_and_the_figures() -> None:
    service, meter = CountingService(), Meter()
    events = run(HearingSession(), service, [b"abc", b"de"], meter)
    assert events == [SessionStarted("r-1"), Transcript("3", is_final=False), Transcript("5", is_final=False),
                      SessionEnded()]
    assert (meter.sent_messages, meter.sent_bytes) == (4, len("hello") + 3 + 2 + len("end"))
    assert (meter.received_messages, meter.received_bytes) == (3, len("3") + len("5") + len("bye"))
    assert meter.seconds_inside > 0


def test_the_service_is_shown_the_url_that_was_meant() -> None:
    service = CountingService()
    run(CountingSession(), service, [])
    [request] = service.requests
    assert request.url == URL
    assert request.header("Host") == "speech.example.com:8443"


def test_answers_arrive_while_audio_is_still_sent() -> None:
    """Else a microphone that never ends would never show a word."""
    session, seen = CountingSession(), []

    def microphone() -> Generator[bytes]:
        deadline = time.monotonic() + 20
        while not seen and time.monotonic() < deadline:
            yield b"abc"

    with Loopback(CountingService()) as loopback:
        asyncio.run(converse(session, microphone(),
                             lambda event: seen.append(session.ended), route=loopback.address, pace=0.001))
    assert seen[0] is False


def test_a_refused_handshake_is_an_event() -> None:
    service = CountingService()
    [plain] = run(CountingSession("wrong"), service, [b"abc"])
    assert isinstance(plain, SessionFailed)
    assert (plain.error.code, plain.error.message) == ("403", "wrong key")
    [told] = run(HearingSession("wrong"), service, [b"abc"])
    assert isinstance(told, SessionFailed)
    assert told.error.request_id == "r-0"
    assert not service.conversations


def test_a_service_that_hangs_up_is_heard() -> None:
    [failed] = run(CountingSession(end="die"), CountingService(), [])
    assert isinstance(failed, SessionFailed)
    assert failed.error.code == "eof"


def test_an_error_of_the_sending_half_is_not_swallowed() -> None:
    service = CountingService()
    with pytest.raises(LocalProtocolError, match="no audio in it"):
        run(CountingSession(), service, [b"abc", b""])
    assert service.conversations[0].gone


class EchoService:
    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        text = f"{request.method} {request.url} {request.header('X-A')} {request.header('Host')} "
        return HttpResponse(418, [("X-Length", str(len(request.body)))], text.encode() + request.body)


def test_plain_http() -> None:
    def steps() -> Generator[HttpRequest, HttpResponse, list[Event]]:
        first = yield HttpRequest("POST", "https://speech.example.com/v1/a%2Fb?x=1&x=2#no", [("X-A", "1")], b"\x00\xff")
        assert first.status == 418
        assert first.header("X-Length") == "2"
        assert first.body == b"POST https://speech.example.com/v1/a%2Fb?x=1&x=2 1 speech.example.com \x00\xff"
        chunked = [("Transfer-Encoding", "chunked")]
        body = b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"
        second = yield HttpRequest("PUT", "http://speech.example.com", [*chunked, ("Content-Length", "0")][:1], body)
        return [Transcript(second.body.decode(), is_final=True)]

    events: list[Event] = []
    meter = Meter()
    with Loopback(EchoService()) as loopback:
        exchange(steps(), events.append, route=loopback.address, meter=meter)
    assert meter.sent_messages == meter.received_messages == 2
    assert isinstance(events[0], Transcript)
    assert events[0].text.endswith(" abcde")
