"""What every fake service looks like from outside, so that one loopback server can carry them all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from asrproto.errors import AsrProtoError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import WireMessage

__all__ = ["FakeConversation", "FakeHttpService", "FakeStreamingService", "HandshakeRefused"]


class HandshakeRefused(AsrProtoError):
    """The service answers the handshake with an error instead of opening the WebSocket."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(f"handshake refused with status {response.status}")
        self.response = response


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
