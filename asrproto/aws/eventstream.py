"""The AWS event stream, ``application/vnd.amazon.eventstream``: typed headers and a payload in checksummed frames.

A frame, all integers big-endian::

    offset      bytes
    0           4   total         length of the whole frame, these four bytes and the last four included
    4           4   headers_len   length of the header block
    8           4   CRC-32 of bytes 0 to 7: these twelve bytes are the prelude
    12          .   header block  headers_len bytes, one header after the other
    .           .   payload       total - headers_len - 16 bytes, their meaning is the header :content-type's
    total - 4   4   CRC-32 of everything before it

A header::

    1 byte      length of the name, 1 to 255
    .           name, UTF-8, no name twice in a message
    1 byte      type, the row of the table below
    .           value, as long as its type says

    type   name        value                                  in Python
    0      true        nothing                                True
    1      false       nothing                                False
    2      byte        1 byte, signed                         Int8
    3      short       2 bytes, signed                        Int16
    4      integer     4 bytes, signed                        Int32
    5      long        8 bytes, signed                        Int64
    6      byte array  2-byte length, to 32767, then bytes    bytes
    7      string      2-byte length, to 32767, then UTF-8    str
    8      timestamp   8 bytes, signed, ms since 1970 in UTC  Timestamp
    9      uuid        16 bytes                               uuid.UUID

The CRC-32 is that of zlib and gzip, so the second one may be continued from the first.

A frame is believed only when it is whole and checked, in this order: checksum of the prelude, consistency of its
lengths, limits (all three as soon as twelve bytes are there, before anything is stored), checksum of the message,
headers. Frames are taken apart and put together in ``_ext/eventstream.pyx``; this module holds what is decided about
them: values, limits and errors.

Sources: the "Event stream encoding" page of the Amazon Transcribe developer guide and the Smithy specification of
``application/vnd.amazon.eventstream``; the limits are those of aws-c-event-stream (message) and botocore (headers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, SupportsIndex, cast
from uuid import UUID

from asrproto._kernels import eventstream as _kernel
from asrproto.errors import (
    ChecksumMismatch,
    FrameTooLarge,
    LocalProtocolError,
    MalformedFrame,
    RemoteProtocolError,
    TruncatedFrame,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self

__all__ = [
    "MAX_HEADERS_SIZE",
    "MAX_MESSAGE_SIZE",
    "EventStreamDecoder",
    "HeaderValue",
    "HeadersLike",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Message",
    "MessageEncoder",
    "Timestamp",
    "encode_frame",
    "encode_headers",
    "encode_message",
]

MAX_MESSAGE_SIZE = 24 * 1024 * 1024
"""Bytes of a whole frame, unless told otherwise."""

MAX_HEADERS_SIZE = 128 * 1024
"""Bytes of a header block, unless told otherwise."""

_SHOWN = 60  # characters or bytes of a value in an error or a repr()
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


# -- Values of headers ------------------------------------------------------------------------------------------------


class _SizedInt(int):
    """An int that remembers how many bits it has on the wire; it compares, hashes and computes as the int it is."""

    __slots__ = ()
    _bits: ClassVar[int] = 64

    def __new__(cls, value: SupportsIndex = 0) -> Self:
        number = index(value)
        if not -1 << cls._bits - 1 <= number < 1 << cls._bits - 1:
            raise LocalProtocolError(f"{cls.__name__} has {cls._bits} bits, too few for {_shown(number)}")
        return super().__new__(cls, number)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int.__repr__(self)})"

    __str__ = int.__repr__


class Int8(_SizedInt):
    """A header value of wire type 2, -128 to 127."""

    __slots__ = ()
    _bits = 8


class Int16(_SizedInt):
    """A header value of wire type 3, -32768 to 32767."""

    __slots__ = ()
    _bits = 16


class Int32(_SizedInt):
    """A header value of wire type 4; what a plain int that fits becomes."""

    __slots__ = ()
    _bits = 32


class Int64(_SizedInt):
    """A header value of wire type 5; what a plain int too large for `Int32` becomes."""

    __slots__ = ()
    _bits = 64


class Timestamp(_SizedInt):
    """A header value of wire type 8: milliseconds since 1970-01-01T00:00Z, as an int."""

    __slots__ = ()

    @classmethod
    def from_datetime(cls, when: datetime) -> Self:
        """The millisecond in which `when` lies; `when` must have a time zone."""
        if when.tzinfo is None or when.utcoffset() is None:
            raise LocalProtocolError(f"{when.isoformat()} has no time zone; a Timestamp needs an aware datetime")
        return cls((when - _EPOCH) // timedelta(milliseconds=1))

    def to_datetime(self) -> datetime:
        """As a datetime in UTC; LocalProtocolError where it lies outside the years 1 to 9999."""
        try:
            return _EPOCH + timedelta(milliseconds=int(self))
        except OverflowError:
            raise LocalProtocolError(f"{self!r} lies outside the years that datetime has") from None


HeaderValue = bool | int | bytes | bytearray | memoryview | str | UUID | datetime
HeadersLike = Mapping[str, HeaderValue] | Iterable[tuple[str, HeaderValue]]

# By wire type.
_TYPES: tuple[type, ...] = (bool, bool, Int8, Int16, Int32, Int64, bytes, str, Timestamp, UUID)


def _typed(name: str, value: object) -> object:
    """`value` as exactly one of `_TYPES`."""
    if type(value) in _TYPES:
        return value
    if isinstance(value, int):
        for kind in (Int8, Int16, Int32, Int64, Timestamp):
            if isinstance(value, kind):
                return kind(value)
        if not -1 << 63 <= value < 1 << 63:
            raise LocalProtocolError(f"header {_shown(name)}: {_shown(value)} does not fit 64 bits")
        return Int32(value) if -1 << 31 <= value < 1 << 31 else Int64(value)
    if isinstance(value, datetime):
        try:
            return Timestamp.from_datetime(value)
        except LocalProtocolError as error:
            raise LocalProtocolError(f"header {_shown(name)}: {error}") from None
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, UUID):
        return UUID(int=value.int)
    try:
        return bytes(memoryview(cast("bytes", value)))
    except TypeError:
        raise TypeError(f"header {_shown(name)}: {type(value).__name__} is not a type that headers have") from None


def _pairs(headers: HeadersLike) -> dict[str, Any]:
    """Any spelling of headers as a dict, order kept."""
    if isinstance(headers, Mapping):
        return dict(cast("Mapping[str, Any]", headers))
    pairs: dict[str, Any] = {}
    for pair in headers:
        try:
            name, value = pair
        except (TypeError, ValueError):
            raise TypeError("headers must be a mapping or an iterable of (name, value) pairs") from None
        if name in pairs:
            raise LocalProtocolError(f"header {_shown(name)} is given twice")
        pairs[name] = value
    return pairs


class _Headers(dict[str, Any]):
    """The headers of a message: a dict that stays as it is, since messages with the same headers share it."""

    __slots__ = ()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("the headers of a message cannot be changed; make a new Message({**message.headers, ...})")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def _frozen(headers: HeadersLike) -> _Headers:
    return _Headers((name, _typed(name, value)) for name, value in _pairs(headers).items())


# -- Errors -----------------------------------------------------------------------------------------------------------

# What the peer can do wrong, with what was found and what would have been right.
_FAULTS: dict[int, tuple[type[RemoteProtocolError], str, str]] = {
    _kernel.PRELUDE_CHECKSUM: (
        ChecksumMismatch, "prelude-checksum", "the prelude's checksum is {found:#010x}, its bytes give {right:#010x}"),
    _kernel.MESSAGE_CHECKSUM: (
        ChecksumMismatch, "message-checksum", "the message's checksum is {found:#010x}, its bytes give {right:#010x}"),
    _kernel.TOTAL_TOO_SMALL: (
        MalformedFrame, "total-length", "a frame of {found} bytes: the shortest has {right}"),
    _kernel.HEADERS_OVERRUN: (
        MalformedFrame, "headers-length", "{found} bytes of headers in a frame that has room for {right}"),
    _kernel.MESSAGE_TOO_LARGE: (
        FrameTooLarge, "message-too-large", "a frame of {found} bytes: the limit is {right}"),
    _kernel.HEADERS_TOO_LARGE: (
        FrameTooLarge, "headers-too-large", "{found} bytes of headers: the limit is {right}"),
    _kernel.NAME_EMPTY: (
        MalformedFrame, "empty-header-name", "a header without a name"),
    _kernel.HEADER_CUT: (
        MalformedFrame, "header-overrun", "a header that runs to byte {found} of a header block of {right}"),
    _kernel.TYPE_UNKNOWN: (
        MalformedFrame, "unknown-header-type", "header type {found}: there are 0 to 9"),
    _kernel.VALUE_TOO_LONG: (
        MalformedFrame, "header-value-too-long", "a header value of {found} bytes: the limit is {right}"),
    _kernel.NAME_NOT_UTF8: (
        MalformedFrame, "header-name-encoding", "the header name {found!r} is not UTF-8"),
    _kernel.VALUE_NOT_UTF8: (
        MalformedFrame, "header-value-encoding", "the value of header {found!r} is not UTF-8"),
    _kernel.NAME_REPEATED: (
        MalformedFrame, "repeated-header", "header {found!r} comes twice"),
    _kernel.FRAME_CUT: (
        TruncatedFrame, "truncated-frame", "the end comes after {found} bytes of a frame that has at least {right}"),
    _kernel.TRAILING_BYTES: (
        MalformedFrame, "trailing-bytes", "{found} bytes after the end of the frame"),
}

# What a caller can ask for in vain, with the header's name.
_WISHES: dict[int, tuple[type[Exception], str]] = {
    _kernel.WISH_NAME_TYPE: (TypeError, "the name of a header must be str, not {name}"),
    _kernel.WISH_NAME_LENGTH: (LocalProtocolError, "header {name}: a name has 1 to {right} bytes, not {found}"),
    _kernel.WISH_NAME_TEXT: (LocalProtocolError, "header {name}: a name must be text that UTF-8 can encode"),
    _kernel.WISH_VALUE_LENGTH: (LocalProtocolError, "header {name}: a value has at most {right} bytes, not {found}"),
    _kernel.WISH_VALUE_TEXT: (LocalProtocolError, "header {name}: the value is text that UTF-8 cannot encode"),
    _kernel.WISH_VALUE_RANGE: (LocalProtocolError, "header {name}: {found} does not fit {right.__name__}"),
    _kernel.WISH_HEADERS_SIZE: (LocalProtocolError, "headers take {found} bytes; max_headers_size is {right}"),
    _kernel.WISH_MESSAGE_SIZE: (LocalProtocolError, "the message has {found} bytes; max_message_size is {right}"),
    _kernel.WISH_LIMIT: (LocalProtocolError, "{name} must be {right} to 4294967295, not {found}"),
    _kernel.WISH_AFTER_CLOSE: (LocalProtocolError, "feed() after close()"),
    _kernel.WISH_WHILE_BUSY: (LocalProtocolError, "the decoder is in use by another call; it serves one thread"),
}


def _shown(value: object) -> str:
    """repr(), but short."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, (str, bytes)) and len(value) > _SHOWN:
        return f"{value[:_SHOWN]!r}... ({len(value)})"
    return repr(value)


