"""Forms as a server reads them: ``application/x-www-form-urlencoded`` and ``multipart/form-data``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from asrproto.http import HttpRequest

__all__ = ["Field", "read_form"]

_BOUNDARY = re.compile(r'boundary=(?:"([^"]*)"|([^;,\s]+))')
_PARAMETER = re.compile(r';\s*(name|filename)="([^"]*)"')


class Field(NamedTuple):
    """One field of a form; `filename` is None unless it is a file."""

    name: str
    content: bytes
    filename: str | None = None

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


def read_form(request: HttpRequest) -> list[Field]:
    """The fields in the body of `request`, in their order; a ValueError where it is no form."""
    content_type = request.header("Content-Type") or ""
    if content_type.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        return [Field(name, value.encode()) for name, value in pairs]
    boundary = _BOUNDARY.search(content_type) if content_type.startswith("multipart/form-data") else None
    if boundary is None:
        raise ValueError("the body is not a form")
    return list(_parts(request.body, f"\r\n--{boundary[1] or boundary[2]}".encode()))


def _parts(body: bytes, delimiter: bytes) -> Iterator[Field]:
    preamble, *parts = (b"\r\n" + body).split(delimiter)
    if preamble or not parts or not parts.pop().startswith(b"--"):
        raise ValueError("the form is not whole")
    for part in parts:
        head, parted, content = part.partition(b"\r\n\r\n")
        names = {name: unquote(value) for name, value in _PARAMETER.findall(head.decode("utf-8", "replace"))}
        if not parted or "name" not in names:
            raise ValueError("a part of the form has no name")
        yield Field(names["name"], content, names.get("filename"))
