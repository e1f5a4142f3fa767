"""Server-Sent Events, decoded as they arrive.

The grammar is the WHATWG's (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream)::

    stream = [BOM] *(block)         decoded as UTF-8, every invalid sequence as U+FFFD
    block  = *(line) empty-line     an event, if it has at least one "data" line
    line   = (":" comment | field [":" [" "] value]) (CR LF | LF | CR)
    field  = "data" | "event" | "id" | "retry"       any other is ignored

How: the newlines are brought to LF, all that is whole up to the last of them is decoded and split at once, and
blocks of a single ``data:`` line, which are nearly all, become events directly. Other lines go one by one into the
state of the event that is being put together. What follows the last newline waits in pieces that are joined only
when its newline comes, so that a line costs the same in whatever pieces it arrives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from asrproto.errors import FrameTooLarge, LocalProtocolError, RemoteProtocolError, TruncatedFrame

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["SSEDecoder", "ServerSentEvent"]

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"[^\r\n]+")
_MAX_RETRY_DIGITS = 15
_MANY_LINES = 4096


class ServerSentEvent(msgspec.Struct, frozen=True):
    """One event of the stream.

    Attributes
    ----------
    event : str
        The type of the event; ``"message"`` where the stream names none.
    data : str
        The ``data`` lines, joined with LF.
    id : str
        The last event id that the stream has set so far, in this block or before it; empty where there was none.
    retry : int or None
        Milliseconds to wait before a reconnection, where this block sets them.
    """

    event: str
    data: str
    id: str = ""
    retry: int | None = None


class SSEDecoder:
    """Turns the bytes of a ``text/event-stream`` into events, however they are cut.

    Parameters
    ----------
    max_line_size : int
        Bytes that one line may have.
    max_event_size : int
        Characters that the data of one event may have; at least `max_line_size`.

    Attributes
    ----------
    last_event_id : str
        What a reconnection sends as ``Last-Event-ID``. A block with only an ``id`` sets it and makes no event.
    retry : int or None
        The reconnection time in milliseconds that the stream has set last.

    Notes
    -----
    A line or an event over its bound raises FrameTooLarge (reasons ``"line-too-long"``, ``"event-too-large"``). The
    events that the same bytes completed before it are not lost: they are returned, and the error is raised by the
    next call. After an error the decoder stays failed and says the same again.
    """

    def __init__(self, *, max_line_size: int = 8 << 20, max_event_size: int = 16 << 20) -> None:
        if not 0 < max_line_size <= max_event_size:
            raise LocalProtocolError("max_line_size must be positive and not over max_event_size")
        self.last_event_id = ""
        self.retry: int | None = None
        self._max_line_size = max_line_size
        self._max_event_size = max_event_size
        self._error: RemoteProtocolError | None = None
        self._fed = 0  # bytes of the stream that were fed so far
        self._start: bytes | None = b""  # the first bytes, until they are known to be a BOM or none
        self._after_cr = False
        self._tail: list[bytes] = []  # what has come of the line without a newline yet
        self._tail_size = 0
        self._id = ""
        self._event = ""
        self._data: list[str] = []  # of the event that is being put together: lines, the first of them joined
        self._lines = 0  # of the data, not joined yet
        self._data_size = 0
        self._block_retry: int | None = None

    def feed(self, data: Buffer) -> list[ServerSentEvent]:
        """Take the next bytes of the stream; give the events that they complete.

        Raises
        ------
        FrameTooLarge
            A line or an event is over its bound.
        """
        self._raise_failure()
        chunk = data if isinstance(data, bytes) else bytes(memoryview(data))
        self._fed += len(chunk)
        if self._start is not None:
            chunk = self._without_bom(chunk)
        if not chunk:
            return []
        if self._after_cr:
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        if self._tail_size + len(chunk) > self._max_line_size:
            chunk = self._up_to_overlong_line(chunk)
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = chunk.rfind(b"\n") + 1
        if end and self._tail:
            whole = b"".join((*self._tail, chunk[:end]))
            self._tail.clear()
            self._tail_size = 0
        else:
            whole = chunk[:end]
        if end < len(chunk):
            self._tail.append(chunk[end:])
            self._tail_size += len(chunk) - end
        events = self._events(whole.decode("utf-8", "replace")) if whole else []
        if not events:
            self._raise_failure()
        return events

    def close(self) -> None:
        """The stream is over.

        Raises
        ------
        TruncatedFrame
            It ended inside a line or inside a block that has data (reason ``"event-cut-off"``). A browser drops such
            a rest in silence; here it means that the connection broke before the service was done.
        """
        if self._error is None and (self._start or self._tail or self._data):
            self._error = TruncatedFrame("the event stream ended inside an event", reason="event-cut-off",
                                         offset=self._fed)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._error is not None:
            raise self._error

    def _without_bom(self, chunk: bytes) -> bytes:
        start = (self._start or b"") + chunk
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(_BOM)

    def _up_to_overlong_line(self, chunk: bytes) -> bytes:
        """`chunk` as far as its lines are within the bound; the error is noted where one is not."""
        base = self._fed - len(chunk)
        before = self._tail_size if chunk[0] not in b"\r\n" else 0  # of the first line, fed earlier
        for line in _LINE.finditer(chunk):
            if line.end() - line.start() + before > self._max_line_size:
                self._error = FrameTooLarge(f"a line is longer than {self._max_line_size} bytes",
                                            reason="line-too-long", offset=base + line.start() - before)
                return chunk[:line.start()]
            before = 0
        return chunk

    def _events(self, text: str) -> list[ServerSentEvent]:
        """The events that whole lines of text complete."""
        events: list[ServerSentEvent] = []
        *blocks, rest = text.split("\n\n")
        for block in blocks:
            if block.startswith("data: ") and "\n" not in block and not self._data and not self._event \
                    and self._block_retry is None and self._id == self.last_event_id:
                events.append(ServerSentEvent("message", block[6:], self.last_event_id))
                continue
            if not self._take_lines(block.split("\n"), events):
                return events
            self._dispatch(events)
        if rest:
            self._take_lines(rest[:-1].split("\n"), events)
        return events

    def _take_lines(self, lines: Sequence[str], events: list[ServerSentEvent]) -> bool:
        """Take whole lines into the event that is being put together; False where that grows too large."""
        for line in lines:
            if not line:
                self._dispatch(events)
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                self._data.append(value)
                self._lines += 1
                if self._lines == _MANY_LINES:  # a short line takes far more room than its characters
                    self._data[-_MANY_LINES:] = ["\n".join(self._data[-_MANY_LINES:])]
                    self._lines = 0
                self._data_size += len(value) + 1
                if self._data_size > self._max_event_size + 1:
                    self._error = FrameTooLarge(f"the data of an event is over {self._max_event_size} characters",
                                                reason="event-too-large")
                    return False
            elif field == "event":
                self._event = value
            elif field == "id":
                if "\0" not in value:
                    self._id = value
            elif field == "retry" and value.isascii() and value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
                self.retry = self._block_retry = int(value)
        return True

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        """An empty line: the block is over."""
        self.last_event_id = self._id
        if self._data:
            events.append(ServerSentEvent(self._event or "message", "\n".join(self._data), self._id,
                                          self._block_retry))
            self._data = []
            self._lines = self._data_size = 0
        self._event = ""
        self._block_retry = None
