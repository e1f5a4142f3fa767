"""How Volcengine's services are signed: OpenAPI requests, and the older speech interfaces (one HMAC-SHA256 each).

HMAC256 authorisation of ``api/v2/asr``: the MAC covers the request line, chosen headers and the first message::

    GET /api/v2/asr HTTP/1.1\\n
    <header>\\n                    as often as headers are signed
    <bytes of the first frame>

The vendor's documentation and its demo differ in what ``<header>`` is: ``Name: value`` in the documented example, the
value alone in the demo; and the example leaves out the ``=`` at the end of the base64 text. Both forms are here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from asrproto.errors import LocalProtocolError
from asrproto.http.request import HeadersLike, header_pairs
from asrproto.volcengine.credentials import checked_token
from asrproto.volcengine.openapi import OpenApiSigner

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "LEGACY_STREAM_URL",
    "OpenApiSigner",
    "hmac256_authorization",
    "hmac256_string_to_sign",
    "legacy_stream_signature",
    "legacy_stream_start",
    "legacy_stream_string_to_sign",
    "legacy_stream_url",
]

LEGACY_STREAM_URL = "wss://openspeech.bytedance.com/api/v1/asr/stream"


def hmac256_authorization(*, access_token: str, secret_key: str, path: str, body: Buffer,
                          headers: HeadersLike = (("Custom", "auth_custom"),),
                          method: str = "GET", form: Literal["demo", "documented"] = "demo") -> str:
    """The value of the ``Authorization`` header that signs a conversation with ``api/v2/asr``.

    Parameters
    ----------
    access_token, secret_key : str
    path : str
        Of the URL, with its query if it has one.
    body : bytes-like
        The first message that will be sent, to the byte.
    headers : mapping or sequence of (name, value)
        The headers to sign; the request must carry them too.
    method : str
    form : {"demo", "documented"}
        Whether a header is signed as its value alone and the MAC keeps its padding (the vendor's demo), or as
        ``Name: value`` and without padding (the example in the vendor's documentation).
    """
    pairs = header_pairs(headers)
    text = hmac256_string_to_sign(path=path, body=body, headers=pairs, method=method, form=form)
    mac = base64.urlsafe_b64encode(hmac.new(secret_key.encode(), text, hashlib.sha256).digest()).decode()
    if form == "documented":
        mac = mac.rstrip("=")
    return f'HMAC256; access_token="{access_token}"; mac="{mac}"; h="{",".join(name for name, _ in pairs)}"'


def hmac256_string_to_sign(*, path: str, body: Buffer, headers: HeadersLike = (("Custom", "auth_custom"),),
                           method: str = "GET", form: Literal["demo", "documented"] = "demo") -> bytes:
    """What the MAC of `hmac256_authorization` covers; the parameters are the same."""
    if form not in ("demo", "documented"):
        raise LocalProtocolError(f"form must be 'demo' or 'documented', not {form!r}")
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [value if form == "demo" else f"{name}: {value}" for name, value in header_pairs(headers)]
    return "".join(f"{line}\n" for line in lines).encode() + bytes(memoryview(body))


def legacy_stream_string_to_sign(appkey: str, timestamp: int | str) -> str:
    """What the signature in the URL of the oldest interface covers."""
    return f"appkey={appkey}&timestamp={timestamp}"


def legacy_stream_signature(secret_key: str, appkey: str, timestamp: int | str) -> str:
    """The signature in the URL of the oldest interface: HMAC-SHA256 in lower-case hexadecimal.

    No page of the vendor describes this interface; the rule is that of a circulating client script.

    Parameters
    ----------
    secret_key, appkey : str
    timestamp : int or str
        Whole seconds since 1970.
    """
    text = legacy_stream_string_to_sign(appkey, timestamp)
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def legacy_stream_url(*, access_key: str, secret_key: str, appkey: str, resource_id: str, timestamp: int | str,
                      url: str = LEGACY_STREAM_URL) -> str:
    """The signed URL of the oldest interface, see `legacy_stream_signature`."""
    checked_token("access_key", access_key)
    checked_token("appkey", appkey)
    checked_token("resource_id", resource_id)
    query = {"access_key": access_key, "appkey": appkey, "resource_id": resource_id, "timestamp": str(timestamp),
             "signature": legacy_stream_signature(secret_key, appkey, timestamp)}
    return url + "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())


def legacy_stream_start(*, format: str = "pcm", sample_rate: int = 16000, channels: int = 1,
                        language: str = "zh-CN") -> str:
    """The text message that opens a conversation on the oldest interface; binary audio follows it."""
    return json.dumps({"type": "START", "format": format, "sample_rate": sample_rate, "channels": channels,
                       "language": language})
