"""AWS's row of the SigV4 family, and its signer for requests and presigned URLs."""

from __future__ import annotations

import re
from datetime import datetime

from asrproto.http import HttpRequest
from asrproto.http.canonical import Scheme
from asrproto.http.signer import Credentials, RequestSigner, checked_expires

__all__ = ["AWS4", "STREAMING_EVENTS", "UNSIGNED_PAYLOAD", "SigV4Signer"]

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
"""Stands in place of the payload hash where a service (S3, mostly) accepts an unsigned body."""

STREAMING_EVENTS = "STREAMING-AWS4-HMAC-SHA256-EVENTS"
"""Stands in place of the payload hash where every event of the body is signed on its own, see `EventSigner`."""

# Headers that proxies, HTTP libraries and WebSocket handshakes add or change on the way.
_UNSIGNED = (r"authorization|user-agent|connection|upgrade|sec-websocket-.*|transfer-encoding|expect"
             r"|x-amzn-trace-id")
_SIGNABLE = re.compile(rf"(?!(?:{_UNSIGNED})$).*")

AWS4 = Scheme(algorithm="AWS4-HMAC-SHA256", key_prefix="AWS4", terminator="aws4_request", name_prefix="X-Amz-",
              signable=_SIGNABLE, presign_signable=_SIGNABLE)
"""The constants of AWS Signature Version 4."""


class SigV4Signer(RequestSigner):
    """Signs requests to one AWS service in one region.

    Parameters
    ----------
    credentials : Credentials
    service : str
        The service's signing name, e.g. ``"transcribe"``.
    region : str
        E.g. ``"eu-west-1"``.
    normalize_path : bool
        Collapse ``.``, ``..`` and ``//`` in the path that is signed. False for S3.
    double_encode_path : bool
        Encode the path that is signed once more than it goes on the wire. False for S3.
    sign_session_token : bool
        False for the services that want the session token appended after signing.

    Notes
    -----
    A request is signed as it stands: its URL is taken to be what goes on the wire, so give it percent-encoded. ``Host``
    is signed as the request has it, or else as HTTP clients derive it from the URL (lower case, no default port); it is
    not added, since clients add it themselves. The signing key is derived once a day.

    Every method raises LocalProtocolError for a naive `at`, a URL that is not absolute or text without a UTF-8 form.
    """

    def __init__(self, credentials: Credentials, *, service: str, region: str, normalize_path: bool = True,
                 double_encode_path: bool = True, sign_session_token: bool = True) -> None:
        super().__init__(AWS4, credentials, service=service, region=region, normalize_path=normalize_path,
                         double_encode_path=double_encode_path, sign_session_token=sign_session_token)

    def sign(self, request: HttpRequest, *, at: datetime, payload_hash: str | None = None,
             content_sha256_header: bool = False) -> HttpRequest:
        """Sign in the ``Authorization`` header.

        Parameters
        ----------
        request : HttpRequest
            An ``Authorization``, ``X-Amz-Date`` or ``X-Amz-Security-Token`` of an earlier signature is replaced.
        at : datetime
            Timezone-aware.
        payload_hash : str, optional
            In place of the SHA-256 of ``request.body``: its hex digest if known, `UNSIGNED_PAYLOAD` or
            `STREAMING_EVENTS`. A header ``X-Amz-Content-Sha256`` in the request counts as given, unless it is the
            digest of another body.
        content_sha256_header : bool
            Add the payload hash as header ``X-Amz-Content-Sha256``.

        Returns
        -------
        HttpRequest
            With ``X-Amz-Date``, ``X-Amz-Security-Token`` (for temporary credentials) and ``Authorization`` at the end
            of its headers.
        """
        draft = self._header_draft(request, at, payload_hash, content_sha256_header, AWS4.signable.fullmatch)
        return self._signed_by_header(draft, request)

    def presign(self, request: HttpRequest, *, at: datetime, expires: int,
                payload_hash: str | None = None) -> HttpRequest:
        """Sign in the query, so that the URL alone is enough until it expires.

        Parameters
        ----------
        request : HttpRequest
            Its headers, but for those that are never signed, are signed and have to be sent as they are. What an
            earlier presigning left in the query is replaced.
        at : datetime
            Timezone-aware.
        expires : int
            Seconds from `at` for which the URL is good: 1 to 604800, to 300 for Amazon Transcribe.
        payload_hash : str, optional
            In place of the SHA-256 of ``request.body``. S3 wants `UNSIGNED_PAYLOAD`.

        Returns
        -------
        HttpRequest
            Its query is in canonical form and order; ``X-Amz-Signature`` is last, but for a session token that is not
            to be signed.
        """
        draft = self._query_draft(request, at, checked_expires(expires), payload_hash,
                                  AWS4.presign_signable.fullmatch)
        return self._signed_by_query(draft, request)

    def canonical_request(self, request: HttpRequest, *, at: datetime, expires: int | None = None,
                          payload_hash: str | None = None, content_sha256_header: bool = False) -> str:
        """The canonical request behind :meth:`sign`, or behind :meth:`presign` where `expires` is given.

        Services put theirs into the answer to a signature that does not match; the first line that differs is why.
        It holds the session token, if there is one.
        """
        return self._draft(request, at, expires, payload_hash, content_sha256_header)[0]

    def string_to_sign(self, request: HttpRequest, *, at: datetime, expires: int | None = None,
                       payload_hash: str | None = None, content_sha256_header: bool = False) -> str:
        """The string to sign behind :meth:`sign`, or behind :meth:`presign` where `expires` is given."""
        return self._draft(request, at, expires, payload_hash, content_sha256_header)[1]

    def _draft(self, request: HttpRequest, at: datetime, expires: int | None, payload_hash: str | None,
               content_sha256_header: bool) -> tuple[str, str]:
        if expires is None:
            draft = self._header_draft(request, at, payload_hash, content_sha256_header, AWS4.signable.fullmatch)
        else:
            draft = self._query_draft(request, at, checked_expires(expires), payload_hash,
                                      AWS4.presign_signable.fullmatch)
        return draft.canonical, draft.to_sign
