"""Requests and responses as plain immutable values.

They are what signers sign, what sessions hand to a WebSocket library for its handshake, and what fake services read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

import msgspec

from asrproto._redact import HIDDEN, Discreet

__all__ = ["HeaderPairs", "HttpRequest", "HttpResponse"]

HeaderPairs = tuple[tuple[str, str], ...]
HeadersLike = Mapping[str, str] | Iterable[tuple[str, str]]

# Names of header fields and query parameters whose values nobody must be shown.
_SECRET_NAME = re.compile(r"authorization|token|secret|signature|sign$|(api|access|app)[-_]?key|cookie|password", re.I)
_QUERY_PAIR = re.compile(r"([?&])([^=&#]*)=([^&#]*)")


def header_pairs(headers: HeadersLike) -> HeaderPairs:
    """Any usual spelling of headers as a tuple of pairs; order and repeats are kept."""
    if isinstance(headers, Mapping):
        return tuple(cast("Mapping[str, str]", headers).items())
    return tuple((name, value) for name, value in headers)


def find_header(headers: HeaderPairs, name: str) -> str | None:
    """The first value of the header field `name`, whatever its case."""
    wanted = name.lower()
    for candidate, value in headers:
        if candidate.lower() == wanted:
            return value
    return None


def is_secret_name(name: str) -> bool:
    """Whether a header field or query parameter of this name holds a credential."""
    return _SECRET_NAME.search(name) is not None


def hide_in_query(url: str) -> str:
    """`url` with the values of all secret parameters replaced."""
    def shown(pair: re.Match[str]) -> str:
        mark, name, value = pair.groups()
        return f"{mark}{name}={HIDDEN if is_secret_name(name) else value}"

    return _QUERY_PAIR.sub(shown, url)


def hide_in_headers(headers: HeaderPairs) -> HeaderPairs:
    """`headers` with the values of all secret fields replaced."""
    return tuple((name, HIDDEN if is_secret_name(name) else value) for name, value in headers)


class HttpRequest(Discreet, frozen=True):
    """One HTTP request, or the handshake of a WebSocket (``GET`` on a ``wss://`` URL).

    Parameters
    ----------
    method : str
        ``"GET"``, ``"POST"``, ...
    url : str
        The whole URL, percent-encoded as it goes on the wire.
    headers : sequence of (name, value) or mapping
        Kept as a tuple of pairs: order and repeats survive.
    body : bytes
    """

    method: str
    url: str
    headers: HeaderPairs = ()
    body: bytes = b""

    if TYPE_CHECKING:
        def __init__(self, method: str, url: str, headers: HeadersLike = (), body: bytes = b"") -> None: ...

    def __post_init__(self) -> None:
        if type(self.headers) is not tuple:
            msgspec.structs.force_setattr(self, "headers", header_pairs(self.headers))

    def header(self, name: str) -> str | None:
        """The first value of the header field `name`, whatever its case; None where there is none."""
        return find_header(self.headers, name)

    def __repr__(self) -> str:
        return (f"HttpRequest({self.method!r}, {hide_in_query(self.url)!r}, headers={hide_in_headers(self.headers)!r}, "
                f"body=<{len(self.body)} bytes>)")


class HttpResponse(Discreet, frozen=True):
    """One HTTP response; what a fake service answers with."""

    status: int
    headers: HeaderPairs = ()
    body: bytes = b""

    if TYPE_CHECKING:
        def __init__(self, status: int, headers: HeadersLike = (), body: bytes = b"") -> None: ...

    def __post_init__(self) -> None:
        if type(self.headers) is not tuple:
            msgspec.structs.force_setattr(self, "headers", header_pairs(self.headers))

    def header(self, name: str) -> str | None:
        """The first value of the header field `name`, whatever its case; None where there is none."""
        return find_header(self.headers, name)

    def __repr__(self) -> str:
        return f"HttpResponse({self.status}, headers={hide_in_headers(self.headers)!r}, body=<{len(self.body)} bytes>)"
