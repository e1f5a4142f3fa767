"""Keep credentials out of text that people will read."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """`text` with each of `secrets` replaced by ``***``, percent-encoded spellings of it too.

    Secrets shorter than four characters are left alone: they would tear words apart and protect nothing.
    """
    for secret in sorted({secret for secret in secrets if secret and len(secret) >= 4}, key=len, reverse=True):
        for spelling in (secret, quote(secret, safe=""), quote(secret)):
            text = text.replace(spelling, HIDDEN)
    return text
