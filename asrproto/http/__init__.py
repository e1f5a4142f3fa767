"""What services have in common on HTTP; nothing in here knows a service."""

from asrproto.http.multipart import FilePart, MultipartBody, encode_multipart
from asrproto.http.request import HttpRequest, HttpResponse
from asrproto.http.sse import ServerSentEvent, SSEDecoder

__all__ = [
    "FilePart",
    "HttpRequest",
    "HttpResponse",
    "MultipartBody",
    "SSEDecoder",
    "ServerSentEvent",
    "encode_multipart",
]
