"""The services that the demo can show, one module each; a further one is a module here and its name in `NAMES`.

Such a module holds ``SERVICE``, a `StreamingService` or a `RequestService`: how a client opens the service, and the
fake that stands in for it. The keys in it are made up; the fake knows them and checks them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from asrproto.audio import AudioEncoder
from asrproto.cli.driver import Meter, Report, converse, exchange
from asrproto.cli.loopback import Address, FakeService
from asrproto.events import Event
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import StreamingSession
from asrproto.testing import FakeHttpService, FakeStreamingService
from asrproto.testing.recogniser import RecogniserFactory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Block = NDArray[np.float32]

__all__ = ["CAPTURE_CHANNELS", "CAPTURE_RATE", "NAMES", "RequestService", "Service", "StreamingService", "load"]

NAMES = ("transcribe", "volcengine", "volcengine_legacy", "youdao", "youdao_short", "openai_realtime", "openai")

CAPTURE_RATE, CAPTURE_CHANNELS = 48_000, 2
"""What the demo's sound card gives, as float32."""


def load(name: str) -> Service:
    """The service that the module `name` of this package describes."""
    service: Service = import_module(f"{__name__}.{name}").SERVICE
    return service


class Service(Protocol):
    """What the demo needs of a service of any kind."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def fake(self) -> Callable[[RecogniserFactory], FakeService]:
        """Makes the service that the demo talks to."""
        ...

    def run(self, blocks: Iterable[Block], report: Report, route: Address, meter: Meter, pace: float) -> None:
        """Have `blocks` of captured audio transcribed at `route`, and `report` the events."""
        ...

    def run_refused(self, report: Report, route: Address) -> bool:
        """Try with a key that the service does not know; False where this service has no such example."""
        ...


@dataclass(frozen=True, kw_only=True)
class StreamingService:
    """A service that is spoken to over a WebSocket while the audio is captured.

    Attributes
    ----------
    session : callable
        Makes a session with the credentials that the fake knows.
    stranger : callable, optional
        Makes one with credentials that it must refuse.
    encoding, rate, chunk_ms
        What the session wants to be sent, in the words of `AudioEncoder`.
    """

    name: str
    session: Callable[[], StreamingSession]
    fake: Callable[[RecogniserFactory], FakeStreamingService]
    stranger: Callable[[], StreamingSession] | None = None
    encoding: str = "pcm_s16le"
    rate: int = 16_000
    chunk_ms: int = 100

    def run(self, blocks: Iterable[Block], report: Report, route: Address, meter: Meter, pace: float) -> None:
        audio = _encoded(blocks, meter, encoding=self.encoding, rate_out=self.rate, chunk_ms=self.chunk_ms)
        asyncio.run(converse(meter(self.session), audio, report, route=route, meter=meter, pace=pace))

    def run_refused(self, report: Report, route: Address) -> bool:
        if self.stranger is None:
            return False
        asyncio.run(converse(self.stranger(), (), report, route=route))
        return True


@dataclass(frozen=True, kw_only=True)
class RequestService:
    """A service that is sent a whole recording in one HTTP request, or in several.

    Attributes
    ----------
    exchange : callable
        Takes the recording (s16le, mono, at `rate`); yields each request, is sent its response, returns the events.
    stranger : callable, optional
        The same with credentials that the fake must refuse.
    """

    name: str
    exchange: Callable[[bytes], Generator[HttpRequest, HttpResponse, Iterable[Event]]]
    fake: Callable[[RecogniserFactory], FakeHttpService]
    stranger: Callable[[bytes], Generator[HttpRequest, HttpResponse, Iterable[Event]]] | None = None
    rate: int = 16_000

    def run(self, blocks: Iterable[Block], report: Report, route: Address, meter: Meter, pace: float) -> None:
        recording = b"".join(_encoded(blocks, meter, rate_out=self.rate))
        exchange(self.exchange(recording), report, route=route, meter=meter)

    def run_refused(self, report: Report, route: Address) -> bool:
        if self.stranger is None:
            return False
        exchange(self.stranger(bytes(2 * self.rate)), report, route=route)
        return True


def _encoded(blocks: Iterable[Block], meter: Meter, **wire: Any) -> Iterator[bytes]:
    """`blocks` of captured audio as the bytes that go to the service."""
    encoder = meter(AudioEncoder, rate_in=CAPTURE_RATE, channels_in=CAPTURE_CHANNELS, dtype_in="float32", **wire)
    for block in blocks:
        yield from meter(encoder.push, block)
    yield from meter(encoder.flush)
