"""Sign each event of a stream (HTTP/2 streams, and WebSocket frames where that is wanted).

Every encoded event is wrapped into an outer frame with two headers, ``:date`` (the time, in milliseconds) and
``:chunk-signature`` (32 bytes). What is signed, one a line::

    AWS4-HMAC-SHA256-PAYLOAD
    YYYYMMDDTHHMMSSZ
    YYYYMMDD/region/service/aws4_request
    hex signature of the frame before; of the opening request for the first one
    hex SHA-256 of the encoded :date header
    hex SHA-256 of the wrapped event

The last frame of a stream wraps nothing and is signed like the others; the service misses it if it does not come.
Source: "Event stream encoding" in the Amazon Transcribe developer guide, whose text lacks the ``-PAYLOAD``; with it the
signatures are those of the AWS SDKs.
"""

from __future__ import annotations

import re
import struct
import zlib
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING

from asrproto.aws.sigv4.signer import SigV4Signer
from asrproto.errors import LocalProtocolError
from asrproto.http.canonical import timestamp, utc

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["EventSigner"]

ALGORITHM = "AWS4-HMAC-SHA256-PAYLOAD"

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_DATE_HEADER = struct.Struct(">6sBq")
_DATE_NAME = b"\x05:date"
_SIGNATURE_NAME = b"\x10:chunk-signature\x06\x00\x20"

_hex_signature = re.compile(r"[0-9a-f]{64}").fullmatch


def checked_signature(signature: str) -> str:
    """`signature` if it is one, in hex."""
    if not isinstance(signature, str):
        raise TypeError(f"prior_signature must be a str of 64 hex digits, not {type(signature).__name__}")
    if not _hex_signature(signature):
        raise LocalProtocolError("prior_signature must be 64 lower-case hex digits, as in X-Amz-Signature")
    return signature


def event_string_to_sign(stamp: str, scope: str, prior_signature: str, date_header: bytes, payload: Buffer) -> str:
    """The string to sign of one event, whose parts are given as the table above has them."""
    return (f"{ALGORITHM}\n{stamp}\n{scope}\n{prior_signature}\n{sha256(date_header).hexdigest()}\n"
            f"{sha256(payload).hexdigest()}")


def event_signature(signer: SigV4Signer, prior_signature: str, at: datetime, payload: Buffer) -> tuple[bytes, bytes]:
    """The encoded ``:date`` header of one event, its time truncated to milliseconds, and the event's signature."""
    stamp = timestamp(at)
    day = signer.day(stamp[:8])
    date_header = _DATE_HEADER.pack(_DATE_NAME, 8, (at - EPOCH) // _MILLISECOND)
    to_sign = event_string_to_sign(stamp, day.scope, prior_signature, date_header, payload)
    return date_header, day.key.sign(to_sign.encode())


class EventSigner:
    """Signs and wraps the events of one stream, each signature resting on the one before.

    Parameters
    ----------
    signer : SigV4Signer
        Its credentials, region and service hold for the whole stream.
    prior_signature : str
        The hex signature of the request that opened the stream, see `signature_of`.

    Notes
    -----
    State is one signature: a pickled signer goes on where it stopped.
    """

    __slots__ = ("_ended", "_prior", "_signer")

    def __init__(self, signer: SigV4Signer, *, prior_signature: str) -> None:
        if not isinstance(signer, SigV4Signer):
            raise TypeError(f"signer must be a SigV4Signer, not {type(signer).__name__}")
        self._signer = signer
        self._prior = checked_signature(prior_signature)
        self._ended = False

    @property
    def prior_signature(self) -> str:
        """The hex signature on which the next one will rest."""
        return self._prior

    def sign(self, payload: Buffer, *, at: datetime) -> bytes:
        """Wrap one encoded event.

        Parameters
        ----------
        payload : bytes-like
            The whole inner frame.
        at : datetime
            Timezone-aware. The service accepts it for five minutes.

        Returns
        -------
        bytes
            The whole outer frame.
        """
        if not memoryview(payload).nbytes:
            raise LocalProtocolError("an empty payload is the end of the stream: call sign_end()")
        return self._sign(payload, at)

    def sign_end(self, *, at: datetime) -> bytes:
        """The frame that ends the stream; nothing can be signed after it."""
        frame = self._sign(b"", at)
        self._ended = True
        return frame

    def _sign(self, payload: Buffer, at: datetime) -> bytes:
        if self._ended:
            raise LocalProtocolError("the stream has been ended by sign_end()")
        date_header, signature = event_signature(self._signer, self._prior, utc(at), payload)
        self._prior = signature.hex()
        return _frame(date_header + _SIGNATURE_NAME + signature, payload)


def _frame(headers: bytes, payload: Buffer) -> bytes:
    body = headers + bytes(payload)
    prelude = struct.pack(">II", len(body) + 16, len(headers))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    return b"".join([prelude, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(prelude)))])
