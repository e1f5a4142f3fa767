"""Recordings of what a session and its service say to each other: made by a tap, read again, played back by a fake.

A recording is a file of JSON lines, one object for each message, in the order in which the client's side saw them::

    {"time":0.0,"from":"client","kind":"handshake","method":"GET","url":"wss://...","headers":[["Host","..."]]}
    {"time":0.1,"from":"service","kind":"handshake","status":101,"headers":[["X-Request-Id","..."]]}
    {"time":0.2,"from":"client","kind":"binary","data":"AAAAfgAA..."}
    {"time":0.9,"from":"service","kind":"text","data":"{\\"type\\":\\"session.created\\"}"}
    {"time":2.5,"from":"service","kind":"eof"}

========  =======================================================================================================
time      seconds since the recording began
from      "client" or "service"
kind      "handshake", "binary", "text" or "eof" (the connection closed)
data      Base64 of a binary message, the text of a text message; the body of a handshake, in Base64
method    of the client's handshake, with its ``url``; GET opens a WebSocket, POST an HTTP/2 stream
status    of the service's answer to it
headers   of either
========  =======================================================================================================

There is no credential in it: of a handshake, the values of all fields and parameters that carry one (keys, tokens,
signatures) are replaced by ``***``, and so is each of these values wherever it comes back in a later message, also in
a packed or checked frame, which is packed and checked anew. The signatures of single frames stay: each is
good for its frame alone.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Literal

import msgspec

from asrproto._json import check_shape, read_json
from asrproto.errors import MalformedFrame, TruncatedFrame
from asrproto.events import Event
from asrproto.http import HttpRequest, HttpResponse
from asrproto.http.request import HeadersLike, header_pairs
from asrproto.session import StreamingSession, WireMessage, hear_handshake
from asrproto.testing._hiding import Hider
from asrproto.testing.service import HandshakeRefused

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Record", "ReplayConversation", "ReplayService", "Tap", "is_recording", "read_recording"]


class Record(msgspec.Struct, frozen=True, omit_defaults=True, rename={"sender": "from"}):
    """One line of a recording; see the module for its fields. `sender` is called ``from`` in the file."""

    time: float
    sender: Literal["client", "service"]
    kind: Literal["handshake", "binary", "text", "eof"]
    data: str = ""
    method: str = ""
    url: str = ""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        """The bytes of a binary message or of a handshake's body."""
        return base64.b64decode(self.data)

    @property
    def message(self) -> WireMessage:
        """What was sent: bytes for a binary message, str for a text message."""
        return self.data if self.kind == "text" else self.body

    @property
    def request(self) -> HttpRequest:
        """The client's handshake."""
        return HttpRequest(self.method, self.url, self.headers, self.body)

    @property
    def response(self) -> HttpResponse:
        """The service's answer to the handshake."""
        return HttpResponse(self.status, self.headers, self.body)


def _base64(data: Buffer) -> str:
    return base64.b64encode(data).decode()


