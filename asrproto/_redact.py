"""Keep credentials out of text that people will read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

HIDDEN = "***"


class Discreet(msgspec.Struct, frozen=True):
    """The base of structs whose repr() leaves something out: pretty printers must not ask for all fields instead."""

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("", _Verbatim(repr(self).partition("(")[2].removesuffix(")")))]


class _Verbatim(str):
    """Text that is its own repr()."""

    __slots__ = ()
    __repr__ = str.__str__


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """`text` with each of `secrets` replaced by ``***``, percent-encoded spellings of it too.

    Secrets shorter than four characters are left alone: they would tear words apart and protect nothing.
    """
    for secret in sorted({secret for secret in secrets if secret and len(secret) >= 4}, key=len, reverse=True):
        for spelling in (secret, quote(secret, safe=""), quote(secret)):
            text = text.replace(spelling, HIDDEN)
    return text
