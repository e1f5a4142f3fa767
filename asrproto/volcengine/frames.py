"""The binary frame of Volcengine's speech services (version 1): what every WebSocket message of theirs is.

::

    version:4 header words:4 | type:4 flags:4 | serialization:4 compression:4 | reserved:8 | header extension
    error code u32 (type 15) | sequence i32 (flag 1) | event i32, connection id, session id (flag 4)
    payload size u32 | payload

The fixed part is read and written by the compiled module ``asrproto._kernels.volcframe``, which also gives the order of
the optional fields in full; here are the numbers' names, the packing of payloads and the words for what goes wrong.

Source: the vendor's documentation of the streaming and dialogue interfaces, and bytes captured from the live service.
Two habits of the live service that clients stumble over: a response's compression is its own and need not be the
request's, and whether a frame has a sequence, or is the last, is said by its flag bits alone.
"""

from __future__ import annotations

import enum
import zlib
from typing import TYPE_CHECKING

from asrproto._kernels import volcframe
from asrproto._kernels.volcframe import Frame
from asrproto.errors import FrameTooLarge, LocalProtocolError, MalformedFrame, RemoteProtocolError, TruncatedFrame

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "GZIP_LEVEL",
    "MAX_PAYLOAD_SIZE",
    "Compression",
    "EventType",
    "Flags",
    "Frame",
    "MessageType",
    "Serialization",
    "decode_frame",
    "encode_frame",
]

MAX_PAYLOAD_SIZE = 16 * 1024 * 1024
"""How large a payload may be, packed and unpacked, unless the caller says otherwise."""

GZIP_LEVEL = 1
"""The default level of compression; ``benchmarks/bench_volcengine.py`` measures it on speech."""


class MessageType(enum.IntEnum):
    FULL_CLIENT_REQUEST = 1
    AUDIO_ONLY_REQUEST = 2
    FULL_SERVER_RESPONSE = 9
    AUDIO_ONLY_RESPONSE = 11
    FRONT_END_RESULT = 12
    ERROR = 15


class Flags(enum.IntFlag):
    """Four bits; the one without a name is kept."""

    NONE = 0
    SEQUENCE = 1
    LAST = 2
    EVENT = 4


class Serialization(enum.IntEnum):
    RAW = 0
    JSON = 1
    THRIFT = 3
    CUSTOM = 15


class Compression(enum.IntEnum):
    NONE = 0
    GZIP = 1
    CUSTOM = 15


class EventType(enum.IntEnum):
    """What a frame with flag 4 is about. Other numbers are kept as they are."""

    START_CONNECTION = 1
    FINISH_CONNECTION = 2
    CONNECTION_STARTED = 50
    CONNECTION_FAILED = 51
    CONNECTION_FINISHED = 52
    START_SESSION = 100
    CANCEL_SESSION = 101
    FINISH_SESSION = 102
    SESSION_STARTED = 150
    SESSION_CANCELED = 151
    SESSION_FINISHED = 152
    SESSION_FAILED = 153
    USAGE_RESPONSE = 154
    TASK_REQUEST = 200
    UPDATE_CONFIG = 201
    AUDIO_MUTED = 250
    CONFIG_UPDATED = 251
    SAY_HELLO = 300
    TTS_SENTENCE_START = 350
    TTS_SENTENCE_END = 351
    TTS_RESPONSE = 352
    TTS_ENDED = 359
    END_ASR = 400
    ASR_INFO = 450
    ASR_RESPONSE = 451
    ASR_ENDED = 459
    CHAT_RESPONSE = 550
    CHAT_ENDED = 559
    DIALOG_COMMON_ERROR = 599
    SOURCE_SUBTITLE_START = 650
    SOURCE_SUBTITLE_RESPONSE = 651
    SOURCE_SUBTITLE_END = 652
    TRANSLATION_SUBTITLE_START = 653
    TRANSLATION_SUBTITLE_RESPONSE = 654
    TRANSLATION_SUBTITLE_END = 655


def _table(names: type[enum.IntEnum]) -> tuple[int, ...]:
    known: dict[int, int] = {member.value: member for member in names}
    return tuple(known.get(number, number) for number in range(16))


_encode = volcframe.encode
_decode = volcframe.Decoder(_table(MessageType), tuple(map(Flags, range(16))), _table(Serialization),
                            _table(Compression), {member.value: member for member in EventType}).decode

