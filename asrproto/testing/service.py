"""What every fake service looks like from outside, so that one loopback server can carry them all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from asrproto.errors import AsrProtoError, LocalProtocolError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import WireMessage

__all__ = ["FailingConversation", "FailingHttpService", "FailingStreamingService", "FakeConversation",
           "FakeHttpService", "FakeStreamingService", "HandshakeRefused"]


class HandshakeRefused(AsrProtoError):
    """The service answers the handshake with an error instead of opening the WebSocket."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(f"handshake refused with status {response.status}")
        self.response = response


def checked_code(code: str, codes: Collection[str]) -> str:
    """`code`, if it is one of `codes`."""
    if code not in codes:
        raise LocalProtocolError(f"the service has no error {code!r} there, but {', '.join(codes)}")
    return code


class FakeConversation(Protocol):
    """The service's side of one streaming conversation."""

    @property
    def response_headers(self) -> Sequence[tuple[str, str]]:
        """Headers of the 101 response."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the service has said its last word; the carrier then closes the connection."""
        ...

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        """Take one message from the client; give the service's answers to it."""
        ...

    def receive_eof(self) -> None:
        """The client has gone."""
        ...


class FakeStreamingService(Protocol):
    """A service that is reached through a WebSocket."""

    def accept(self, request: HttpRequest, *, at: datetime) -> FakeConversation:
        """Check the handshake as the service would at the time `at`, or raise HandshakeRefused."""
        ...


class FakeHttpService(Protocol):
    """A service that is reached by plain HTTP requests."""

    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        """Answer one request as the service would at the time `at`."""
        ...


class FailingConversation(FakeConversation, Protocol):
    """A conversation that can be made to fail."""

    def fail(self, code: str) -> Sequence[WireMessage]:
        """End with the error `code`, one of the service's `error_codes`; give what the service says then."""
        ...


class FailingStreamingService(Protocol):
    """A streaming service whose errors can be provoked by name; all in `asrproto.testing` are such."""

    @property
    def error_codes(self) -> Collection[str]:
        """What its conversations can be made to `fail` with, by the name that a ServiceError has for it."""
        ...

    @property
    def handshake_codes(self) -> Collection[str]:
        """What it can refuse a handshake with, likewise."""
        ...

    def accept(self, request: HttpRequest, *, at: datetime) -> FailingConversation:
        """As of any streaming service."""
        ...

    def refusal(self, code: str) -> HttpResponse:
        """What a handshake is answered that is refused with `code`, one of `handshake_codes`."""
        ...


class FailingHttpService(FakeHttpService, Protocol):
    """A service of plain requests whose errors can be provoked by name; all in `asrproto.testing` are such."""

    @property
    def error_codes(self) -> Collection[str]:
        """What a request can be refused with, by the name that a ServiceError has for it."""
        ...

    def refusal(self, code: str) -> HttpResponse:
        """What a request is answered that is refused with `code`, one of `error_codes`."""
        ...
