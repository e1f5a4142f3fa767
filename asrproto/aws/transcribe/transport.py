"""The two ways to Transcribe: what opens the connection, and how frames go over it.

On a WebSocket the URL is presigned and carries the options in its query; each message is one event-stream frame, plain,
or signed where that is wanted. On HTTP/2 the opening POST is signed in its headers, which carry the options; the body
is a stream of signed frames and must end with a signed empty one.

A frame is signed by wrapping it (`asrproto.aws.sigv4.EventSigner`); the first signature rests on that of the opening
request.

Source: "Setting up a WebSocket stream" and "Setting up an HTTP/2 stream" in the Amazon Transcribe developer guide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from asrproto.aws.sigv4 import STREAMING_EVENTS, SigV4Signer
from asrproto.aws.transcribe.options import HEADER_PREFIX
from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest
from asrproto.session import Clock

__all__ = ["TRANSPORTS", "Transport"]

SERVICE = "transcribe"
CONTENT_TYPE = "application/vnd.amazon.eventstream"
MAX_EXPIRES = 300
ORIGIN = re.compile(r"(?P<origin>(?P<scheme>[a-z]+)://(?:[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?)/?")
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")


class Transport(NamedTuple):
    """What differs between the transports, beside the request itself."""

    scheme: str
    schemes: tuple[str, ...]  # that an endpoint may have; the second is for fakes, without TLS
    port: str
    path_suffix: str
    accepted: int  # the HTTP status that opens it
    signs_frames: bool  # always


TRANSPORTS = {
    "websocket": Transport("wss", ("wss", "ws"), ":8443", "-websocket", 101, False),
    "http2": Transport("https", ("https", "http"), "", "", 200, True),
}


def base_url(transport: str, region: str, path: str, endpoint: str | None) -> str:
    """The URL of an operation, without its query.

    `endpoint` replaces scheme and host: ``"host"``, ``"host:port"`` or ``"scheme://host:port"``.
    """
    if not isinstance(region, str) or not REGION.fullmatch(region):
        raise LocalProtocolError(f"region must be one such as 'us-east-1', not {region!r}")
    kind = TRANSPORTS[transport]
    if endpoint is None:
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        endpoint = f"transcribestreaming.{region}.{domain}{kind.port}"
    host = f"{kind.scheme}://{endpoint}" if isinstance(endpoint, str) and "://" not in endpoint else endpoint
    match = ORIGIN.fullmatch(host) if isinstance(host, str) else None
    if not match or match["scheme"] not in kind.schemes or not 1 <= int(match["port"] or 1) <= 65535:
        raise LocalProtocolError(f"endpoint must be a host, or {kind.scheme}://host:port, without a path, "
                                 f"not {endpoint!r}")
    return f"{match['origin']}{path}{kind.path_suffix}"


def websocket_request(signer: SigV4Signer, url: str, parameters: Sequence[tuple[str, str]], clock: Clock,
                      expires: int) -> HttpRequest:
    """The presigned handshake."""
    query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in parameters)
    return signer.presign(HttpRequest("GET", f"{url}?{query}"), at=clock(), expires=expires)


def http2_request(signer: SigV4Signer, url: str, parameters: Sequence[tuple[str, str]], clock: Clock) -> HttpRequest:
    """The signed POST; its body is what the session gives from then on. Names are in lower case, as HTTP/2 has them."""
    headers = [("content-type", CONTENT_TYPE), *((HEADER_PREFIX + name, value) for name, value in parameters)]
    request = signer.sign(HttpRequest("POST", url, headers), at=clock(), payload_hash=STREAMING_EVENTS,
                          content_sha256_header=True)
    return HttpRequest(request.method, request.url, [(name.lower(), value) for name, value in request.headers])
