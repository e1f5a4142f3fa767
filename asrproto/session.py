"""The shape that every streaming conversation has, and the order in which its methods may be called.

A driver needs nothing else, whatever the service::

    request = session.handshake()                 # open request.url with request.headers
    for message in session.start():               # bytes = binary message, str = text message
        socket.send(message)
    for block in microphone:
        for message in session.send_audio(block):
            socket.send(message)
    for message in session.end_audio():
        socket.send(message)
    for message in socket:
        for event in session.receive(message):
            ...
    for event in session.receive_eof():
        ...

Sending and receiving are independent of each other: transcripts arrive while audio is still being sent, so a real
driver runs the two halves side by side. A session is for one thread at a time, though: where each half has a thread of
its own, they take turns with a lock.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from asrproto.errors import LocalProtocolError, ServiceError
from asrproto.events import Event, SessionFailed

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from asrproto.http import HttpRequest
    from asrproto.http.request import HeadersLike

__all__ = ["Clock", "HearsHandshake", "Lifecycle", "Phase", "StreamingSession", "WireMessage", "hear_handshake",
           "utc_now"]

WireMessage = bytes | str
"""One message on the wire: bytes for a binary one, str for a text one."""

Clock = Callable[[], datetime]
"""Gives the present as a timezone-aware datetime."""


def utc_now() -> datetime:
    """The default clock of sessions; give another one to reproduce their output."""
    return datetime.now(timezone.utc)


@runtime_checkable
class StreamingSession(Protocol):
    """One conversation with a streaming speech recogniser, without the socket."""

    def handshake(self) -> HttpRequest:
        """The request that opens the connection (``GET`` on a ``wss://`` URL for a WebSocket)."""
        ...

    def start(self) -> Sequence[WireMessage]:
        """The messages to send first, once the connection is open."""
        ...

    def send_audio(self, pcm: Buffer) -> Sequence[WireMessage]:
        """Take any amount of audio, in the encoding that the session declares; give the messages that it filled."""
        ...

    def end_audio(self) -> Sequence[WireMessage]:
        """The messages that carry the rest of the audio and tell the service that there is no more."""
        ...

    def receive(self, message: WireMessage) -> Sequence[Event]:
        """Take one message from the service; give what it says."""
        ...

    def receive_eof(self) -> Sequence[Event]:
        """The connection has closed: give what that means for the conversation."""
        ...


@runtime_checkable
class HearsHandshake(Protocol):
    """A session that also wants the service's answer to the handshake, where the caller's library shows it.

    Services put ids there that their support asks for, and the reason of a refusal.
    """

    def receive_handshake(self, status: int, headers: HeadersLike, body: Buffer = b"") -> Sequence[Event]:
        """Take the status (101 or 200 where it was accepted), headers and, of a refusal, the body of the answer."""
        ...


def hear_handshake(session: StreamingSession, status: int, headers: HeadersLike,
                   body: Buffer = b"") -> Sequence[Event]:
    """What the service's answer to the handshake means, for any session; a refusal is a `SessionFailed`.

    Parameters
    ----------
    session : StreamingSession
        Is told of the answer if it wants to be (`HearsHandshake`).
    status : int
        101 where a WebSocket was opened, 200 where an HTTP/2 stream was.
    headers : mapping or sequence of pairs
    body : bytes-like
        Of a refusal.
    """
    if isinstance(session, HearsHandshake):
        return session.receive_handshake(status, headers, body)
    if status in (101, 200):
        return ()
    text = bytes(body).decode("utf-8", "replace")
    return [SessionFailed(ServiceError(text, code=str(status), retryable=status >= 500))]


class Phase(enum.Enum):
    """Where the sending half of a conversation stands."""

    NEW = "before handshake()"
    OPENING = "before start()"
    STREAMING = "between start() and end_audio()"
    ENDED = "after end_audio()"
    FAILED = "after the service refused the conversation"


# Which call is allowed in which phase, and where it leads. A handshake may be asked for again until start(): a
# presigned URL can expire before it is used. Audio after a refusal is dropped by the session rather than refused:
# the caller cannot have known yet.
_NEXT: dict[tuple[Phase, str], Phase] = {
    (Phase.NEW, "handshake"): Phase.OPENING,
    (Phase.OPENING, "handshake"): Phase.OPENING,
    (Phase.OPENING, "start"): Phase.STREAMING,
    (Phase.STREAMING, "send_audio"): Phase.STREAMING,
    (Phase.STREAMING, "end_audio"): Phase.ENDED,
    (Phase.FAILED, "send_audio"): Phase.FAILED,
    (Phase.FAILED, "end_audio"): Phase.FAILED,
}


class Lifecycle:
    """The order of calls that every session keeps; each session holds one and asks it before it acts."""

    __slots__ = ("phase",)

    def __init__(self) -> None:
        self.phase = Phase.NEW

    def enter(self, call: str) -> None:
        """Note that `call` is being made, or raise LocalProtocolError where it has no place."""
        following = _NEXT.get((self.phase, call))
        if following is None:
            raise LocalProtocolError(f"{call}() was called {self.phase.value}")
        self.phase = following

    def fail(self) -> None:
        """Note that the service refused to go on."""
        self.phase = Phase.FAILED

    @property
    def failed(self) -> bool:
        return self.phase is Phase.FAILED

    @property
    def ended(self) -> bool:
        """Whether all audio has been sent."""
        return self.phase is Phase.ENDED
