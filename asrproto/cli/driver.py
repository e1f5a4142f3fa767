"""One driver loop for every service: it moves bytes between a session and a socket, and nothing else.

`converse` drives a streaming conversation (`StreamingSession`) over a WebSocket, sending and receiving side by side.
`exchange` drives plain HTTP: a generator that yields requests, is sent their responses, and returns events, so that one
request, or a submit-and-ask-again sequence, is written the same way.

Both can be routed to another address than the one in the URL, which is how the demo and tests reach a fake on loopback
while the Host field stays the service's own. Needs ``websockets`` (extra ``demo``).
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asrproto.events import Event, SessionEnded, SessionFailed
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import StreamingSession, WireMessage, hear_handshake

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from asrproto.cli.loopback import Address

__all__ = ["Meter", "Report", "converse", "exchange"]

Report = Callable[[Event], None]
P = ParamSpec("P")
T = TypeVar("T")


class Meter:
    """The figures of a run.

    Calling it calls a function and adds the time that takes to `seconds_inside`.
    """

    def __init__(self) -> None:
        self.seconds_inside = 0.0
        self.sent_messages = self.sent_bytes = 0
        self.received_messages = self.received_bytes = 0

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            self.seconds_inside += time.perf_counter() - started

    def sent(self, message: WireMessage) -> None:
        self.sent_messages += 1
        self.sent_bytes += _size(message)

    def received(self, message: WireMessage) -> None:
        self.received_messages += 1
        self.received_bytes += _size(message)


def _size(message: WireMessage) -> int:
    return len(message.encode() if isinstance(message, str) else message)


async def converse(session: StreamingSession, audio: Iterable[Buffer], report: Report, *,
                   route: Address | None = None, meter: Meter | None = None, pace: float = 0.0) -> None:
    """Hold one conversation from the handshake to its end, and `report` every event.

    Parameters
    ----------
    session : StreamingSession
    audio : iterable of bytes-like
        In the encoding that the session declares, in pieces of any size.
    report : callable
        Takes each event as it comes. A refused handshake is reported as `SessionFailed` too.
    route : (str, int), optional
        Connect there without TLS instead of to the host of the URL.
    meter : Meter, optional
        Where to count messages, bytes and the time inside the session.
    pace : float
        Seconds to wait after each piece of audio; 0 sends as fast as the service takes it.
    """
    meter = meter or Meter()
    request = meter(session.handshake)
    try:
        connection = await _open(request, route)
    except InvalidStatus as refusal:
        response = refusal.response
        for event in meter(hear_handshake, session, response.status_code, response.headers.raw_items(),
                           bytes(response.body or b"")):
            report(event)
        return

    def hear(events: Sequence[Event]) -> bool:
        """Report `events`; tell whether they end the conversation."""
        for event in events:
            report(event)
        return any(isinstance(event, SessionEnded | SessionFailed) for event in events)

    async def send(messages: Iterable[WireMessage]) -> None:
        for message in messages:
            await connection.send(message)
            meter.sent(message)

    async def speak() -> None:
        try:
            await send(meter(session.start))
            for piece in audio:
                await send(meter(session.send_audio, piece))
                await asyncio.sleep(pace)
            await send(meter(session.end_audio))
        except ConnectionClosed:
            pass  # the listening half hears why

    async def listen() -> None:
        with suppress(ConnectionClosed):
            async for message in connection:
                meter.received(message)
                if hear(meter(session.receive, message)):
                    return
        hear(meter(session.receive_eof))

    async with connection:
        opened = connection.response
        if opened is not None:
            hear(meter(hear_handshake, session, opened.status_code, opened.headers.raw_items()))
        speaking, listening = asyncio.create_task(speak()), asyncio.create_task(listen())
        listening.add_done_callback(lambda _: speaking.cancel())  # nobody is there to hear the rest
        try:
            await asyncio.wait((speaking, listening), return_when=asyncio.FIRST_EXCEPTION)
        finally:
            speaking.cancel()
            listening.cancel()
            outcomes = await asyncio.gather(speaking, listening, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome


async def _open(request: HttpRequest, route: Address | None) -> Any:
    headers = [(name, value) for name, value in request.headers if name.lower() != "host"]
    if route is None:
        return await connect(request.url, additional_headers=headers, max_size=None)
    url = "ws" + request.url.removeprefix("wss").removeprefix("ws")
    return await connect(url, additional_headers=headers, max_size=None, compression=None,
                         sock=socket.create_connection(route))


def exchange(steps: Generator[HttpRequest, HttpResponse, Iterable[Event]], report: Report, *,
             route: Address | None = None, meter: Meter | None = None) -> None:
    """Send each request that `steps` yields, send it the response, and `report` the events that it returns.

    Parameters are those of `converse`; time inside is the time that the generator takes between requests.
    """
    meter = meter or Meter()
    try:
        request = meter(next, steps)
        while True:
            meter.sent(request.body)
            response = _fetch(request, route)
            meter.received(response.body)
            request = meter(steps.send, response)
    except StopIteration as done:
        for event in done.value:
            report(event)


def _fetch(request: HttpRequest, route: Address | None) -> HttpResponse:
    scheme, _, rest = request.url.partition("#")[0].partition("://")
    netloc = urlsplit(request.url).netloc
    connection = (http.client.HTTPConnection(*route) if route else
                  http.client.HTTPSConnection(netloc) if scheme == "https" else http.client.HTTPConnection(netloc))
    headers = list(request.headers)
    if request.header("Host") is None:
        headers.append(("Host", netloc))
    if request.body and request.header("Content-Length") is None:
        headers.append(("Content-Length", str(len(request.body))))
    try:
        connection.putrequest(request.method, rest[len(netloc):] or "/", skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(request.body)
        response = connection.getresponse()
        return HttpResponse(response.status, tuple(response.getheaders()), response.read())
    finally:
        connection.close()