def _wrong(code: int, place: Any, found: Any, right: Any, messages: Sequence[Message] = ()) -> Exception:
    """The exception for one of the kernel's codes; `place` is an offset for faults, a header's name for wishes."""
    if code in _FAULTS:
        kind, reason, text = _FAULTS[code]
        return kind(text.format(found=found, right=right), reason=reason, offset=place, messages=messages)
    local, text = _WISHES[code]
    return local(text.format(name=_shown(place), found=_shown(found), right=right))


# -- Messages ---------------------------------------------------------------------------------------------------------


class Message(_kernel.Frame):
    """One message: typed headers and a payload, a frozen value.

    Parameters
    ----------
    headers : mapping or iterable of pairs
        Names (str) and values; see the table at the head of this module. A plain int is kept as `Int32`, or `Int64`
        where it does not fit, an aware datetime as `Timestamp`, any bytes-like object as bytes.
    payload : bytes-like

    Attributes
    ----------
    headers : dict
        Name to value, in the order of the wire; it cannot be changed. Every value has exactly the type that the wire
        has for it, so ``Message.decode(data).encode() == data`` for every frame that decodes.
    payload : bytes
        Of a message that a decoder has made, a copy out of the bytes that it was fed, made when it is asked for. Until
        the message is dropped, it keeps those bytes in memory.

    Notes
    -----
    Two messages are equal where payloads and headers are, and a header is equal to another only if its type on the
    wire is the same: ``Int8(1)``, ``Int32(1)`` and ``True`` are equal numbers but different headers. The order of
    headers does not matter to equality.
    """

    __slots__ = ()

    def __init__(self, headers: HeadersLike = (), payload: Buffer = b"") -> None:
        super().__init__(_frozen(headers), bytes(memoryview(payload)))

    @classmethod
    def decode(cls, data: Buffer, *, max_message_size: int = MAX_MESSAGE_SIZE,
               max_headers_size: int = MAX_HEADERS_SIZE) -> Message:
        """The message that `data` is: exactly one frame.

        Raises
        ------
        RemoteProtocolError
            Of the kinds and with the reasons that `EventStreamDecoder` has; besides, ``trailing-bytes`` for what
            follows the frame.
        """
        return cast("Message", _kernel.decode(_FORMAT, data, max_message_size, max_headers_size))

    def encode(self, *, max_message_size: int = MAX_MESSAGE_SIZE, max_headers_size: int = MAX_HEADERS_SIZE) -> bytes:
        """The frame of this message."""
        return _kernel.encode(_FORMAT, self.headers, self.payload, max_message_size, max_headers_size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.payload == other.payload and self.headers == other.headers and all(
            type(value) is type(other.headers[name]) for name, value in self.headers.items())

    def __hash__(self) -> int:
        return hash((self.payload, frozenset(self.headers.items())))

    def __repr__(self) -> str:
        return f"Message({self.headers!r}, {_shown(self.payload)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.headers, self.payload)


_FORMAT = _kernel.Format(Message, _Headers, _TYPES, _pairs, _typed, _wrong)


def encode_headers(headers: HeadersLike, *, max_headers_size: int = MAX_HEADERS_SIZE) -> bytes:
    """The header block alone, as the signature of an event needs it."""
    return _kernel.encode_headers(_FORMAT, headers, max_headers_size)


def encode_frame(header_block: bytes, payload: Buffer = b"", *, max_message_size: int = MAX_MESSAGE_SIZE,
                 max_headers_size: int = MAX_HEADERS_SIZE) -> bytes:
    """One frame with a header block that `encode_headers` has made; the block is taken as it is."""
    return _kernel.encode_frame(_FORMAT, header_block, payload, max_message_size, max_headers_size)


def encode_message(headers: HeadersLike, payload: Buffer = b"", *, max_message_size: int = MAX_MESSAGE_SIZE,
                   max_headers_size: int = MAX_HEADERS_SIZE) -> bytes:
    """One frame.

    Parameters
    ----------
    headers : mapping or iterable of pairs
        Names (1 to 255 bytes of UTF-8) and values, in the order in which they are to be sent; see the table at the
        head of this module. A plain int goes out as type 4, or 5 where it does not fit, an aware datetime as type 8.
    payload : bytes-like
    max_message_size, max_headers_size : int
        Limits in bytes for the whole frame and for its header block.

    Raises
    ------
    LocalProtocolError
        A name or value that the format cannot carry (the message names the header), a repeated name, a size over the
        limit.
    TypeError
        A name, value or payload of a type that the format does not have.
    """
    return _kernel.encode(_FORMAT, headers, payload, max_message_size, max_headers_size)


class MessageEncoder(_kernel.Encoder):
    """Messages that all have the same headers: these are encoded once.

    Parameters
    ----------
    headers, max_message_size, max_headers_size
        As for `encode_message`; they can be read as attributes. ``encode(payload)`` makes a frame.
    """

    __slots__ = ()

    def __init__(self, headers: HeadersLike, *, max_message_size: int = MAX_MESSAGE_SIZE,
                 max_headers_size: int = MAX_HEADERS_SIZE) -> None:
        super().__init__(_FORMAT, _frozen(headers), max_message_size, max_headers_size)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), self.headers, max_message_size=self.max_message_size,
                       max_headers_size=self.max_headers_size), ()


