"""Check signatures from the service's side, as a fake service has to.

The rules are those of AWS's JSON services, error names included: a signature is recomputed from the request as it
arrived and compared in constant time; before that its parts have to be there, its scope has to be the expected one, its
time has to be near, and every ``x-amz-*`` header has to be signed.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from asrproto._redact import HIDDEN, Discreet, redact
from asrproto.aws.sigv4.events import EPOCH, Chain
from asrproto.aws.sigv4.signer import AWS4, SigV4Signer
from asrproto.errors import ServiceError
from asrproto.http import HttpRequest
from asrproto.http.canonical import (
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
    utc,
)
from asrproto.http.signer import MAX_EXPIRES, Credentials, is_word

__all__ = ["EventVerifier", "SignatureRejected", "Verified", "verify_presigned", "verify_signed"]

ALLOWED_SKEW = timedelta(minutes=5)

# reason -> (name that AWS gives the error, what it says)
_REFUSALS = {
    "unsigned": ("MissingAuthenticationTokenException", "Request is missing Authentication Token"),
    "incomplete": ("IncompleteSignatureException", "{detail}"),
    "unknown-key": ("UnrecognizedClientException", "The security token included in the request is invalid."),
    "wrong-token": ("UnrecognizedClientException", "The security token included in the request is invalid."),
    "wrong-date": ("InvalidSignatureException",
                   "Date in Credential scope does not match YYYYMMDD from the date of the request: {detail}"),
    "wrong-region": ("InvalidSignatureException", "Credential should be scoped to a valid region, {detail}"),
    "wrong-service": ("InvalidSignatureException", "Credential should be scoped to correct service: {detail}"),
    "wrong-terminator": ("InvalidSignatureException",
                         "Credential should be scoped with a valid terminator: 'aws4_request'"),
    "expired": ("InvalidSignatureException", "Signature expired: {detail}"),
    "not-yet-valid": ("InvalidSignatureException", "Signature not yet current: {detail}"),
    "unsigned-header": ("InvalidSignatureException",
                        "There were headers present in the request which were not signed: {detail}"),
    "payload-mismatch": ("InvalidSignatureException",
                         "The provided x-amz-content-sha256 header does not match what was computed."),
    "mismatch": ("InvalidSignatureException",
                 "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                 "Access Key and signing method."),
}


class SignatureRejected(ServiceError):
    """A request or event whose signature a service would not accept.

    Attributes
    ----------
    reason : str
        Why, for programs: ``unsigned``, ``incomplete``, ``unknown-key``, ``wrong-token``, ``wrong-date``,
        ``wrong-region``, ``wrong-service``, ``wrong-terminator``, ``expired``, ``not-yet-valid``, ``unsigned-header``,
        ``payload-mismatch`` or ``mismatch``. ``code`` is the name that AWS gives the error.
    canonical_request, string_to_sign : str or None
        For a ``mismatch``, what the service computed, the session token redacted.
    """

    def __init__(self, message: str, *, code: str, reason: str, canonical_request: str | None = None,
                 string_to_sign: str | None = None) -> None:
        super().__init__(message, code=code)
        self.reason = reason
        self.canonical_request = canonical_request
        self.string_to_sign = string_to_sign

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return partial(type(self), self.message, code=self.code, reason=self.reason,
                       canonical_request=self.canonical_request, string_to_sign=self.string_to_sign), ()


def _refusal(reason: str, detail: str = "", **computed: str) -> SignatureRejected:
    code, text = _REFUSALS[reason]
    return SignatureRejected(text.format(detail=detail), code=code, reason=reason, **computed)


class Verified(Discreet, frozen=True):
    """What a good signature says.

    Attributes
    ----------
    credentials : Credentials
        Of the caller.
    region, service : str
        For which the request was signed.
    signed_at : datetime
    signature : str
        In hex; events signed after the request rest on it.
    """

    credentials: Credentials
    region: str
    service: str
    signed_at: datetime
    signature: str

    def __repr__(self) -> str:
        return (f"{type(self).__name__}({self.credentials!r}, region={self.region!r}, service={self.service!r}, "
                f"signed_at={self.signed_at!r}, signature={HIDDEN!r})")

    def event_verifier(self) -> EventVerifier:
        """A verifier for the events that follow this request."""
        return EventVerifier(self.credentials, region=self.region, service=self.service,
                             prior_signature=self.signature)


CredentialsFor = Callable[[str], Credentials | None]
"""Gives the credentials of an access key id, None for an unknown one."""


class Verifier(msgspec.Struct, frozen=True, kw_only=True):
    """What one service accepts; the functions below take the same as arguments."""

    credentials_for: CredentialsFor
    region: str | None = None
    service: str | None = None
    allowed_skew: timedelta = ALLOWED_SKEW
    max_expires: int = MAX_EXPIRES
    normalize_path: bool = True
    double_encode_path: bool = True
    sign_session_token: bool = True

    def presigned(self, request: HttpRequest, at: datetime) -> Verified:
        """See `verify_presigned`."""
        now = utc(at)
        parameters = query_parameters(split_url(request.url).query)
        values = _gathered((name, unquote(value, errors="replace"))
                           for name, _, value in (text.partition("=") for text in parameters))
        if "X-Amz-Signature" not in values and "X-Amz-Algorithm" not in values:
            raise _refusal("unsigned")
        claim = _claim(values, "X-Amz-", ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"))
        if not _seconds(claim.expires) or not 1 <= int(claim.expires) <= self.max_expires:
            raise _refusal("incomplete", f"X-Amz-Expires must be 1 to {self.max_expires} seconds")
        signed_at = self._not_in_future(claim, now)
        if now - signed_at > timedelta(seconds=int(claim.expires)):
            raise _refusal("expired", f"{claim.date} was good for {claim.expires} s, and it is {timestamp(now)}")
        left_out = ("X-Amz-Signature=",) if self.sign_session_token else ("X-Amz-Signature=", "X-Amz-Security-Token=")
        return self._verified(request, claim, signed_at,
                              [text for text in parameters if not text.startswith(left_out)])

    def signed(self, request: HttpRequest, at: datetime) -> Verified:
        """See `verify_signed`."""
        now = utc(at)
        authorization = request.header("Authorization")
        if authorization is None:
            raise _refusal("unsigned")
        algorithm, _, fields = authorization.strip().partition(" ")
        pairs = [("Algorithm", algorithm)]
        pairs += [(name, value) for name, _, value in (field.strip().partition("=") for field in fields.split(","))]
        pairs += [(_HEADER_FIELDS[name.lower()], value.strip()) for name, value in request.headers
                  if name.lower() in _HEADER_FIELDS]
        claim = _claim(_gathered(pairs), "", ("Algorithm", "Credential", "SignedHeaders", "Signature", "Date"))
        signed_at = self._not_in_future(claim, now)
        if now - signed_at > self.allowed_skew:
            raise _refusal("expired", f"{claim.date} is too long before {timestamp(now)}")
        return self._verified(request, claim, signed_at, query_parameters(split_url(request.url).query))

    def _not_in_future(self, claim: _Claim, now: datetime) -> datetime:
        signed_at = _moment(claim.date)
        if signed_at - now > self.allowed_skew:
            raise _refusal("not-yet-valid", f"{claim.date} is later than {timestamp(now)}")
        return signed_at

    def _verified(self, request: HttpRequest, claim: _Claim, signed_at: datetime, query: list[str]) -> Verified:
        access_key_id, region, service = self._scope(claim)
        credentials = self.credentials_for(access_key_id)
        if credentials is None:
            raise _refusal("unknown-key")
        if not _same(claim.token, credentials.session_token or ""):
            raise _refusal("wrong-token")
        names = claim.signed_headers.split(";")
        self._all_signed(request, names)
        url = split_url(request.url)
        path = canonical_path(url.path, normalize=self.normalize_path, double_encode=self.double_encode_path)
        lines, present = canonical_headers(request.headers, names.__contains__, url.host)
        canonical = canonical_request(request.method, path, canonical_query(query), lines, present,
                                      _payload_hash(request))
        where = scope(AWS4, claim.date[:8], region, service)
        to_sign = string_to_sign(AWS4, claim.date, where, canonical)
        key = derive_key(AWS4, credentials.secret_access_key, claim.date[:8], region, service)
        if not _same(key.sign(to_sign.encode()).hex(), claim.signature):
            token = credentials.session_token
            shown = redact(canonical, [token, percent_encode(token)] if token else [])
            raise _refusal("mismatch", canonical_request=shown, string_to_sign=to_sign)
        return Verified(credentials, region, service, signed_at, claim.signature)

    def _scope(self, claim: _Claim) -> tuple[str, str, str]:
        """Access key id, region and service of a claim whose scope is acceptable."""
        parts = claim.credential.split("/")
        if len(parts) != 5 or not all(map(is_word, parts)):
            raise _refusal("incomplete", "Credential must be access key id/date/region/service/aws4_request")
        access_key_id, date, region, service, terminator = parts
        if date != claim.date[:8]:
            raise _refusal("wrong-date", f"{date} and {claim.date}")
        if self.region is not None and region != self.region:
            raise _refusal("wrong-region", f"{self.region!r}, not {region!r}")
        if self.service is not None and service != self.service:
            raise _refusal("wrong-service", f"{self.service!r}, not {service!r}")
        if terminator != AWS4.terminator:
            raise _refusal("wrong-terminator")
        return access_key_id, region, service

    def _all_signed(self, request: HttpRequest, names: list[str]) -> None:
        exempt = () if self.sign_session_token else ("x-amz-security-token",)
        wanted = {"host"} | {name.lower() for name, _ in request.headers if name.lower().startswith("x-amz-")}
        missing = sorted(wanted.difference(names, exempt))
        if missing:
            raise _refusal("unsigned-header", ", ".join(missing))


def verify_presigned(request: HttpRequest, *, credentials_for: CredentialsFor, at: datetime, region: str | None = None,
                     service: str | None = None, max_expires: int = MAX_EXPIRES,
                     allowed_skew: timedelta = ALLOWED_SKEW, normalize_path: bool = True,
                     double_encode_path: bool = True, sign_session_token: bool = True) -> Verified:
    """Check the signature in a request's query.

    Parameters
    ----------
    request : HttpRequest
        As it arrived, with its ``Host`` header if it had one.
    credentials_for : callable
        Gives the credentials of an access key id, None for an unknown one.
    at : datetime
        The service's time, timezone-aware.
    region, service : str, optional
        The scope that the service accepts; any, if not given.
    max_expires : int
        The longest ``X-Amz-Expires`` that the service accepts, in seconds; for Amazon Transcribe 300.
    allowed_skew : timedelta
        How far the signature may be dated into the future.
    normalize_path, double_encode_path, sign_session_token : bool
        As for `SigV4Signer`.

    Raises
    ------
    SignatureRejected
        A ServiceError that says why.
    LocalProtocolError
        `at` is naive, or the request is none: its URL is not absolute, a header's name is not one, or some text of it
        has no UTF-8 form.
    """
    return Verifier(credentials_for=credentials_for, region=region, service=service, allowed_skew=allowed_skew,
                    max_expires=max_expires, normalize_path=normalize_path, double_encode_path=double_encode_path,
                    sign_session_token=sign_session_token).presigned(request, at)


def verify_signed(request: HttpRequest, *, credentials_for: CredentialsFor, at: datetime, region: str | None = None,
                  service: str | None = None, allowed_skew: timedelta = ALLOWED_SKEW, normalize_path: bool = True,
                  double_encode_path: bool = True, sign_session_token: bool = True) -> Verified:
    """Check the signature in a request's ``Authorization`` header.

    Parameters and errors are those of `verify_presigned`, but `allowed_skew` holds for the past as well. A payload
    hash in ``X-Amz-Content-Sha256`` is held against the body, unless it is one of the words in its place.
    """
    return Verifier(credentials_for=credentials_for, region=region, service=service, allowed_skew=allowed_skew,
                    normalize_path=normalize_path, double_encode_path=double_encode_path,
                    sign_session_token=sign_session_token).signed(request, at)


class EventVerifier:
    """Checks the events of one stream and unwraps them.

    Parameters
    ----------
    credentials : Credentials
    region, service : str
    prior_signature : str
        The hex signature of the request that opened the stream. `Verified.event_verifier` gives all four.
    allowed_skew : timedelta
        How far the time of an event may be from the service's.
    """

    def __init__(self, credentials: Credentials, *, region: str, service: str, prior_signature: str,
                 allowed_skew: timedelta = ALLOWED_SKEW) -> None:
        self._chain = Chain(SigV4Signer(credentials, service=service, region=region), prior_signature)
        self._allowed_skew = allowed_skew
        self._ended = False
        self._failure: SignatureRejected | None = None

    @property
    def ended(self) -> bool:
        """Whether the signed empty event has come."""
        return self._ended

    def verify(self, headers: Mapping[str, object], payload: bytes, *, at: datetime) -> bytes:
        """Check one outer frame.

        Parameters
        ----------
        headers, payload
            Of the outer frame, decoded.
        at : datetime
            The service's time, timezone-aware.

        Returns
        -------
        bytes
            The inner frame, still encoded; empty for the end of the stream.

        Raises
        ------
        SignatureRejected
            The verifier then stays failed and says the same of every later event.
        """
        now = utc(at)
        if self._failure is None:
            try:
                return self._verified(headers, payload, now)
            except SignatureRejected as failure:
                self._failure = failure
        raise self._failure

    def _verified(self, headers: Mapping[str, object], payload: bytes, now: datetime) -> bytes:
        if self._ended:
            raise _refusal("incomplete", "an event came after the end of the stream")
        date, signature = headers.get(":date"), headers.get(":chunk-signature")
        if not isinstance(date, int) or isinstance(date, bool) or not isinstance(signature, bytes):
            raise _refusal("incomplete", "a signed event must have :date (timestamp) and :chunk-signature (bytes)")
        try:
            moment = EPOCH + timedelta(milliseconds=date)
        except OverflowError:
            raise _refusal("incomplete", ":date is outside the years 1 to 9999") from None
        if abs(moment - now) > self._allowed_skew:
            reason = "expired" if moment < now else "not-yet-valid"
            raise _refusal(reason, f"event of {timestamp(moment)}, and it is {timestamp(now)}")
        computed = self._chain.signature(moment, payload)[1]
        if not hmac.compare_digest(computed, signature):
            raise _refusal("mismatch")
        self._chain.prior_signature = computed.hex()
        self._ended = not payload
        return payload


class _Claim(NamedTuple):
    """What a request says about its own signature."""

    credential: str
    date: str
    signed_headers: str
    signature: str
    expires: str
    token: str


_HEADER_FIELDS = {"x-amz-date": "Date", "x-amz-security-token": "Security-Token"}

_stamp = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII).fullmatch
_seconds = re.compile(r"[0-9]{1,9}").fullmatch
_hex_digest = re.compile(r"[0-9a-f]{64}").fullmatch


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _claim(values: dict[str, list[str]], prefix: str, required: Iterable[str]) -> _Claim:
    found = {}
    for name in (*required, "Security-Token"):
        given = values.get(prefix + name, [])
        if len(given) > 1 or (not given and name != "Security-Token"):
            raise _refusal("incomplete", f"{prefix}{name} must be given once, not {len(given)} times")
        found[name] = given[0] if given else ""
    if found["Algorithm"] != AWS4.algorithm:
        raise _refusal("incomplete", f"the algorithm must be {AWS4.algorithm}")
    return _Claim(found["Credential"], found["Date"], found["SignedHeaders"], found["Signature"],
                  found.get("Expires", ""), found["Security-Token"])


def _moment(stamp: str) -> datetime:
    match = _stamp(stamp)
    try:
        if match:
            year, month, day, hour, minute, second = map(int, match.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        pass
    raise _refusal("incomplete", "X-Amz-Date must be a time written YYYYMMDDTHHMMSSZ")


def _payload_hash(request: HttpRequest) -> str:
    computed = sha256(request.body).hexdigest()
    stated = (request.header("X-Amz-Content-Sha256") or computed).strip()
    if _hex_digest(stated) and stated != computed:
        raise _refusal("payload-mismatch")
    return stated


def _same(one: str, other: str) -> bool:
    """Whether two texts are equal, in time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
