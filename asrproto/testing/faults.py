"""What goes wrong between a client and a service, on purpose: put any fake into a wrapper with a list of faults.

::

    FaultyService(fake, Delay(2, messages=3), Corrupt(4))      # a streaming service
    FaultyHttpService(fake, Fail("rate_limit_exceeded"))       # a service of plain requests

===========================  ==========================================================================================
`Refuse(code)`               the handshake is refused
`Fail(code, after)`          the service ends with an error, after so many messages of the client's
`Cut(after)`                 the connection breaks, after so many messages of the service's
`Stall(after)`               the service falls silent, and the connection stays open
`Delay(message, ...)`        a message is held up, and all behind it: until the client has sent some more, or for a time
`Drop(message)`              it never comes
`Repeat(message)`            it comes twice
`Split(message, at)`         it comes in two
`Merge(message)`             it comes in one with the next
`Corrupt(message, bits)`     some of its bits are changed
`Edit(message, change)`      a function changes it
===========================  ==========================================================================================

Messages are those of one conversation, counted from 1 before anything happened to them. To a service of plain requests
a message is a response. Which bits are changed depends on the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from random import Random
from typing import TypeVar

import msgspec

from asrproto.errors import AsrProtoError, LocalProtocolError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import WireMessage
from asrproto.testing.service import (
    FailingConversation,
    FailingHttpService,
    FailingStreamingService,
    HandshakeRefused,
    checked_code,
)

__all__ = ["ConnectionCut", "Corrupt", "Cut", "Delay", "Drop", "Edit", "Fail", "Fault", "FaultyConversation",
           "FaultyHttpService", "FaultyService", "Merge", "Refuse", "Repeat", "Split", "Stall"]


class ConnectionCut(AsrProtoError):
    """The connection breaks instead of an answer to a request."""


class Fault(msgspec.Struct, frozen=True):
    """The base of all of them."""


class Refuse(Fault, frozen=True):
    """The handshake is refused with `code`, one of the service's `handshake_codes`."""

    code: str


class Fail(Fault, frozen=True):
    """The service ends with the error `code`, one of its `error_codes`, when it has taken `after` messages.

    That is said in answer to the message after these. Of a service of plain requests, `after` responses go well, and
    the request after them is refused; those after that go well again.
    """

    code: str
    after: int = 0


class Cut(Fault, frozen=True):
    """The connection breaks, without a word, when `after` messages have come through."""

    after: int = 0


class Stall(Fault, frozen=True):
    """Nothing comes any more when `after` messages have come through; the connection stays open."""

    after: int = 0


class Delay(Fault, frozen=True):
    """A message is held up, and what follows waits behind it.

    Parameters
    ----------
    message : int
    messages : int
        Until the client has sent so many more, or the service has closed the conversation. Where neither comes to
        pass, the message does not come.
    seconds : float
        Or for so long; the service must be given a way to `wait` then.
    """

    message: int
    messages: int = 0
    seconds: float = 0.0


class _Change(Fault, frozen=True):
    """A fault that makes something else of one message."""

    message: int

    def apply(self, message: WireMessage, random: Random) -> Sequence[WireMessage]:
        raise NotImplementedError


class Drop(_Change, frozen=True):
    """The message never comes."""

    def apply(self, message: WireMessage, random: Random) -> Sequence[WireMessage]:
        return []


class Repeat(_Change, frozen=True):
    """The message comes twice."""

    def apply(self, message: WireMessage, random: Random) -> Sequence[WireMessage]:
        return [message, message]


class Split(_Change, frozen=True):
    """The message comes in two, cut `at` so many bytes or characters, or anywhere."""

    at: int | None = None

    def apply(self, message: WireMessage, random: Random) -> Sequence[WireMessage]:
        at = random.randrange(1, max(len(message), 2)) if self.at is None else self.at
        return [message[:at], message[at:]]


class Merge(Fault, frozen=True):
    """The message comes in one with the next, if both are binary or both text; the last one comes alone."""

    message: int