class EventStreamDecoder(_kernel.Decoder):
    """Messages out of a stream of bytes that comes in pieces of any size.

    ``feed(data)`` takes the next piece, any bytes-like object, and returns the list of messages that it completes;
    ``close()`` says that the stream has ended. Cutting the stream elsewhere changes nothing about the messages. At most
    one incomplete frame is held, in memory that grows with what has arrived.

    Parameters
    ----------
    max_message_size, max_headers_size : int
        Limits in bytes for a whole frame and for its header block.

    Attributes
    ----------
    buffered : int
        How many bytes of an incomplete frame are held.

    Raises
    ------
    RemoteProtocolError
        From ``feed``, as soon as the fault can be known, and from ``close``. ``offset`` is the place of the fault in
        the stream, ``reason`` its code, and ``messages`` are those that the same piece completed before it: they are
        good, and this is the only way to get them. The decoder stays failed: every later call raises the same
        error again, without messages.

        - `ChecksumMismatch`: ``prelude-checksum``, ``message-checksum``
        - `MalformedFrame`: ``total-length``, ``headers-length``, ``empty-header-name``, ``header-overrun``,
          ``unknown-header-type``, ``header-value-too-long``, ``header-name-encoding``, ``header-value-encoding``,
          ``repeated-header``
        - `FrameTooLarge`: ``message-too-large``, ``headers-too-large``
        - `TruncatedFrame`: ``truncated-frame``, from ``close`` alone
    LocalProtocolError
        ``feed`` after ``close``, or while another thread is in it.
    """

    __slots__ = ()

    def __init__(self, *, max_message_size: int = MAX_MESSAGE_SIZE, max_headers_size: int = MAX_HEADERS_SIZE) -> None:
        super().__init__(_FORMAT, max_message_size, max_headers_size)

    if TYPE_CHECKING:
        def feed(self, data: Buffer) -> list[Message]: ...

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.max_message_size, self.max_headers_size, self._state())


def _restored(kind: type[EventStreamDecoder], max_message_size: int, max_headers_size: int,
              state: tuple[Any, ...]) -> EventStreamDecoder:
    decoder = kind(max_message_size=max_message_size, max_headers_size=max_headers_size)
    decoder._restore(*state)
    return decoder
