"""The one tree of errors. Who is at fault is the first question each answers (the division is h11's).

::

    AsrProtoError
    ├── LocalProtocolError (also a ValueError)   the caller asked for what the protocol does not allow
    ├── RemoteProtocolError                      the peer sent bytes that break the protocol
    │   ├── ChecksumMismatch                       a checksum does not hold
    │   ├── MalformedFrame                         a structure contradicts itself or the format
    │   ├── FrameTooLarge                          a declared or unpacked size is over the limit
    │   └── TruncatedFrame                         the stream ended inside a frame
    └── ServiceError                             a well-formed refusal by the service

No decoder raises anything else, whatever bytes it is fed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

__all__ = [
    "AsrProtoError",
    "ChecksumMismatch",
    "FrameTooLarge",
    "LocalProtocolError",
    "MalformedFrame",
    "RemoteProtocolError",
    "ServiceError",
    "TruncatedFrame",
]


class AsrProtoError(Exception):
    """The base of everything that asrproto raises on purpose."""


class LocalProtocolError(AsrProtoError, ValueError):
    """The caller asked for something that the protocol does not allow; nothing was sent."""


class RemoteProtocolError(AsrProtoError):
    """The peer sent bytes that break the protocol.

    Parameters
    ----------
    message : str
        What is wrong, for people.
    reason : str
        What is wrong, for programs: a stable code in lower case with dashes, e.g. ``"prelude-checksum"``.
    offset : int, optional
        Where, as a byte position counted from the start of the stream (of the message, where there is no stream).
    messages : sequence, optional
        What the same call had decoded before it came to the fault: good, and handed over nowhere else.
    """

    def __init__(self, message: str, *, reason: str, offset: int | None = None, messages: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.offset = offset
        self.messages = messages

    def __str__(self) -> str:
        place = "" if self.offset is None else f" at byte {self.offset}"
        return f"{self.message} [{self.reason}{place}]"

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return partial(type(self), self.message, reason=self.reason, offset=self.offset, messages=self.messages), ()


class ChecksumMismatch(RemoteProtocolError):
    """A checksum does not hold: the bytes were altered, or are not of this format at all."""


class MalformedFrame(RemoteProtocolError):
    """A frame or document contradicts itself or its format, though its checksums may hold."""


class FrameTooLarge(RemoteProtocolError):
    """A size is over the limit; raised before anything of that size is allocated."""


class TruncatedFrame(RemoteProtocolError):
    """The stream ended inside a frame."""


class ServiceError(AsrProtoError):
    """A well-formed refusal by the service.

    Parameters
    ----------
    message : str
        The service's own words, without any credential that they may echo.
    code : str
        The service's own code or exception name, always as text, e.g. ``"BadRequestException"``, ``"45000001"``.
    retryable : bool
        Whether the same request may succeed later, unchanged.
    request_id : str, optional
        What the service's support will ask for (request id, log id).
    advice : str, optional
        The usual cause and what to do about it, where that is known.
    """

    def __init__(self, message: str, *, code: str, retryable: bool = False, request_id: str | None = None,
                 advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retryable = retryable
        self.request_id = request_id
        self.advice = advice

    def __str__(self) -> str:
        text = f"{self.code}: {self.message}" if self.message else self.code
        if self.request_id:
            text += f" (request id {self.request_id})"
        if self.advice:
            text += f"\n{self.advice}"
        return text

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return partial(type(self), self.message, code=self.code, retryable=self.retryable,
                       request_id=self.request_id, advice=self.advice), ()