class Corrupt(_Change, frozen=True):
    """Some `bits` of the message are changed; of a text, so many characters, so that it stays a text."""

    bits: int = 1

    def apply(self, message: WireMessage, random: Random) -> Sequence[WireMessage]:
        size = len(message) if isinstance(message, str) else 8 * len(message)
        places = random.sample(range(size), min(self.bits, size))
        if isinstance(message, str):
            return ["".join("\N{REPLACEMENT CHARACTER}" if i in places else c for i, c in enumerate(message))]
        damaged = bytearray(message)
        for place in places:
            damaged[place // 8] ^= 1 << place % 8
        return [bytes(damaged)]


class Edit(_Change, frozen=True):
    """`change` makes something else of the message."""

    change: Callable[[WireMessage], WireMessage]

    def apply(self, message: WireMessage, random: Random) -> Sequence[WireMessage]:
        return [self.change(message)]


def _joined(first: WireMessage, second: WireMessage) -> list[WireMessage]:
    if isinstance(first, str):
        return [first + second] if isinstance(second, str) else [first, second]
    return [first + second] if isinstance(second, bytes) else [first, second]


F = TypeVar("F", bound=Fault)


class _Faults:
    """A list of faults, checked against what a service can do."""

    def __init__(self, faults: Iterable[Fault], seed: int, wait: Callable[[float], object] | None,
                 error_codes: Collection[str], possible: tuple[type[Fault], ...], handshake_codes: Collection[str] = (),
                 ) -> None:
        self.all = tuple(faults)
        self.seed, self.wait = seed, wait
        for fault in self.all:
            if not isinstance(fault, possible):
                raise TypeError(f"{fault!r} is no fault of this kind of service")
            if isinstance(fault, Fail | Refuse):
                checked_code(fault.code, error_codes if isinstance(fault, Fail) else handshake_codes)
            if isinstance(fault, Delay) and fault.seconds and wait is None:
                raise LocalProtocolError("a Delay in seconds needs a way to wait, such as wait=time.sleep")

    def of(self, kind: type[F]) -> list[F]:
        return [fault for fault in self.all if isinstance(fault, kind)]

    def random(self) -> Random:
        return Random(self.seed)

    def held_seconds(self, number: int) -> None:
        for delay in self.of(Delay):
            if delay.message == number and delay.seconds and self.wait is not None:
                self.wait(delay.seconds)

    def changed(self, message: WireMessage, number: int, random: Random) -> list[WireMessage]:
        """What becomes of the message with this number, by the faults in their order."""
        messages = [message]
        for change in self.of(_Change):
            if change.message == number:
                messages = [result for one in messages for result in change.apply(one, random)]
        return messages


class FaultyService:
    """A streaming service to which things happen, in each conversation the same.

    Parameters
    ----------
    service : FailingStreamingService
        The fake.
    *faults : Fault
        In the order in which they act on a message.
    seed : int
        For `Corrupt` and `Split`.
    wait : callable, optional
        Waits for a number of seconds, such as `time.sleep`; for `Delay`.

    Raises
    ------
    LocalProtocolError
        The service has no error of such a name.
    """

    def __init__(self, service: FailingStreamingService, *faults: Fault, seed: int = 0,
                 wait: Callable[[float], object] | None = None) -> None:
        self.service = service
        self._faults = _Faults(faults, seed, wait, service.error_codes, (Fault,), service.handshake_codes)

    @property
    def error_codes(self) -> Collection[str]:
        return self.service.error_codes

    @property
    def handshake_codes(self) -> Collection[str]:
        return self.service.handshake_codes

    def refusal(self, code: str) -> HttpResponse:
        return self.service.refusal(code)

    def accept(self, request: HttpRequest, *, at: datetime) -> FaultyConversation:
        """Check the handshake, and open a conversation unless there is a `Refuse` among the faults."""
        conversation = self.service.accept(request, at=at)
        for refuse in self._faults.of(Refuse):
            raise HandshakeRefused(self.service.refusal(refuse.code))
        return FaultyConversation(conversation, self._faults)


class FaultyConversation:
    """The service's side of one conversation to which things happen.

    Attributes
    ----------
    conversation : FailingConversation
        The one to which they happen.
    aborted : bool
        Whether the connection is to break off, rather than to be closed in good order.
    """

    def __init__(self, conversation: FailingConversation, faults: _Faults) -> None:
        self.conversation = conversation
        self.aborted = False
        self._faults = faults
        self._random = faults.random()
        self._merges = {merge.message for merge in faults.of(Merge)}
        self._delays = {delay.message: delay.messages for delay in faults.of(Delay) if delay.messages}
        cuts = [cut.after for cut in faults.of(Cut)]
        self._most = min([*cuts, *(stall.after for stall in faults.of(Stall))], default=None)
        self._cuts = self._most in cuts
        self._taken = self._said = self._through = 0
        self._held: list[WireMessage] = []
        self._release = 0  # how many messages the client has sent when what is held up goes on
        self._merging: WireMessage | None = None
        self._cut_if_due()

    @property
    def response_headers(self) -> Sequence[tuple[str, str]]:
        return self.conversation.response_headers

    @property
    def closed(self) -> bool:
        return self.aborted or (self.conversation.closed and not self._stalled)

    @property
    def _stalled(self) -> bool:
        return self._most is not None and self._through >= self._most and not self._cuts

    def fail(self, code: str) -> Sequence[WireMessage]:
        return self._transmitted(self.conversation.fail(code))

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        """Take one message from the client; give what comes through of the answers to it and to earlier ones."""
        if self.aborted or self.conversation.closed:
            return []
        fail = next((fail for fail in self._faults.of(Fail) if fail.after == self._taken), None)
        self._taken += 1
        if fail is not None:
            return self.fail(fail.code)
        return self._transmitted(self.conversation.receive(message))

    def receive_eof(self) -> None:
        self.conversation.receive_eof()

    def _transmitted(self, answers: Iterable[WireMessage]) -> list[WireMessage]:
        through: list[WireMessage] = []
        if self._held and self._taken >= self._release:
            through, self._held = self._held, []
        for answer in answers:
            self._said += 1
            self._faults.held_seconds(self._said)
            if self._said in self._delays and not self._held:
                self._release = self._taken + self._delays[self._said]
            arriving = self._merged(self._faults.changed(answer, self._said, self._random))
            (self._held if self._taken < self._release else through).extend(arriving)
        if self.conversation.closed:
            through += [*self._held, *([] if self._merging is None else [self._merging])]
            self._held, self._merging = [], None
        if self._most is not None:
            through = through[:max(self._most - self._through, 0)]
        self._through += len(through)
        self._cut_if_due()
        return through

    def _merged(self, messages: list[WireMessage]) -> list[WireMessage]:
        """`messages` with what waited to be merged before them; none where they wait themselves."""
        if self._merging is not None and messages:
            waiting, self._merging = self._merging, None
            first, *rest = messages
            messages = [*_joined(waiting, first), *rest]
        if self._said in self._merges and messages:
            *messages, self._merging = messages
        return messages

    def _cut_if_due(self) -> None:
        self.aborted = self._cuts and self._most is not None and self._through >= self._most


class FaultyHttpService:
    """A service of plain requests to which things happen; `Refuse`, `Stall`, `Split` and `Merge` cannot.

    Parameters are those of `FaultyService`. What is changed of a response is its body.
    """

    def __init__(self, service: FailingHttpService, *faults: Fault, seed: int = 0,
                 wait: Callable[[float], object] | None = None) -> None:
        self.service = service
        self._faults = _Faults(faults, seed, wait, service.error_codes, (Fail, Cut, Delay, Drop, Corrupt, Edit))
        self._random = self._faults.random()
        self._answered = 0

    @property
    def error_codes(self) -> Collection[str]:
        return self.service.error_codes

    def refusal(self, code: str) -> HttpResponse:
        return self.service.refusal(code)

    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        """Answer a request, or raise `ConnectionCut`."""
        fail = next((fail for fail in self._faults.of(Fail) if fail.after == self._answered), None)
        cut = any(self._answered >= cut.after for cut in self._faults.of(Cut))
        self._answered += 1
        if cut:
            raise ConnectionCut("the connection breaks")
        response = self.service.respond(request, at=at) if fail is None else self.service.refusal(fail.code)
        self._faults.held_seconds(self._answered)
        bodies = self._faults.changed(response.body, self._answered, self._random)
        if not bodies:
            raise ConnectionCut("the response is lost")
        [body] = bodies
        return HttpResponse(response.status, response.headers, body.encode() if isinstance(body, str) else body)
