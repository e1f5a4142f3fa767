"""Forms with files: ``multipart/form-data`` (RFC 7578), written as browsers write it.

::

    --boundary CRLF
    Content-Disposition: form-data; name="..."[; filename="..."] CRLF
    [Content-Type: ... CRLF]
    CRLF
    content CRLF
    ...
    --boundary-- CRLF

Names stay raw UTF-8, except that a double quote and the control characters are percent-encoded
(https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#escaping-a-multipart-form-data-name).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from asrproto._redact import Discreet
from asrproto.errors import LocalProtocolError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["FilePart", "MultipartBody", "encode_multipart"]

_TO_ESCAPE = re.compile(r'["\x00-\x1f\x7f]')
_NOT_IN_HEADER = re.compile(r"[\x00-\x1f\x7f]")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_NEEDS_QUOTES = re.compile(r"[^0-9A-Za-z'+_.-]")


class FilePart(Discreet, frozen=True):
    """One file of a form.

    Parameters
    ----------
    name : str
        Of the form field.
    filename : str
    content : bytes-like, or iterable of bytes
        An iterable is read while the body is being sent, and needs its `length`.
    content_type : str
    length : int, optional
        Bytes in all that an iterable `content` gives.
    """

    name: str
    filename: str
    content: Buffer | Iterable[bytes]
    content_type: str = "application/octet-stream"
    length: int | None = None

    def __repr__(self) -> str:
        return f"FilePart({self.name!r}, {self.filename!r}, {self.content_type!r}, length={self.length})"


class MultipartBody:
    """An encoded form: iterate over it for the pieces to send, or take ``bytes(...)`` of it.

    Attributes
    ----------
    content_type, boundary : str
        What the ``Content-Type`` header says.
    content_length : int
        Bytes in all, known before anything is read.

    Notes
    -----
    A form whose files are all in memory can be iterated over again, for a second attempt. Where a file is an
    iterable, that depends on it. LocalProtocolError is raised on the way where an iterable does not give as many
    bytes as it was said to.
    """

    def __init__(self, boundary: str, pieces: list[bytes | FilePart]) -> None:
        self.boundary = boundary
        self._pieces = pieces
        self.content_length = sum(len(piece) if isinstance(piece, bytes) else piece.length or 0 for piece in pieces)

    @property
    def content_type(self) -> str:
        shown = f'"{self.boundary}"' if _NEEDS_QUOTES.search(self.boundary) else self.boundary
        return f"multipart/form-data; boundary={shown}"

    def __len__(self) -> int:
        return self.content_length

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from _streamed(piece)

    def __bytes__(self) -> bytes:
        return b"".join(self)


def _streamed(part: FilePart) -> Iterator[bytes]:
    left = part.length or 0
    for piece in part.content:  # type: ignore[union-attr]
        left -= len(piece)
        if left < 0:
            break
        if piece:
            yield piece
    if left:
        raise LocalProtocolError(f"the content of {part.filename!r} gives {'more' if left < 0 else 'fewer'} "
                                 f"bytes than the {part.length} that it was said to have")


def _escaped(name: str) -> str:
    return _TO_ESCAPE.sub(lambda match: f"%{ord(match[0]):02X}", name)


def _in_memory(content: Buffer | Iterable[bytes]) -> bytes | None:
    """`content` as bytes, without a copy where it is bytes already; None where it is an iterable."""
    if isinstance(content, bytes):
        return content
    try:
        return bytes(memoryview(content))  # type: ignore[arg-type]
    except TypeError:
        return None


def encode_multipart(fields: Iterable[tuple[str, str] | FilePart], *, boundary: str | None = None) -> MultipartBody:
    """Encode a form; the parts keep their order.

    Parameters
    ----------
    fields : iterable of (name, value) or FilePart
        A name may come again.
    boundary : str, optional
        1 to 70 characters of those that RFC 2046 allows. Without it, 128 random bits make one.

    Raises
    ------
    LocalProtocolError
        The boundary is not allowed, or stands in a content that is in memory; a name or type has no place in a
        header; a streamed file has no length.
    """
    if boundary is None:
        boundary, given = secrets.token_hex(16), False
    elif _BOUNDARY.fullmatch(boundary):
        given = True
    else:
        raise LocalProtocolError("boundary must be 1 to 70 of the characters that RFC 2046 allows")
    delimiter = boundary.encode("ascii")
    pieces: list[bytes | FilePart] = []
    pending: list[bytes] = []  # what joins into one piece until a file comes
    for field in fields:
        part = field if isinstance(field, FilePart) else None
        name, value = (part.name, part.content) if part else field  # type: ignore[misc]
        head = f'Content-Disposition: form-data; name="{_escaped(name)}"'
        if part:
            if _NOT_IN_HEADER.search(part.content_type):
                raise LocalProtocolError("content_type must not hold control characters")
            head += f'; filename="{_escaped(part.filename)}"\r\nContent-Type: {part.content_type}'
        try:
            content = value.encode() if isinstance(value, str) else _in_memory(value)
            pending += b"--", delimiter, b"\r\n", head.encode(), b"\r\n\r\n"
        except UnicodeEncodeError:
            raise LocalProtocolError(f"the form field {name!r} holds text that UTF-8 cannot carry") from None
        if content is None:
            if part is None or part.length is None or part.length < 0:
                raise LocalProtocolError(f"the content of {name!r} is an iterable and needs its length")
            pieces += b"".join(pending), part
            pending = []
        elif given and delimiter in content:
            raise LocalProtocolError(f"the boundary stands in the content of {name!r}")
        elif part:
            pieces += b"".join(pending), content
            pending = []
        else:
            pending.append(content)
        pending.append(b"\r\n")
    pending += b"--", delimiter, b"--\r\n"
    pieces.append(b"".join(pending))
    return MultipartBody(boundary, pieces)
