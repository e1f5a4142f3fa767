"""Sign requests by any :class:`~asrproto.http.canonical.Scheme` of the SigV4 family, in a header or in the query.

A service's signer is a subclass that names its scheme and its options; the work is done here, once.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import msgspec

from asrproto._redact import HIDDEN, Discreet
from asrproto.errors import LocalProtocolError
from asrproto.http.canonical import (
    EMPTY_SHA256,
    HeaderFilter,
    Scheme,
    SigningKey,
    Url,
    canonical_headers,
    canonical_path,
    canonical_query,
    canonical_request,
    derive_key,
    percent_encode,
    query_parameters,
    scope,
    split_url,
    string_to_sign,
    timestamp,
)
from asrproto.http.request import HttpRequest

__all__ = ["MAX_EXPIRES", "Credentials", "RequestSigner", "checked_expires", "is_word", "signature_of"]

MAX_EXPIRES = 604800
"""Seconds that a presigned URL may live at most: a week."""

_DAYS_KEPT = 4

_signature = re.compile(r"(?:\bSignature=|[?&]X-(?:Amz-)?Signature=)([0-9a-f]{64})\b").search
_digest = re.compile(r"[0-9a-fA-F]{64}").fullmatch
_word = re.compile(r"[!-.0-~]+").fullmatch
_default_port = re.compile(r":(?:80|443)\s*$")


class Credentials(Discreet, frozen=True):
    """An access key, its secret and, for temporary ones, the session token; what is secret shows in no text.

    Parameters
    ----------
    access_key_id : str
    secret_access_key : str
    session_token : str, optional
        An empty one counts as none, as in the environment variable ``AWS_SESSION_TOKEN``.

    Raises
    ------
    LocalProtocolError
        A part is empty, begins or ends with white space (a newline from copying, mostly) or has control characters.
    TypeError
        A part is not a str.
    """

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __post_init__(self) -> None:
        if not self.session_token and isinstance(self.session_token, str):
            msgspec.structs.force_setattr(self, "session_token", None)
        for field in self.__struct_fields__:
            value = getattr(self, field)
            if value is None and field == "session_token":
                continue
            if not isinstance(value, str):
                raise TypeError(f"{field} must be a str, not {type(value).__name__}")
            if not value or not value.isprintable() or value != value.strip():
                raise LocalProtocolError(f"{field} is empty, begins or ends with white space, "
                                         "or has control characters in it")
        _require_word("access_key_id", self.access_key_id)

    def __repr__(self) -> str:
        token = "" if self.session_token is None else f", session_token={HIDDEN!r}"
        return f"{type(self).__name__}({self.access_key_id!r}, {HIDDEN!r}{token})"


def _without_port(host: str) -> str:
    return _default_port.sub("", host)


def is_word(text: str) -> bool:
    """Whether `text` can be a part of a scope: printable ASCII without space and slash."""
    return _word(text) is not None


def _require_word(name: str, value: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if not is_word(value):
        raise LocalProtocolError(f"{name} must be one word of printable ASCII without a slash")


def signature_of(request: HttpRequest) -> str:
    """The hex signature that a signed request carries, in its ``Authorization`` header or in its query.

    It is the seed of :class:`~asrproto.aws.sigv4.EventSigner`.
    """
    match = _signature(request.header("Authorization") or "") or _signature(request.url)
    if match is None:
        raise LocalProtocolError("the request is not signed: no signature in Authorization or in the query")
    return match[1]


class Day(NamedTuple):
    """What stays the same between signatures of one day."""

    scope: str
    credential: str
    credential_parameter: str
    key: SigningKey


class Draft(NamedTuple):
    """A request with everything but its signature."""

    canonical: str
    to_sign: str
    day: Day
    stamp: str
    names: str
    headers: list[tuple[str, str]]
    url: str


class RequestSigner:
    """The common half of all signers of the family; see the services' own signers for how to use one.

    Parameters
    ----------
    scheme : Scheme
    credentials : Credentials
    service, region : str
        As the scope names them, e.g. ``transcribe`` and ``eu-west-1``.
    normalize_path, double_encode_path : bool
        See :func:`~asrproto.http.canonical.canonical_path`.
    sign_session_token : bool
        False where a service wants the token appended after signing.
    """

    def __init__(self, scheme: Scheme, credentials: Credentials, *, service: str, region: str, normalize_path: bool,
                 double_encode_path: bool, sign_session_token: bool) -> None:
        if not isinstance(credentials, Credentials):
            raise TypeError(f"credentials must be Credentials, not {type(credentials).__name__}")
        _require_word("service", service)
        _require_word("region", region)
        self._scheme = scheme
        self._credentials = credentials
        self._service = service
        self._region = region
        self._normalize_path = normalize_path
        self._double_encode_path = double_encode_path
        self._sign_session_token = sign_session_token
        prefix = scheme.name_prefix
        self._date_name = prefix + "Date"
        self._token_name = prefix + "Security-Token"
        self._hash_name = prefix + "Content-Sha256"
        self._signature_name = prefix + "Signature"
        self._presign_constants = (f"{prefix}Algorithm={scheme.algorithm}", *scheme.presign_extras)
        self._query_names = frozenset(prefix + name for name in (
            "Credential", "Date", "Expires", "Security-Token", "Signature", "SignedHeaders", "SignedQueries",
        )).union(text.partition("=")[0] for text in self._presign_constants)
        token = credentials.session_token
        self._token_parameter = f"{self._token_name}={percent_encode(token)}" if token else None
        self._days: dict[str, Day] = {}

    @property
    def scheme(self) -> Scheme:
        return self._scheme

    @property
    def credentials(self) -> Credentials:
        return self._credentials

    @property
    def service(self) -> str:
        return self._service

    @property
    def region(self) -> str:
        return self._region

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._credentials!r}, service={self._service!r}, region={self._region!r})"

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_days": {}}  # keys are derived anew, not written down

    def day(self, date: str) -> Day:
        """Scope and signing key of a date ``YYYYMMDD``; those of the last few days are kept."""
        day = self._days.get(date)
        if day is None:
            where = scope(self._scheme, date, self._region, self._service)
            credential = f"{self._credentials.access_key_id}/{where}"
            key = derive_key(self._scheme, self._credentials.secret_access_key, date, self._region, self._service)
            day = Day(where, credential, f"{self._scheme.name_prefix}Credential={percent_encode(credential)}", key)
            # A new dict in place of the old one: another thread sees either, and neither changes under it.
            self._days = dict([*[*self._days.items()][1 - _DAYS_KEPT:], (date, day)])
        return day

    # --- header form

    def _header_draft(self, request: HttpRequest, at: datetime, payload_hash: str | None, add_hash: bool,
                      signable: HeaderFilter) -> Draft:
        stamp = timestamp(at)
        day = self.day(stamp[:8])
        payload_hash = self._payload_hash(request, payload_hash)
        token = self._credentials.session_token
        replaced = {"authorization", self._date_name.lower()}
        added = [(self._date_name, stamp)]
        if add_hash or request.header(self._hash_name) not in (None, payload_hash):
            replaced.add(self._hash_name.lower())
            added.append((self._hash_name, payload_hash))
        if token:
            replaced.add(self._token_name.lower())
            added.append((self._token_name, token))
        headers = [pair for pair in request.headers if pair[0].lower() not in replaced]
        headers += added
        signed = headers[:-1] if token and not self._sign_session_token else headers
        url = split_url(request.url)
        lines, names = self._lines(signed, signable, url)
        canonical = canonical_request(request.method, self._path(url.path),
                                      canonical_query(query_parameters(url.query)), lines, names, payload_hash)
        return Draft(canonical, string_to_sign(self._scheme, stamp, day.scope, canonical), day, stamp, names, headers,
                     request.url)

    def _signed_by_header(self, draft: Draft, request: HttpRequest) -> HttpRequest:
        signature = draft.day.key.sign(draft.to_sign.encode()).hex()
        authorization = (f"{self._scheme.algorithm} Credential={draft.day.credential}, "
                         f"SignedHeaders={draft.names}, Signature={signature}")
        return HttpRequest(request.method, draft.url, (*draft.headers, ("Authorization", authorization)), request.body)

    # --- query form

    def _query_draft(self, request: HttpRequest, at: datetime, expires: int | None, payload_hash: str | None,
                     signable: HeaderFilter) -> Draft:
        stamp = timestamp(at)
        day = self.day(stamp[:8])
        url = split_url(request.url)
        prefix = self._scheme.name_prefix
        replaced = ("authorization", self._date_name.lower(), self._token_name.lower())
        headers = [pair for pair in request.headers if pair[0].lower() not in replaced] if request.headers else []
        lines, names = self._lines(headers, signable, url)
        parameters = query_parameters(url.query)
        if prefix in url.query:
            parameters = [text for text in parameters if text.partition("=")[0] not in self._query_names]
        parameters += self._presign_constants
        parameters += (day.credential_parameter, f"{prefix}Date={stamp}",
                       f"{prefix}SignedHeaders={names.replace(';', '%3B')}")
        if expires is not None:
            parameters.append(f"{prefix}Expires={expires}")
        if self._scheme.lists_queries:
            parameters.append(self._listed(parameters))
        if self._token_parameter and self._sign_session_token:
            parameters.append(self._token_parameter)
        query = canonical_query(parameters)
        canonical = canonical_request(request.method, self._path(url.path), query, lines, names,
                                      self._payload_hash(request, payload_hash))
        target = f"{url.scheme}://{url.authority}{url.path or '/'}?{query}"
        return Draft(canonical, string_to_sign(self._scheme, stamp, day.scope, canonical), day, stamp, names, headers,
                     target)

    def _signed_by_query(self, draft: Draft, request: HttpRequest) -> HttpRequest:
        url = f"{draft.url}&{self._signature_name}={draft.day.key.sign(draft.to_sign.encode()).hex()}"
        if self._token_parameter and not self._sign_session_token:
            url = f"{url}&{self._token_parameter}"
        return HttpRequest(request.method, url, tuple(draft.headers), request.body)

    # --- parts of both

    def _path(self, path: str) -> str:
        return canonical_path(path, normalize=self._normalize_path, double_encode=self._double_encode_path)

    def _lines(self, headers: list[tuple[str, str]], signable: HeaderFilter, url: Url) -> tuple[str, str]:
        host = url.host
        if self._scheme.drops_default_ports:
            host = _without_port(host)
            headers = [(name, _without_port(value) if name.lower() == "host" else value) for name, value in headers]
        return canonical_headers(headers, signable, host)

    def _listed(self, parameters: list[str]) -> str:
        own = f"{self._scheme.name_prefix}SignedQueries"
        names = {text.partition("=")[0] for text in parameters} | {own}
        return f"{own}={'%3B'.join(sorted(names))}"

    def _payload_hash(self, request: HttpRequest, given: str | None) -> str:
        if given is not None:
            if not isinstance(given, str):
                raise TypeError(f"payload_hash must be a str (hex digest or one of the scheme's words), "
                                f"not {type(given).__name__}")
            return given
        if not request.body:
            return (request.header(self._hash_name) if request.headers else None) or EMPTY_SHA256
        stated = request.header(self._hash_name) if request.headers else None
        # A digest may be left from an earlier signature; a word such as UNSIGNED-PAYLOAD is meant.
        return stated if stated and not _digest(stated) else sha256(request.body).hexdigest()


def checked_expires(expires: int) -> int:
    """`expires` if it is a number of seconds that a presigned URL may be good for."""
    if isinstance(expires, bool) or not isinstance(expires, int):
        raise TypeError(f"expires must be an int (seconds), not {type(expires).__name__}")
    if not 1 <= expires <= MAX_EXPIRES:
        raise LocalProtocolError(f"expires must be 1 to {MAX_EXPIRES} seconds, not {expires}")
    return expires