# By the kernel's codes: what kind of error, its reason, the words.
_DECODING_ERRORS: dict[int, tuple[type[RemoteProtocolError], str, str]] = {
    1: (TruncatedFrame, "truncated-header", "the frame ends inside its header"),
    2: (TruncatedFrame, "truncated-error-code", "the frame ends inside its error code"),
    3: (TruncatedFrame, "truncated-sequence", "the frame ends inside its sequence"),
    4: (TruncatedFrame, "truncated-event", "the frame ends inside its event"),
    5: (TruncatedFrame, "truncated-connection-id", "the frame ends inside its connection id"),
    6: (TruncatedFrame, "truncated-session-id", "the frame ends inside its session id"),
    7: (TruncatedFrame, "truncated-payload-size", "the frame ends inside its payload size"),
    8: (TruncatedFrame, "truncated-payload", "the frame ends before its payload does"),
    9: (MalformedFrame, "version", "the frame's version is not 1"),
    10: (MalformedFrame, "header-size", "the frame declares a header of no words"),
    11: (MalformedFrame, "connection-id-utf8", "the connection id is not UTF-8"),
    12: (MalformedFrame, "session-id-utf8", "the session id is not UTF-8"),
    13: (MalformedFrame, "trailing-bytes", "bytes are left over after the payload"),
    14: (FrameTooLarge, "payload-size", "the payload is larger than the limit"),
}

_NEEDS_PACKING = 1
_ENCODING_ERRORS = {
    2: "message_type must be 0 to 15",
    3: "flags must be 0 to 15",
    4: "serialization must be 0 to 15",
    5: "compression must be 0 to 15",
    6: "reserved must be 0 to 255",
    7: "extension must be 0 to 56 bytes long and a multiple of 4",
    8: "error_code must be an unsigned 32-bit number in a frame of type 15, and None in every other",
    9: "sequence must be a signed 32-bit number where flags have bit 1, and None where they have not",
    10: "event must be a signed 32-bit number where flags have bit 4, and None where they have not",
    11: "connection_id must be given with the events 50, 51 and 52, and must be None otherwise",
    12: "session_id must be given with every event but 1, 2, 50, 51 and 52, and must be None otherwise",
    13: "connection_id and session_id must be text that UTF-8 can express",
    14: "payload must be smaller than 4 GiB",
}


def gzip(payload: bytes, level: int = GZIP_LEVEL) -> bytes:
    """`payload` as one gzip member without a time or name in it: the same input gives the same bytes."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(payload) + packer.flush()


def gunzip(packed: bytes, limit: int, offset: int = 0) -> bytes:
    """The content of exactly one gzip member, which must not be longer than `limit`.

    `offset` is where `packed` stands in its frame, for the errors: reasons ``"gzip"``, ``"gzip-truncated"``,
    ``"gzip-trailing-bytes"`` and ``"payload-bomb"``. No more than `limit` bytes (and one) are ever unpacked.
    """
    unpacker = zlib.decompressobj(31)
    try:
        payload = unpacker.decompress(packed, limit + 1)
    except zlib.error as error:
        raise MalformedFrame(f"the payload is not gzip: {error}", reason="gzip", offset=offset) from None
    if len(payload) > limit:
        raise FrameTooLarge(f"the payload unpacks to more than {limit} bytes", reason="payload-bomb", offset=offset)
    if not unpacker.eof:
        raise TruncatedFrame("the gzip payload breaks off", reason="gzip-truncated", offset=offset)
    if unpacker.unused_data:
        raise MalformedFrame("bytes are left over after the gzip payload", reason="gzip-trailing-bytes",
                             offset=offset + len(packed) - len(unpacker.unused_data))
    return payload


def encode_frame(frame: Frame, *, gzip_level: int = GZIP_LEVEL) -> bytes:
    """The bytes of `frame`.

    Parameters
    ----------
    frame : Frame
        With compression 1 its payload is packed here; with any other it goes out as it is.
    gzip_level : int
        0 (none) to 9 (most).

    Raises
    ------
    LocalProtocolError
        A field is out of its range, or there although flags, type and event say that it is not, or the reverse.
    """
    wire = _encode(frame)
    if type(wire) is bytes:
        return wire
    if wire == _NEEDS_PACKING:
        wire = volcframe.encode_packed(frame, gzip(frame.payload, gzip_level))
    if isinstance(wire, int):
        raise LocalProtocolError(_ENCODING_ERRORS[wire])
    return wire


def decode_frame(data: Buffer, *, max_payload_size: int = MAX_PAYLOAD_SIZE) -> Frame:
    """Read the one frame that `data` is.

    Parameters
    ----------
    data : bytes-like
        A whole WebSocket message.
    max_payload_size : int
        In bytes; holds for the payload as it travels and as it unpacks.

    Returns
    -------
    Frame
        With compression 1 its payload is unpacked (an empty one stays empty); with any other it is as it came.

    Raises
    ------
    TruncatedFrame
        The frame ends early: ``.reason`` names the field (``"truncated-sequence"``), ``.offset`` is where it starts.
    MalformedFrame
        ``"version"``, ``"header-size"``, ``"connection-id-utf8"``, ``"session-id-utf8"``, ``"trailing-bytes"``,
        ``"gzip"``, ``"gzip-trailing-bytes"``.
    FrameTooLarge
        ``"payload-size"``, ``"payload-bomb"``.
    """
    frame = _decode(data, max_payload_size)
    if type(frame) is Frame:
        return frame
    found, offset = frame
    if isinstance(found, Frame):
        return found.with_payload(gunzip(found.payload, max_payload_size, offset))
    kind, reason, words = _DECODING_ERRORS[found]
    raise kind(words, reason=reason, offset=offset)
