"""What the wrappers do to messages, and that every session bears it."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from asrproto.cli.loopback import Loopback
from asrproto.errors import LocalProtocolError, RemoteProtocolError
from asrproto.events import Event, SessionEnded, SessionFailed
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import StreamingSession, WireMessage
from asrproto.testing import FakeStreamingService, HandshakeRefused
from asrproto.testing.faults import (
    ConnectionCut,
    Corrupt,
    Cut,
    Delay,
    Drop,
    Edit,
    Fail,
    Fault,
    FaultyHttpService,
    FaultyService,
    Merge,
    Refuse,
    Repeat,
    Split,
    Stall,
)
from fuzz.conversations import AT, CONVERSATIONS

REQUEST = HttpRequest("GET", "wss://example.com/")


class EchoConversation:
    """Answers each message with it and one in capitals; "end" ends."""

    response_headers = (("X-A", "b"),)

    def __init__(self) -> None:
        self.closed = False
        self.gone = False

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        self.closed = message == "end"
        return [message, message.upper()]

    def receive_eof(self) -> None:
        self.gone = True

    def fail(self, code: str) -> Sequence[WireMessage]:
        self.closed = True
        return [f"failed: {code}"]


class EchoService:
    error_codes = ("busy", "broken")
    handshake_codes = ("unknown",)

    def accept(self, request: HttpRequest, *, at: datetime) -> EchoConversation:
        return EchoConversation()

    def refusal(self, code: str) -> HttpResponse:
        return HttpResponse(403, (), code.encode())


def says(*faults: Fault, to: Sequence[WireMessage] = ("a", "b", "c", "end"),
         **settings: Any) -> list[list[WireMessage]]:
    conversation = FaultyService(EchoService(), *faults, **settings).accept(REQUEST, at=AT)
    return [list(conversation.receive(message)) for message in to]


@pytest.mark.parametrize(("faults", "said"), [
    ([], "aA bB cC endEND"),
    ([Drop(2)], "a bB cC endEND"),
    ([Drop(2), Drop(3)], "a B cC endEND"),
    ([Repeat(1)], "aaA bB cC endEND"),
    ([Repeat(1), Drop(1)], "A bB cC endEND"),
    ([Delay(1, messages=1)], " aAbB cC endEND"),
    ([Delay(2, messages=2)], "a  AbBcC endEND"),
    ([Delay(6, messages=100)], "aA bB c CendEND"),
    ([Delay(1, messages=1), Delay(3, messages=1)], " aA bBcC endEND"),
    ([Cut(3)], "aA b  "),
    ([Cut(0)], "   "),
    ([Stall(3)], "aA b  "),
    ([Cut(3), Stall(5)], "aA b  "),
    ([Fail("busy")], "failed: busy   "),
    ([Fail("broken", after=2)], "aA bB failed: broken "),
    ([Fail("broken", after=2), Cut(4)], "aA bB  "),
])
def test_order_and_number(faults: list[Fault], said: str) -> None:
    texts = ["".join(map(str, answers)) for answers in says(*faults)]
    assert " ".join(texts) == said


def test_one_message_of_two_and_two_of_one() -> None:
    assert says(Merge(1)) == [["aA"], ["b", "B"], ["c", "C"], ["end", "END"]]
    assert says(Merge(2)) == [["a"], ["Ab", "B"], ["c", "C"], ["end", "END"]]
    assert says(Merge(2), Merge(3)) == [["a"], ["AbB"], ["c", "C"], ["end", "END"]]
    assert says(Merge(8))[-1] == ["end", "END"]
    assert says(Merge(2), to=["a", b"b"]) == [["a"], ["A", b"b", b"B"]]
    assert says(Merge(2), Drop(3), to=["a", b"b"]) == [["a"], ["A", b"B"]]
    assert says(Split(7, at=2))[-1] == ["en", "d", "END"]
    [first, second, _] = says(Split(7))[-1]
    assert first + second == "end"  # type: ignore[operator]
    assert first
    assert second


def test_damage_depends_on_the_seed_alone() -> None:
    content = bytes(range(100))
    [[damaged, whole]] = says(Corrupt(1, bits=3), to=[content])
    assert whole == content.upper()
    changed = int.from_bytes(damaged, "big") ^ int.from_bytes(content, "big")  # type: ignore[arg-type]
    assert changed.bit_count() == 3
    assert says(Corrupt(1, bits=3), to=[content]) == [[damaged, whole]]
    assert says(Corrupt(1, bits=3), to=[content], seed=1) != [[damaged, whole]]
    [[text, _]] = says(Corrupt(1, bits=2), to=["abcdef"])
    assert len(text) == 6
    assert text.count("\ufffd") == 2  # type: ignore[arg-type]
    assert says(Corrupt(1, bits=9), to=[b""]) == [[b"", b""]]
    assert says(Edit(2, str.swapcase), to=["a"]) == [["a", "a"]]


def test_time_passes_only_where_it_can_be_waited() -> None:
    waited: list[float] = []
    assert says(Delay(3, seconds=0.5), wait=waited.append) == says()
    assert waited == [0.5]
    with pytest.raises(LocalProtocolError, match="wait"):
        FaultyService(EchoService(), Delay(3, seconds=0.5))


def test_how_it_ends() -> None:
    for faults, closed, aborted in (([], True, False), ([Cut(3)], True, True), ([Stall(3)], False, False),
                                    ([Fail("busy", after=1)], True, False)):
        conversation = FaultyService(EchoService(), *faults).accept(REQUEST, at=AT)
        for message in ("a", "b", "end"):
            conversation.receive(message)
        assert (conversation.closed, conversation.aborted) == (closed, aborted)
        assert conversation.receive("more") == []
        conversation.receive_eof()
        assert conversation.conversation.gone  # type: ignore[attr-defined]


def test_names_are_checked_when_the_wrapper_is_made() -> None:
    for fault in (Fail("unknown"), Refuse("busy"), Fail("Nonsense")):
        with pytest.raises(LocalProtocolError, match="the service has no error"):
            FaultyService(EchoService(), fault)
    with pytest.raises(TypeError, match="Stall"):
        FaultyHttpService(EchoHttp(), Stall(1))
    with pytest.raises(HandshakeRefused) as refused:
        FaultyService(EchoService(), Refuse("unknown")).accept(REQUEST, at=AT)
    assert refused.value.response.body == b"unknown"


def test_wrappers_can_be_stacked() -> None:
    inner = FaultyService(EchoService(), Drop(1))
    outer = FaultyService(inner, Drop(1), Fail("busy", after=1)).accept(REQUEST, at=AT)
    assert [outer.receive(message) for message in ("a", "b")] == [[], ["failed: busy"]]
    assert outer.response_headers == (("X-A", "b"),)
    assert inner.refusal("unknown").status == 403


class EchoHttp:
    error_codes = ("busy",)

    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        return HttpResponse(200, (), request.body)

    def refusal(self, code: str) -> HttpResponse:
        return HttpResponse(503, (), code.encode())


def test_plain_requests() -> None:
    waited: list[float] = []
    service = FaultyHttpService(EchoHttp(), Fail("busy", after=1), Corrupt(3), Drop(4), Edit(5, bytes.upper),
                                Delay(1, seconds=2.0), Cut(5), wait=waited.append)
    answers: list[HttpResponse | str] = []
    for _ in range(7):
        try:
            answers.append(service.respond(HttpRequest("POST", "https://example.com/", body=b"abc"), at=AT))
        except ConnectionCut as cut:  # noqa: PERF203
            answers.append(str(cut))
    assert answers[:2] == [HttpResponse(200, (), b"abc"), HttpResponse(503, (), b"busy")]
    damaged = answers[2]
    assert isinstance(damaged, HttpResponse)
    assert (int.from_bytes(damaged.body, "big") ^ int.from_bytes(b"abc", "big")).bit_count() == 1
    assert answers[3:] == ["the response is lost", HttpResponse(200, (), b"ABC"), *["the connection breaks"] * 2]
    assert waited == [2.0]


def talk(session: StreamingSession, service: FakeStreamingService) -> list[Event | RemoteProtocolError]:
    """A conversation whose client goes on, whatever comes; sessions say the same error again, which is left out."""
    fake = service.accept(session.handshake(), at=AT)
    heard: list[Event | RemoteProtocolError] = []

    def hear(call: Any, *arguments: Any) -> None:
        try:
            heard.extend(call(*arguments))
        except RemoteProtocolError as error:
            heard.append(error)

    def outgoing() -> Iterator[WireMessage]:
        yield from session.start()
        for _ in range(5):
            yield from session.send_audio(bytes(3200))
        yield from session.end_audio()

    for message in outgoing():
        for answer in fake.receive(message):
            hear(session.receive, answer)
    hear(session.receive_eof)
    return heard


FAULTS = [*(kind(number) for kind in (Drop, Repeat, Merge, Split, Corrupt) for number in (1, 2, 3)),
          *(kind(after) for kind in (Cut, Stall) for after in range(3)), Delay(1, messages=2)]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_every_session_bears_every_fault(name: str, fault: Fault) -> None:
    session, service = CONVERSATIONS[name].session(), CONVERSATIONS[name].service()
    heard = talk(session, FaultyService(service, fault))  # type: ignore[arg-type]
    assert all(isinstance(item, Event | RemoteProtocolError) for item in heard)
    ends = [item for item in heard if isinstance(item, SessionEnded | SessionFailed)]
    assert len(ends) <= 1
    if isinstance(fault, Delay):
        assert heard == talk(CONVERSATIONS[name].session(), CONVERSATIONS[name].service())


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_every_error_in_the_middle(name: str) -> None:
    codes: Any = CONVERSATIONS[name].service().error_codes  # type: ignore[attr-defined]
    for code in codes:
        service: Any = FaultyService(CONVERSATIONS[name].service(), Fail(code, after=2))  # type: ignore[arg-type]
        heard = talk(CONVERSATIONS[name].session(), service)
        [failed] = [item for item in heard if isinstance(item, SessionFailed)]
        assert failed.error.code == code
        assert failed is heard[-1]


def test_a_cut_connection_breaks_off_on_a_real_socket() -> None:
    with (Loopback(FaultyService(EchoService(), Cut(3))) as loopback,
          connect("ws://{}:{}".format(*loopback.address)) as socket):
        socket.send("a")
        assert [socket.recv(timeout=10), socket.recv(timeout=10)] == ["a", "A"]
        socket.send("b")
        assert socket.recv(timeout=10) == "b"
        with pytest.raises(ConnectionClosedError) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd is None  # no closing frame


def test_a_delay_takes_its_time_on_a_real_socket() -> None:
    with (Loopback(FaultyService(EchoService(), Delay(1, seconds=0.05), wait=time.sleep)) as loopback,
          connect("ws://{}:{}".format(*loopback.address)) as socket):
        before = time.monotonic()
        socket.send("a")
        assert socket.recv(timeout=10) == "a"
        assert time.monotonic() - before >= 0.05


def test_a_lost_response_on_a_real_socket() -> None:
    with Loopback(FaultyHttpService(EchoHttp(), Drop(1))) as loopback:
        for expected in (None, b"abc"):
            connection = http.client.HTTPConnection(*loopback.address, timeout=10)
            connection.request("POST", "/", b"abc")
            if expected is None:
                with pytest.raises(http.client.RemoteDisconnected):
                    connection.getresponse()
            else:
                assert connection.getresponse().read() == expected
            connection.close()
