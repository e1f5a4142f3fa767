"""Refusals of OpenAI and of the servers that speak its interface, in whatever shape they come.

====================================================  ==============================================
``{"error": {message, type, param, code}}``           OpenAI, Groq, LocalAI
``{"error": "text", "code": "..."}``                  vLLM's realtime
``{object: "error", message, type, param, code}``     vLLM
``{"detail": "text" or [{loc, msg, type}]}``          speaches and others on FastAPI
``{code, message, data}`` or a text alone             SiliconFlow
an HTML page                                          whatever stands in between
====================================================  ==============================================
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from asrproto._json import read_json
from asrproto._redact import redact
from asrproto.errors import MalformedFrame, ServiceError
from asrproto.http.request import HeadersLike, find_header, header_pairs

__all__ = ["error_in", "parse_error"]

_MAX_MESSAGE = 1000  # characters kept of a service's words
_MAX_PAGE = 1 << 16  # bytes of an error page that are looked at
_RETRYABLE_STATUS = frozenset({408, 409, 429})
_RETRYABLE_TYPES = frozenset({"server_error", "rate_limit_error", "rate_limit_exceeded", "internal_error",
                              "internalservererror", "overloaded", "service_unavailable"})
_NEVER_RETRYABLE = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_TITLE = re.compile(r"<title[^<>]*>([^<]*)</title", re.I)
_TAG = re.compile(r"<[^<>]*>")


def parse_error(status: int, body: bytes | str = b"", *, headers: HeadersLike = (),
                secrets: Iterable[str | None] = ()) -> ServiceError:
    """What a refusal says.

    Parameters
    ----------
    status : int
        The HTTP status.
    body : bytes or str
        Of the response, in any of the shapes above or none of them.
    headers : mapping or pairs, optional
        ``x-request-id`` gives the error's `request_id`; ``x-should-retry`` overrides what the status says about
        another attempt, as it does in the openai client.
    secrets : iterable of str, optional
        Credentials that the service may echo.

    Returns
    -------
    ServiceError
        To be raised. Its code is the service's own code, else its type, else the status.
    """
    pairs = header_pairs(headers)
    request_id = find_header(pairs, "x-request-id")
    retry = {"true": True, "false": False}.get((find_header(pairs, "x-should-retry") or "").lower())
    try:
        document = read_json(body)
    except MalformedFrame:
        document = _page_text(body)
    return error_in(document, status=status, request_id=request_id, retryable=retry, secrets=secrets)


def error_in(document: Any, *, status: int | None = None, request_id: str | None = None,
             retryable: bool | None = None, secrets: Iterable[str | None] = ()) -> ServiceError:
    """The refusal in a JSON document (or a text)."""
    outer = document if isinstance(document, Mapping) else {}
    inner = outer.get("error")
    error: Mapping[str, Any] = inner if isinstance(inner, Mapping) else outer
    message = _text(inner if isinstance(inner, str) else
                    next((error[key] for key in ("message", "detail", "msg") if error.get(key)), None))
    if not message and not outer:
        message = _text(document)
    kind = _text(error.get("type"))
    code = _text(error.get("code"))
    if code and code == str(status):  # vLLM and LocalAI repeat the status there
        code = kind
    if retryable is None:
        names = {code.lower(), kind.lower()}
        by_status = status is not None and (status in _RETRYABLE_STATUS or status >= 500)
        retryable = not names & _NEVER_RETRYABLE and (by_status or bool(names & _RETRYABLE_TYPES))
    # redacted before it is cut: half a secret would not be known as one
    return ServiceError(redact(message, secrets)[:_MAX_MESSAGE], retryable=retryable, request_id=request_id,
                        code=redact(code or kind, secrets) or str(status or "error"))


def _text(value: Any, depth: int = 3) -> str:
    """A scalar as text; FastAPI's complaints one after the other; nothing of what is nested deeper than they are."""
    if isinstance(value, bool) or value is None or not depth:
        return ""
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, list):
        return "; ".join(filter(None, (_text(item, depth - 1) for item in value[:20])))
    if isinstance(value, Mapping):
        place = value.get("loc")
        words = _text(value.get("msg") or value.get("message"), depth - 1)
        return f"{'.'.join(map(str, place))}: {words}" if isinstance(place, list) and words else words
    return ""


def _page_text(body: bytes | str) -> str:
    """What a person would read of a body that is not JSON: a page's title, else its text."""
    page = body[:_MAX_PAGE]
    text = page if isinstance(page, str) else bytes(page).decode("utf-8", "replace")
    title = _TITLE.search(text)
    words = title[1] if title and title[1].strip() else _TAG.sub(" ", text)
    return " ".join(html.unescape(words).split())