class Tap:
    """A session that records what goes through it; to its caller it is the session.

    Parameters
    ----------
    session : StreamingSession
        Not yet opened.
    to : path or text file
        Where to write; a file at a path is begun anew, and closed by `close` or at the end of a ``with`` block.
    secrets : iterable of str
        Further texts that must not show in the recording, beside the credentials in the handshake.
    clock : callable
        Seconds that pass evenly.

    Notes
    -----
    Each line is written out at once, so that the recording is whole up to the moment at which a client dies.
    """

    def __init__(self, session: StreamingSession, to: str | PathLike[str] | IO[str], *, secrets: Iterable[str] = (),
                 clock: Callable[[], float] = time.monotonic) -> None:
        self.session = session
        self._owned: IO[str] | None = None
        if isinstance(to, str | PathLike):
            self._owned = to = Path(to).open("w", encoding="utf-8", newline="\n")  # noqa: SIM115 - until close()
        self._file = to
        self._hider = Hider(secrets)
        self._clock = clock
        self._began: float | None = None

    def __repr__(self) -> str:
        return f"Tap({self.session!r})"

    def __enter__(self) -> Tap:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the recording."""
        if self._owned is not None:
            self._owned.close()

    def _note(self, sender: Literal["client", "service"], kind: Literal["handshake", "binary", "text", "eof"],
              data: str = "", **fields: object) -> None:
        now = self._clock()
        if self._began is None:
            self._began = now
        record = msgspec.convert({"time": round(now - self._began, 6), "from": sender, "kind": kind, "data": data,
                                  **fields}, Record)
        self._file.write(msgspec.json.encode(record).decode() + "\n")
        self._file.flush()

    def _note_message(self, sender: Literal["client", "service"], message: WireMessage) -> None:
        if isinstance(message, str):
            self._note(sender, "text", self._hider.text(message))
        else:
            self._note(sender, "binary", _base64(self._hider.binary(bytes(message))))

    def _sent(self, messages: Sequence[WireMessage]) -> Sequence[WireMessage]:
        for message in messages:
            self._note_message("client", message)
        return messages

    def handshake(self) -> HttpRequest:
        request = self.session.handshake()
        shown = self._hider.request(request)
        self._note("client", "handshake", _base64(shown.body), method=shown.method, url=shown.url,
                   headers=shown.headers)
        return request

    def start(self) -> Sequence[WireMessage]:
        return self._sent(self.session.start())

    def send_audio(self, pcm: Buffer) -> Sequence[WireMessage]:
        return self._sent(self.session.send_audio(pcm))

    def end_audio(self) -> Sequence[WireMessage]:
        return self._sent(self.session.end_audio())

    def receive_handshake(self, status: int, headers: HeadersLike, body: Buffer = b"") -> Sequence[Event]:
        pairs = header_pairs(headers)
        shown = self._hider.response(HttpResponse(status, pairs, bytes(body)))
        self._note("service", "handshake", _base64(shown.body), status=status, headers=shown.headers)
        return hear_handshake(self.session, status, pairs, body)

    def receive(self, message: WireMessage) -> Sequence[Event]:
        self._note_message("service", message)
        return self.session.receive(message)

    def receive_eof(self) -> Sequence[Event]:
        self._note("service", "eof")
        return self.session.receive_eof()


def is_recording(head: bytes) -> bool:
    """Whether a file that begins with `head` (its first line, or as much as there is) looks like a recording."""
    return head.startswith(b'{"time":') and b'"from":' in head[:64]


def read_recording(source: str | PathLike[str] | Iterable[bytes]) -> Iterator[Record]:
    """Read a recording, line by line.

    Parameters
    ----------
    source : path, binary file or iterable of bytes
        An iterable gives the lines with their ends.

    Raises
    ------
    MalformedFrame
        A line is none of a recording's (reason ``"not-json"``, ``"wrong-shape"`` or ``"not-base64"``); the offset is
        that of the line in the file.
    TruncatedFrame
        The last line was cut short (reason ``"cut-short"``).
    """
    if isinstance(source, str | PathLike):
        with Path(source).open("rb") as file:
            yield from _records(file)
    else:
        yield from _records(source)


def _records(lines: Iterable[bytes]) -> Iterator[Record]:
    offset = 0
    for number, line in enumerate(lines, 1):
        try:
            record = check_shape(read_json(line, what=f"line {number}"), Record, what=f"line {number}")
            if record.kind != "text":
                base64.b64decode(record.data, validate=True)
        except MalformedFrame as error:
            if not line.endswith(b"\n"):
                raise TruncatedFrame(f"line {number} is cut short", reason="cut-short", offset=offset) from None
            raise MalformedFrame(error.message, reason=error.reason, offset=offset) from None
        except (binascii.Error, ValueError):
            raise MalformedFrame(f"the data of line {number} are not Base64", reason="not-base64",
                                 offset=offset) from None
        yield record
        offset += len(line)


class ReplayService:
    """A fake that plays a recording back: the service's part of it, in step with the client's messages.

    The service's messages that were recorded between the client's n-th message and the next are the answer to the n-th
    message of whoever connects, whatever that message is. So a client is expected that sends as many messages as the
    recorded one did; what is left after that is said in answer to its last.

    Parameters
    ----------
    recording : path, binary file or iterable of bytes
        What `read_recording` takes.
    """

    def __init__(self, recording: str | PathLike[str] | Iterable[bytes]) -> None:
        self.records = list(read_recording(recording))

    def accept(self, request: HttpRequest, *, at: datetime) -> ReplayConversation:
        """Open the conversation, or refuse it if the recorded one was refused."""
        opened = next((record for record in self.records if (record.sender, record.kind) == ("service", "handshake")),
                      None)
        if opened is not None and opened.status not in (101, 200):
            raise HandshakeRefused(opened.response)
        return ReplayConversation(self.records, opened.headers if opened else ())


class ReplayConversation:
    """The service's side of one recorded conversation.

    Attributes
    ----------
    received : list
        What the client has sent this time.
    """

    def __init__(self, records: Sequence[Record], response_headers: Sequence[tuple[str, str]]) -> None:
        self.response_headers = response_headers
        self.received: list[WireMessage] = []
        self.closed = False
        self._answers: list[list[WireMessage]] = [[]]  # by how many messages the client had sent
        for record in records:
            if record.kind in ("handshake", "eof"):
                continue
            if record.sender == "client":
                self._answers.append([])
            else:
                self._answers[-1].append(record.message)
        self._ends = any((record.sender, record.kind) == ("service", "eof") for record in records)
        if len(self._answers) > 1:  # what came before the client's first message
            self._answers[1][:0] = self._answers[0]

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        """Take any message; give what the service said at that point."""
        if self.closed:
            return []
        self.received.append(message)
        number = len(self.received)
        self.closed = self._ends and number >= len(self._answers) - 1
        return self._answers[number] if number < len(self._answers) else []

    def receive_eof(self) -> None:
        self.closed = True
