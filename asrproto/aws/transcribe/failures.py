"""The service's refusals as `ServiceError`: its own words, and the advice that a user needs.

It refuses in three ways: the handshake gets an HTTP error, with JSON, XML or nothing in it; a message of the type
``exception`` carries its name in ``:exception-type`` and JSON (``{"Message": ...}``); one of the type ``error`` carries
``:error-code`` and ``:error-message``. The tables below say which refusals may pass and what to do about the usual
ones; they were gathered from the API Reference and from what users of the SDKs report.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from html import unescape
from typing import TYPE_CHECKING

from asrproto._json import read_json
from asrproto._redact import redact
from asrproto.aws.eventstream import Message
from asrproto.aws.sigv4 import Credentials
from asrproto.errors import MalformedFrame, ServiceError
from asrproto.http.request import HeadersLike, find_header, header_pairs

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["EXCEPTIONS", "connection_lost", "handshake_error", "message_error"]

EXCEPTIONS = {
    "BadRequestException": 400,
    "ConflictException": 409,
    "LimitExceededException": 429,
    "InternalFailureException": 500,
    "ServiceUnavailableException": 503,
    "UnrecognizedClientException": 403,
}
"""The exceptions of a stream and the HTTP status that the API gives each."""

RETRYABLE_CODES = frozenset({
    "LimitExceededException", "InternalFailureException", "ServiceUnavailableException", "ThrottlingException",
    "InternalServerException", "RequestTimeout", "ConnectionLost",
})
RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})

CLOCK = ("This machine's clock is wrong, or the request was signed long before it was sent: a presigned URL is good "
         "for at most 5 minutes, and so is a signed frame. Set the clock (NTP) and ask handshake() for a new URL just "
         "before connecting.")
SCOPE = ("The request was signed for another region or service than the one it was sent to: give the session the "
         "region of the endpoint.")
KEYS = ("The service does not know the credentials: check that access key and secret belong together, that temporary "
        "ones come with their session_token and have not expired, and that they are for this partition (aws, aws-cn).")
AUDIO = ("What was sent is not what media_encoding and sample_rate say: pcm is raw signed 16-bit little-endian samples "
         "without a WAV header; ogg-opus and flac are whole containers from their first byte.")

# What the code and message of a refusal hold, and what to do then; the first that fits.
ADVICE: tuple[tuple[re.Pattern[str], str], ...] = tuple((re.compile(pattern, re.I), advice) for pattern, advice in (
    (r"Unexpected WebSocket frame",
     "The service takes binary messages in event-stream encoding and got text, such as JSON or base64. Send what "
     "start(), send_audio() and end_audio() return as it is: bytes as binary WebSocket messages."),
    (r"signature expired|not yet current|request has expired|request.?expired|too skewed|RequestTimeTooSkewed", CLOCK),
    (r"scoped to (a valid region|correct service)|credential scope", SCOPE),
    (r"no new audio was received|15 seconds",
     "The service ends a stream after 15 s without audio. While there is nothing to hear, go on sending silence "
     "(zeros), and call end_audio() when the audio is over."),
    (r"complete signal was sent without the preceding empty frame",
     "An HTTP/2 stream has to end with a signed empty frame: send all that end_audio() returns before closing it."),
    (r"stream is too big|frame size|chunk size",
     "An audio event may hold at most one second of audio, and is best between 50 and 200 ms: see chunk_ms."),
    (r"could not decode|couldn't decode|audio stream that you provided|media.?encoding|sample.?rate", AUDIO),
    (r"LimitExceeded|Throttling|too many|rate exceeded|concurrent",
     "Too many streams at once, started too quickly, or one longer than 4 hours. Wait for streams to end and try "
     "again with growing pauses; the quota of concurrent streams can be raised in the Service Quotas console."),
    (r"ConflictException", "Another stream was started with the same session_id, which ended this one."),
    (r"signature we calculated does not match|SignatureDoesNotMatch",
     "The secret key is wrong, or the request was changed after it was signed: open the URL exactly as handshake() "
     "gives it, :8443 included, and let no proxy or library rewrite its query or Host."),
    (r"AccessDenied|not authorized|is not authorised",
     "The credentials lack a permission: a WebSocket needs transcribe:StartStreamTranscriptionWebSocket, HTTP/2 "
     "transcribe:StartStreamTranscription, and the other operations those of their own names."),
    (r"security token|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|MissingAuthenticationToken", KEYS),
))
ADVICE_BY_STATUS = {
    403: ("The signature or the credentials were not accepted. Check the keys (temporary ones need their "
          "session_token), the clock and the region, and open the URL exactly as handshake() gives it."),
    404: "There is no such path at this endpoint: does the region offer this operation?",
}


def message_error(message: Message, credentials: Credentials | None = None,
                  request_id: str | None = None) -> ServiceError:
    """What a message of the type ``exception`` or ``error`` says."""
    headers = message.headers
    if headers.get(":message-type") == "error":
        return _error(str(headers.get(":error-code", "UnknownError")), str(headers.get(":error-message", "")),
                      credentials, request_id)
    code = headers.get(":exception-type") or headers.get(":event-type") or "UnknownException"
    return _error(str(code), _message_in(message.payload)[1], credentials, request_id)


def handshake_error(status: int, headers: HeadersLike = (), body: Buffer = b"", *,
                    credentials: Credentials | None = None) -> ServiceError:
    """What an HTTP answer other than 101 (WebSocket) or 200 (HTTP/2) says.

    Parameters
    ----------
    status : int
    headers : mapping or sequence of pairs
    body : bytes-like
        JSON, XML or plain text; may be empty.
    credentials : Credentials, optional
        Will not show in the message even if the service echoes them.
    """
    pairs = header_pairs(headers)
    code, text = _message_in(bytes(body))
    code = (find_header(pairs, "x-amzn-errortype") or code).partition(":")[0].rpartition("#")[2] or str(status)
    return _error(code, text or f"the handshake was refused with HTTP status {status}", credentials,
                  request_id_in(headers), status)


def connection_lost(request_id: str | None) -> ServiceError:
    """What it means that the connection closed before its time."""
    return ServiceError(
        "the connection closed before the transcript was complete", code="ConnectionLost", retryable=True,
        request_id=request_id,
        advice="The service closes a stream that gets no audio for 15 s, and one that it has "
               "refused; the network may have failed as well.")


def request_id_in(headers: HeadersLike) -> str | None:
    """The id that AWS support asks for."""
    pairs = header_pairs(headers)
    return find_header(pairs, "x-amzn-request-id") or find_header(pairs, "x-amzn-requestid")


def _error(code: str, text: str, credentials: Credentials | None, request_id: str | None,
           status: int = 0) -> ServiceError:
    secrets: Iterable[str | None] = () if credentials is None else (
        credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    advice = next((advice for pattern, advice in ADVICE if pattern.search(f"{code} {text}")),
                  ADVICE_BY_STATUS.get(status))
    return ServiceError(redact(text, secrets)[:_LONGEST], code=redact(code, secrets), request_id=request_id,
                        advice=advice, retryable=code in RETRYABLE_CODES or status in RETRYABLE_STATUSES)


_XML = re.compile(r"<(Code|Message)>([^<]*)</\1>", re.I)
_LONGEST = 4000  # characters of a message; that of a signature holds a canonical request


def _message_in(body: bytes) -> tuple[str, str]:
    """The error code and message in `body`, each empty where there is none."""
    with contextlib.suppress(MalformedFrame):
        document = read_json(body)
        if isinstance(document, dict):
            fields = {str(name).lower(): value for name, value in document.items() if isinstance(value, str)}
            return fields.get("__type") or fields.get("code") or "", fields.get("message", "")
    text = body.decode("utf-8", "replace").strip()
    if found := {name.lower(): unescape(value.strip()) for name, value in _XML.findall(text)}:
        return found.get("code", ""), found.get("message", "")
    return "", text
