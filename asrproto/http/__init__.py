"""What services have in common on HTTP; nothing in here knows a service."""

from asrproto.http.request import HttpRequest, HttpResponse

__all__ = ["HttpRequest", "HttpResponse"]
