"""Services that are told the time give up on silent clients, in their own words, and see who is ahead of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from asrproto.errors import LocalProtocolError
from asrproto.events import SessionFailed
from asrproto.testing.faults import Fail, FaultyService
from asrproto.testing.pacing import PacedService
from fuzz.conversations import AT, CONVERSATIONS

# What each says, from its table of errors; Transcribe's limit is in its developer guide.
TIMEOUTS = {"transcribe_websocket": "BadRequestException", "transcribe_http2": "BadRequestException",
            "volcengine_bigmodel": "45000081", "volcengine_legacy": "1020", "youdao": "304"}


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> Any:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def opened(name: str, clock: Clock, **settings: Any) -> tuple[Any, Any]:
    session: Any = CONVERSATIONS[name].session()
    service: Any = PacedService(CONVERSATIONS[name].service(), clock=clock, **settings)  # type: ignore[arg-type]
    conversation = service.accept(session.handshake(), at=AT)
    for message in session.start():
        conversation.receive(message)
    return session, conversation


@pytest.mark.parametrize("poll", [True, False], ids=["asked", "spoken-to"])
@pytest.mark.parametrize("name", TIMEOUTS)
def test_silence(name: str, poll: bool) -> None:
    clock = Clock()
    session, conversation = opened(name, clock, patience=15.0)
    for _ in range(3):
        clock.advance(15.0)
        assert conversation.time_passes() == []
        for message in session.send_audio(bytes(6400)):
            conversation.receive(message)
        assert not conversation.closed
    clock.advance(15.001)
    [said] = conversation.time_passes() if poll else conversation.receive(session.send_audio(bytes(6400))[0])
    session = CONVERSATIONS[name].session()
    session.handshake()
    session.start()
    [failed] = session.receive(said)
    assert isinstance(failed, SessionFailed)
    assert failed.error.code == TIMEOUTS[name]
    assert conversation.closed
    assert conversation.time_passes() == []


def test_the_limits_of_the_services() -> None:
    clock = Clock()
    _, conversation = opened("transcribe_websocket", clock)
    clock.advance(15)
    assert conversation.time_passes() == []
    clock.advance(0.01)
    assert len(conversation.time_passes()) == 1


@pytest.mark.parametrize("name", TIMEOUTS)
def test_how_far_a_client_is_ahead(name: str) -> None:
    clock = Clock()
    session, conversation = opened(name, clock)
    for seconds in (0.2, 0.2, 0.0, 0.0, 5.0):
        clock.advance(seconds)
        for message in session.send_audio(bytes(6400)):  # 0.2 s
            conversation.receive(message)
    assert conversation.most_ahead == pytest.approx(0.4, abs=0.0001)


def test_it_fits_into_other_wrappers() -> None:
    session = CONVERSATIONS["youdao"].session()
    paced: Any = PacedService(CONVERSATIONS["youdao"].service(), clock=Clock())  # type: ignore[arg-type]
    conversation = FaultyService(paced, Fail("411")).accept(session.handshake(), at=AT)
    [said] = conversation.receive(b"anything")
    assert "411" in str(said)
    assert paced.refusal("503").status == 503
    assert conversation.response_headers == ()
    conversation.receive_eof()
    assert conversation.closed
    with pytest.raises(LocalProtocolError, match="patience"):
        PacedService(CONVERSATIONS["youdao"].service(), clock=Clock(), patience=0)  # type: ignore[arg-type]
