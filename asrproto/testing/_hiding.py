"""Take credentials out of what is recorded, so that it can be kept, shown and sent to others.

What the handshake shows of them is learnt, and hidden from then on wherever it comes back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import parse_qsl

from asrproto._redact import redact
from asrproto.aws.eventstream import Message
from asrproto.errors import RemoteProtocolError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.http.request import HeaderPairs, hide_in_headers, hide_in_query, is_secret_name
from asrproto.volcengine.frames import decode_frame, encode_frame

__all__ = ["Hider"]

# Authorization: "Bearer xyz", 'HMAC256; access_token="xyz"; mac="..."', "AWS4-HMAC-SHA256 Credential=ID/..., ..."
_PARAMETER = re.compile(r'([A-Za-z_]+)="?([^",;\s]+)')
_ACCOUNT = "credential"  # holds the id of the account, and its scope


def _secrets_in(name: str, value: str) -> Iterator[str]:
    """What of a header field or parameter must not show again."""
    if name.lower().endswith(_ACCOUNT):
        yield value.partition("/")[0]
    elif name.lower() == "authorization":
        scheme, _, rest = value.partition(" ")
        parameters = _PARAMETER.findall(rest)
        if scheme.rstrip(";").lower() in ("bearer", "basic") or not parameters:
            yield rest or scheme
        for parameter, text in parameters:
            if is_secret_name(parameter) or parameter.lower() == _ACCOUNT:
                yield from _secrets_in(parameter, text)
    elif is_secret_name(name):
        yield value


class Hider:
    """Knows secrets, learns those of a handshake, and gives back what it is shown without them.

    Parameters
    ----------
    secrets : iterable of str
        Those known from the beginning.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._learn(secrets)

    def _learn(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            self._secrets |= {secret, json.dumps(secret)[1:-1]}

    def request(self, request: HttpRequest) -> HttpRequest:
        """The client's handshake, whose secrets are learnt."""
        parameters = parse_qsl(request.url.partition("?")[2].partition("#")[0])
        for name, value in (*parameters, *request.headers):
            self._learn(_secrets_in(name, value))
        return HttpRequest(request.method, self.text(hide_in_query(request.url)), self._headers(request.headers),
                           self.binary(request.body))

    def response(self, response: HttpResponse) -> HttpResponse:
        """The service's answer to it."""
        return HttpResponse(response.status, self._headers(response.headers), self.binary(response.body))

    def _headers(self, headers: HeaderPairs) -> HeaderPairs:
        return tuple((name, self.text(value)) for name, value in hide_in_headers(headers))

    def text(self, text: str) -> str:
        """`text` without secrets."""
        return redact(text, self._secrets)

    def binary(self, data: bytes) -> bytes:
        """`data` without secrets: a frame of a service that has checksums or packs is made anew, others are edited.

        It is given back as it is where there are no secrets in it.
        """
        for rebuilt in (self._volcengine, self._event_stream):
            with suppress(RemoteProtocolError):
                return rebuilt(data)
        return self._plain(data)

    def _plain(self, data: bytes) -> bytes:
        # Latin-1 has one character for each byte.
        return redact(data.decode("latin-1"), (secret.encode().decode("latin-1") for secret in self._secrets)
                      ).encode("latin-1")

    def _volcengine(self, data: bytes) -> bytes:
        frame = decode_frame(data)
        payload = self._plain(frame.payload)
        return data if payload == frame.payload else encode_frame(frame.with_payload(payload))

    def _event_stream(self, data: bytes) -> bytes:
        message = Message.decode(data)
        if self._plain(data) == data:
            return data
        headers = {name: self.text(value) if isinstance(value, str) else value
                   for name, value in message.headers.items()}
        return Message(headers, self.binary(message.payload)).encode()
