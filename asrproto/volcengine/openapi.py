"""Volcengine's row of the SigV4 family, and its signer for OpenAPI requests (hot-word tables, accounts, billing).

What differs from AWS is the data in `OPENAPI`: the key chain starts from the bare secret, the scope ends in
``request``, and the names begin with ``X-``. In the query form neither the body nor, by default, any header is signed,
and the parameters that are signed are listed. Sources: the vendor's signature document (6369/67269) and its Python SDK
(``volcengine.auth.SignerV4``), whose signatures are the known answers of the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest
from asrproto.http.canonical import EMPTY_SHA256, HeaderFilter, Scheme
from asrproto.http.signer import Credentials, Draft, RequestSigner, checked_expires

__all__ = ["OPENAPI", "OpenApiSigner"]

OPENAPI = Scheme(algorithm="HMAC-SHA256", key_prefix="", terminator="request", name_prefix="X-",
                 signable=re.compile(r"content-type|content-md5|host|x-.*"), presign_signable=re.compile(r"(?!)"),
                 presign_extras=("X-NotSignBody=",), lists_queries=True, drops_default_ports=True)
"""The constants of Volcengine's OpenAPI signature."""

_LEAST_SIGNED = frozenset({"host", "x-date"})


class OpenApiSigner(RequestSigner):
    """Signs requests to one Volcengine service in one region.

    Parameters
    ----------
    access_key_id, secret_access_key : str
        The secret as the console shows it; it is not base64 to be decoded, though it looks like it.
    service : str
        E.g. ``"speech_saas_prod"`` for hot-word tables.
    region : str
        E.g. ``"cn-north-1"``.
    session_token : str, optional
        Of temporary credentials.

    Notes
    -----
    As with `SigV4Signer`, a request is signed as it stands, and ``Host`` is derived from its URL if it has none.
    """

    def __init__(self, access_key_id: str, secret_access_key: str, *, service: str, region: str,
                 session_token: str | None = None) -> None:
        super().__init__(OPENAPI, Credentials(access_key_id, secret_access_key, session_token), service=service,
                         region=region, normalize_path=False, double_encode_path=False, sign_session_token=True)

    def sign(self, request: HttpRequest, *, at: datetime, signed_headers: Iterable[str] | None = None) -> HttpRequest:
        """Sign in the ``Authorization`` header.

        Parameters
        ----------
        request : HttpRequest
            What an earlier signature left in its headers is replaced.
        at : datetime
            Timezone-aware.
        signed_headers : iterable of str, optional
            Names of the headers to sign, at least ``host`` and ``x-date``. By default, as in the vendor's SDK:
            ``Content-Type``, ``Content-Md5``, ``Host`` and all that begin with ``X-``.

        Returns
        -------
        HttpRequest
            With ``X-Date``, ``X-Content-Sha256``, ``X-Security-Token`` (for temporary credentials) and
            ``Authorization`` at the end of its headers.
        """
        return self._signed_by_header(self._header(request, at, signed_headers), request)

    def presign(self, request: HttpRequest, *, at: datetime, expires: int | None = None,
                signed_headers: Iterable[str] = ()) -> HttpRequest:
        """Sign in the query; the body is not signed.

        Parameters
        ----------
        request : HttpRequest
            What an earlier presigning left in its query is replaced.
        at : datetime
            Timezone-aware.
        expires : int, optional
            Seconds for which the URL is good; the service takes 900 where nothing is said.
        signed_headers : iterable of str
            Names of headers to sign; by default none, as in the vendor's SDK.
        """
        return self._signed_by_query(self._query(request, at, expires, signed_headers), request)

    def canonical_request(self, request: HttpRequest, *, at: datetime, signed_headers: Iterable[str] | None = None,
                          presign: bool = False, expires: int | None = None) -> str:
        """The canonical request behind :meth:`sign`, or behind :meth:`presign`."""
        return self._draft(request, at, signed_headers, presign, expires).canonical

    def string_to_sign(self, request: HttpRequest, *, at: datetime, signed_headers: Iterable[str] | None = None,
                       presign: bool = False, expires: int | None = None) -> str:
        """The string to sign behind :meth:`sign`, or behind :meth:`presign`."""
        return self._draft(request, at, signed_headers, presign, expires).to_sign

    def _draft(self, request: HttpRequest, at: datetime, signed_headers: Iterable[str] | None, presign: bool,
               expires: int | None) -> Draft:
        if presign:
            return self._query(request, at, expires, signed_headers or ())
        return self._header(request, at, signed_headers)

    def _header(self, request: HttpRequest, at: datetime, signed_headers: Iterable[str] | None) -> Draft:
        if signed_headers is None:
            return self._header_draft(request, at, None, True, OPENAPI.signable.fullmatch)
        names = frozenset(name.lower() for name in signed_headers)
        if not names >= _LEAST_SIGNED:
            raise LocalProtocolError("signed_headers must name host and x-date at least")
        return _all_there(self._header_draft(request, at, None, True, names.__contains__), names)

    def _query(self, request: HttpRequest, at: datetime, expires: int | None, signed_headers: Iterable[str]) -> Draft:
        names = frozenset(name.lower() for name in signed_headers)
        signable: HeaderFilter = names.__contains__ if names else OPENAPI.presign_signable.fullmatch
        return _all_there(self._query_draft(request, at, None if expires is None else checked_expires(expires),
                                            EMPTY_SHA256, signable), names)


def _all_there(draft: Draft, names: frozenset[str]) -> Draft:
    missing = sorted(names.difference(draft.names.split(";")))
    if missing:
        raise LocalProtocolError(f"signed_headers names what the request does not have: {', '.join(missing)}")
    return draft
