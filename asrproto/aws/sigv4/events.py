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
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING

from asrproto.aws.eventstream import encode_frame
from asrproto.aws.sigv4.signer import SigV4Signer
from asrproto.errors import LocalProtocolError
from asrproto.http.canonical import timestamp, utc

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["EventSigner"]

ALGORITHM = "AWS4-HMAC-SHA256-PAYLOAD"

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DATE = b"\x05:date\x08"
_pack_date = struct.Struct(">7sq").pack
_SIGNATURE_NAME = b"\x10:chunk-signature\x06\x00\x20"
_EMPTY_FRAME_SIZE = 16 + 15 + len(_SIGNATURE_NAME) + 32

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
    return _string_to_sign(_head(stamp, scope), prior_signature, date_header, payload)


def _head(stamp: str, scope: str) -> str:
    return f"{ALGORITHM}\n{stamp}\n{scope}\n"


def _string_to_sign(head: str, prior_signature: str, date_header: bytes, payload: Buffer) -> str:
    return f"{head}{prior_signature}\n{sha256(date_header).hexdigest()}\n{sha256(payload).hexdigest()}"


class Chain:
    """The signatures of one stream's events, each resting on the one before: what signing and checking share.

    What changes once a second (the time in the string to sign, and sometimes with it the day's key) is kept.
    """

    __slots__ = ("_head", "_key", "_second", "prior_signature", "signer")

    def __init__(self, signer: SigV4Signer, prior_signature: str) -> None:
        self.signer = signer
        self.prior_signature = checked_signature(prior_signature)
        self._second: int | None = None

    def __reduce__(self) -> tuple[type[Chain], tuple[SigV4Signer, str]]:
        return type(self), (self.signer, self.prior_signature)

    def signature(self, at: datetime, payload: Buffer) -> tuple[bytes, bytes]:
        """The encoded ``:date`` header of an event at the time `at` (in UTC, truncated to ms), and its signature."""
        since = at - EPOCH
        second = since.days * 86400 + since.seconds
        if second != self._second:
            stamp = timestamp(at)
            day = self.signer.day(stamp[:8])
            self._head, self._key, self._second = _head(stamp, day.scope), day.key, second
        date_header = _pack_date(_DATE, 1000 * second + since.microseconds // 1000)
        try:
            to_sign = _string_to_sign(self._head, self.prior_signature, date_header, payload)
        except BufferError:
            raise TypeError(f"payload must be contiguous, unlike this {type(payload).__name__}") from None
        return date_header, self._key.sign(to_sign.encode())


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

    __slots__ = ("_chain", "_ended")

    def __init__(self, signer: SigV4Signer, *, prior_signature: str) -> None:
        if not isinstance(signer, SigV4Signer):
            raise TypeError(f"signer must be a SigV4Signer, not {type(signer).__name__}")
        self._chain = Chain(signer, prior_signature)
        self._ended = False

    @property
    def prior_signature(self) -> str:
        """The hex signature on which the next one will rest."""
        return self._chain.prior_signature

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

        Raises
        ------
        LocalProtocolError
            `payload` is empty or too large for a frame, `at` is naive, or the stream was ended. Nothing was signed.
        """
        return self._frame(payload, at, ends=False)

    def sign_end(self, *, at: datetime) -> bytes:
        """The frame that ends the stream; nothing can be signed after it."""
        return self._frame(b"", at, ends=True)

    def _frame(self, payload: Buffer, at: datetime, *, ends: bool) -> bytes:
        if self._ended:
            raise LocalProtocolError("the stream has been ended by sign_end()")
        chain = self._chain
        date_header, signature = chain.signature(utc(at), payload)
        frame = encode_frame(date_header + _SIGNATURE_NAME + signature, payload)
        if len(frame) == _EMPTY_FRAME_SIZE and not ends:
            raise LocalProtocolError("an empty payload is the end of the stream: call sign_end()")
        chain.prior_signature = signature.hex()
        self._ended = ends
        return frame
