"""Every driver with every service that fits it, over real sockets: whole conversations, refusals, errors and cuts."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from examples_services import AWS, HEARD, SERVICES, STRANGER, TEXT, transcribe_http2

from asrproto.aws.transcribe import MedicalSession, TranscribeSession
from asrproto.cli.loopback import Loopback
from asrproto.events import Event, SessionEnded, SessionFailed, SessionStarted, Transcript
from asrproto.session import StreamingSession
from asrproto.testing import FailingStreamingService
from asrproto.testing.faults import Cut, Fail, FaultyService
from asrproto.testing.transcribe import FakeTranscribe

DRIVERS = ("websockets_sync", "websockets_asyncio", "aiohttp_asyncio")
LIMIT = 20.0  # seconds, for what should take some milliseconds
SECOND = [bytes(3200)] * 10


def drive(driver: str, session: StreamingSession, audio: Iterable[bytes],
          report: Callable[[Event], None] | None = None) -> list[Event]:
    """Run a driver to its end; the events."""
    pytest.importorskip(driver.partition("_")[0])
    converse = importlib.import_module(f"drivers.{driver}").converse
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        if report:
            report(event)

    if not inspect.iscoroutinefunction(converse):
        converse(session, audio, hear)
        return events

    async def blocks() -> AsyncIterator[bytes]:
        for block in audio:
            await asyncio.sleep(0)
            yield block

    asyncio.run(asyncio.wait_for(converse(session, blocks(), hear), LIMIT))
    return events


def served(loopback: Any) -> str:
    return "{}:{}".format(*loopback.address)


def said(events: list[Event]) -> str:
    return " ".join(event.text for event in events if isinstance(event, Transcript) and event.is_final)


def failure(events: list[Event]) -> SessionFailed:
    [failed] = [event for event in events if isinstance(event, SessionFailed)]
    assert failed is events[-1]
    return failed


def endless() -> Iterator[bytes]:
    """Like a microphone; but a driver that does not stop is a failure, not a test that never ends."""
    for _ in range(100_000):
        yield bytes(3200)
    raise AssertionError("the driver went on after the end")


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize("name", SERVICES)
def test_a_conversation(driver: str, name: str) -> None:
    service = SERVICES[name]
    with Loopback(service.fake()) as loopback:
        events = drive(driver, service.session(served(loopback)), SECOND)
    assert said(events).split()[-4:] == TEXT.split()
    assert [event for event in events if isinstance(event, SessionEnded | SessionFailed)] == events[-1:]
    assert isinstance(events[-1], SessionEnded)


@pytest.mark.parametrize("name", SERVICES)
def test_a_stranger_is_refused(driver: str, name: str) -> None:
    service = SERVICES[name]
    with Loopback(service.fake()) as loopback:
        events = drive(driver, service.stranger(served(loopback)), endless())
    assert failure(events).error.code
    assert not said(events)


@pytest.mark.parametrize("name", SERVICES)
def test_an_error_in_the_middle_ends_it(driver: str, name: str) -> None:
    service, fake = SERVICES[name], SERVICES[name].fake()
    code = next(iter(fake.error_codes))
    with Loopback(FaultyService(fake, Fail(code, after=4))) as loopback:
        events = drive(driver, service.session(served(loopback)), endless())
    assert failure(events).error.code == code


def test_a_connection_that_breaks(driver: str) -> None:
    service = SERVICES["transcribe"]
    with Loopback(FaultyService(service.fake(), Cut(2))) as loopback:
        events = drive(driver, service.session(served(loopback)), endless())
    assert failure(events).error.code == "ConnectionLost"
    assert sum(isinstance(event, Transcript) for event in events) <= 2


def test_words_come_while_audio_is_sent(driver: str) -> None:
    service, heard, order = SERVICES["volcengine"], threading.Event(), []

    def audio() -> Iterator[bytes]:
        for _ in range(100_000):
            if heard.is_set():
                break
            yield bytes(3200)
        order.append("the audio ends")

    def report(event: Event) -> None:
        if isinstance(event, Transcript) and event.text and not heard.is_set():
            order.append("a word is heard")
            heard.set()

    with Loopback(service.fake()) as loopback:
        drive(driver, service.session(served(loopback)), audio(), report)
    assert order == ["a word is heard", "the audio ends"]


def broken() -> Iterator[bytes]:
    yield bytes(3200)
    raise OSError("the microphone is unplugged")


def test_an_error_of_the_audio_is_not_swallowed(driver: str) -> None:
    service = SERVICES["openai"]
    with Loopback(service.fake()) as loopback, pytest.raises(OSError, match="unplugged"):
        drive(driver, service.session(served(loopback)), broken())


def served_h2(service: FailingStreamingService, **settings: bool) -> AbstractContextManager[Any]:
    pytest.importorskip("h2")
    from h2_loopback import H2Loopback

    return H2Loopback(service, **settings)


HTTP2 = {
    "standard": partial(transcribe_http2, TranscribeSession, language_code="en-US"),
    "medical": partial(transcribe_http2, MedicalSession, specialty="CARDIOLOGY", type="DICTATION"),
}


@pytest.mark.parametrize("slow", [False, True], ids=["", "slow"])
@pytest.mark.parametrize("kind", HTTP2)
def test_http2(kind: str, slow: bool) -> None:
    with served_h2(FakeTranscribe(HEARD, credentials=AWS), slow=slow) as loopback:
        events = drive("h2_asyncio", HTTP2[kind](served(loopback)), SECOND * 3)
    assert isinstance(events[0], SessionStarted)
    assert said(events) == TEXT
    assert isinstance(events[-1], SessionEnded)


def test_http2_refused() -> None:
    with served_h2(FakeTranscribe(HEARD, credentials=AWS)) as loopback:
        events = drive("h2_asyncio", HTTP2["standard"](served(loopback), keys=STRANGER), endless())
    assert failure(events).error.code == "InvalidSignatureException"


def test_http2_error_in_the_middle() -> None:
    fake = FaultyService(FakeTranscribe(HEARD, credentials=AWS), Fail("LimitExceededException", after=4))
    with served_h2(fake) as loopback:
        events = drive("h2_asyncio", HTTP2["standard"](served(loopback)), endless())
    assert failure(events).error.code == "LimitExceededException"


def test_http2_audio_fails() -> None:
    with (served_h2(FakeTranscribe(HEARD, credentials=AWS)) as loopback,
          pytest.raises(OSError, match="unplugged")):
        drive("h2_asyncio", HTTP2["standard"](served(loopback)), broken())
