"""Fake services that are told the time: they give up on a client that is silent too long, as the real ones do.

Fakes have no clock of their own. In this wrapper a conversation looks at a clock whenever a message comes, and may be
asked in between what the passing of time has brought::

    service = PacedService(fake, clock=clock)
    conversation = service.accept(request, at=clock())
    conversation.receive(message)   # too late: the service's timeout, instead of an answer
    conversation.time_passes()      # what the service says by now without being spoken to

It also keeps count of how far the client gets ahead of the clock (`most_ahead`): audio that is sent much faster than it
is spoken is throttled or refused by streaming services, though none says where the limit is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import Clock, WireMessage
from asrproto.testing.service import FailingConversation, FailingStreamingService

__all__ = ["PacedConversation", "PacedService", "TimedConversation", "TimedService"]


class TimedConversation(FailingConversation, Protocol):
    """What a conversation must know of time."""

    @property
    def seconds_heard(self) -> float:
        """How much audio has come; 0 for compressed audio."""
        ...

    def time_out(self) -> Sequence[WireMessage]:
        """End because nothing has come for too long; give what the service says then."""
        ...


class TimedService(FailingStreamingService, Protocol):
    """A streaming service that gives up on silent clients."""

    @property
    def patience(self) -> float:
        """After how many seconds."""
        ...

    def accept(self, request: HttpRequest, *, at: datetime) -> TimedConversation:
        ...


class PacedService:
    """A streaming service with a clock.

    Parameters
    ----------
    service : TimedService
        The fake; OpenAI's is none, since that service does not mind silence.
    clock : callable
        Gives the time, such as `asrproto.session.utc_now`, or one that a test sets.
    patience : float, optional
        Seconds without a message after which the service gives up; those of the service unless given.
    """

    def __init__(self, service: TimedService, *, clock: Clock, patience: float | None = None) -> None:
        self.service = service
        self.clock = clock
        self.patience = service.patience if patience is None else patience
        if self.patience <= 0:
            raise LocalProtocolError("patience must be more than 0 seconds")
        self.error_codes = service.error_codes
        self.handshake_codes = service.handshake_codes

    def refusal(self, code: str) -> HttpResponse:
        """As of the service."""
        return self.service.refusal(code)

    def accept(self, request: HttpRequest, *, at: datetime) -> PacedConversation:
        """As of the service; time begins to run."""
        return PacedConversation(self.service.accept(request, at=at), self.clock, self.patience)


class PacedConversation:
    """The service's side of one conversation, with a clock.

    Attributes
    ----------
    most_ahead : float
        By how many seconds the audio was ahead of the clock when it was most.
    """

    def __init__(self, conversation: TimedConversation, clock: Clock, patience: float) -> None:
        self.conversation = conversation
        self.most_ahead = 0.0
        self._clock, self._patience = clock, patience
        self._began = self._last = clock()

    @property
    def response_headers(self) -> Sequence[tuple[str, str]]:
        return self.conversation.response_headers

    @property
    def closed(self) -> bool:
        return self.conversation.closed

    def fail(self, code: str) -> Sequence[WireMessage]:
        return self.conversation.fail(code)

    def receive_eof(self) -> None:
        self.conversation.receive_eof()

    def time_passes(self) -> Sequence[WireMessage]:
        """What the service says by now: the timeout if it is due, else nothing."""
        silent = (self._clock() - self._last).total_seconds()
        return self.conversation.time_out() if silent > self._patience and not self.closed else []

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        """Take one message at the clock's time."""
        late = self.time_passes()
        if late:
            return late
        self._last = self._clock()
        answers = self.conversation.receive(message)
        ahead = self.conversation.seconds_heard - (self._last - self._began).total_seconds()
        self.most_ahead = max(self.most_ahead, ahead)
        return answers
