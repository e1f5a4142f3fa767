"""Requests that Hypothesis makes up, signed by asrproto, awscrt and botocore.

awscrt is the judge of all that AWS's suite does not hold: the query form, session tokens signed or appended, single
encoding and paths that are not normalised. What the generators leave out is where a peer is known to be wrong; the
tables in ``docs/signing.md`` list it.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from urllib.parse import quote

import sigv4_peers
from hypothesis import given
from hypothesis import strategies as st

from asrproto.aws.sigv4 import Credentials, SigV4Signer, signature_of, verify_presigned, verify_signed
from asrproto.http import HttpRequest
from asrproto.http.canonical import query_parameters

SCOPE = {"service": "service", "region": "us-east-1"}

UNRESERVED = "ABCXYZabcxyz0189-._~"
printable = st.characters(min_codepoint=0x20, max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc", "Cn"])
escape = st.integers(0, 255).map("%{:02X}".format) | st.integers(0, 255).map("%{:02x}".format)
plain = st.text(UNRESERVED, max_size=8)


def pieces(excluded: str) -> st.SearchStrategy[str]:
    """Text of a URL: plain characters, escapes, raw printable characters but for those in `excluded`."""
    raw = printable.filter(lambda character: character not in excluded)
    return st.lists(st.sampled_from(UNRESERVED) | escape | raw, max_size=8).map("".join)


segment = st.sampled_from(["", ".", "..", "..."]) | plain | pieces("/?#%")
path = st.lists(segment, max_size=6).map(lambda segments: "/" + "/".join(segments))
encoded_path = st.lists(st.sampled_from(["", ".", "..", "%2F"]) | st.text(printable, max_size=6).map(
    lambda text: quote(text, safe="~")), max_size=6).map(lambda segments: "/" + "/".join(segments))
# A raw plus is left out: a space to services (and to botocore's presigner), left as it is by awscrt.
part = pieces("&=#%+")
pair = st.tuples(part, part).map("=".join) | part | st.just("")
query = st.lists(pair, max_size=6).map("&".join)
encoded_query = st.lists(st.tuples(st.text(printable, min_size=1, max_size=5), st.text(printable, max_size=5)).map(
    lambda pair: "=".join(quote(text, safe="") for text in pair)), max_size=6).map("&".join)

SIGNED_NAMES = ["My-Header", "my-header", "MY-OTHER", "Content-Type", "content-length", "X-Amz-Target", "a", "a-b"]
SKIPPED_NAMES = ["User-Agent", "X-Amzn-Trace-Id", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Expect",
                 "Transfer-Encoding", "Sec-WebSocket-Protocol"]
value = st.lists(st.sampled_from(["  ", "\t", '"', ",", "x", "Y", "é", "语", "1"]), max_size=12).map("".join)
headers = st.lists(st.tuples(st.sampled_from(SIGNED_NAMES + SKIPPED_NAMES), value), max_size=6)

credentials = st.builds(Credentials, st.text("AKID0123", min_size=1), st.text("abc/+=XYZ", min_size=1),
                        st.none() | st.text("abc/+=XYZ", min_size=1))
moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2099, 12, 31),
                       timezones=st.just(timezone.utc))
method = st.sampled_from(["GET", "POST", "DELETE"])
body = st.sampled_from([b"", b"body", bytes(range(256))])


def request(target: str, names: list[tuple[str, str]], method: str = "GET", body: bytes = b"") -> HttpRequest:
    return HttpRequest(method, "https://example.amazonaws.com:8443" + target, names, body)


def parameters(url: str) -> list[str]:
    return sorted(query_parameters(url.partition("?")[2]))


def accepted(signed: HttpRequest, signer: SigV4Signer, at: datetime, options: dict[str, bool]) -> None:
    """The service's side agrees with every signature that the client's side makes."""
    verify = verify_presigned if "X-Amz-Signature=" in signed.url else verify_signed
    verified = verify(signed, credentials_for={signer.credentials.access_key_id: signer.credentials}.get, at=at,
                      **SCOPE, **options)
    assert verified.signature == signature_of(signed)


@given(st.data(), headers, method, body, credentials, moments, st.booleans(), st.booleans(), st.booleans(),
       st.none() | st.integers(1, 604800))
def test_awscrt(data: st.DataObject, names: list[tuple[str, str]], method: str, body: bytes, credentials: Credentials,
                at: datetime, normalize: bool, double: bool, sign_token: bool, expires: int | None) -> None:
    options = {"normalize_path": normalize, "double_encode_path": double, "sign_session_token": sign_token}
    # Without double encoding awscrt takes a path as it stands, so that only an encoded one comes out right.
    target = data.draw(path if double else encoded_path) + data.draw(query.map(lambda text: text and "?" + text))
    plain = request(target, names, method, body)
    signer = SigV4Signer(credentials, **SCOPE, **options)
    theirs = sigv4_peers.awscrt_signed(plain, credentials, at=at, expires=expires, **SCOPE, **options)
    if expires is None:
        ours = signer.sign(plain, at=at)
        assert ours.header("Authorization") == theirs
    else:
        ours = signer.presign(plain, at=at, expires=expires)
        assert parameters(ours.url) == parameters(theirs)
    accepted(ours, signer, at, options)


@given(path, encoded_query, headers, method, credentials, moments)
def test_botocore_headers(path: str, query: str, names: list[tuple[str, str]], method: str, credentials: Credentials,
                          at: datetime) -> None:
    plain = request(f"{path}?{query}" if query else path,
                    [(name, value) for name, value in names if not re.match(r"sec-|upgrade", name, re.I)], method)
    ours = SigV4Signer(credentials, **SCOPE).sign(plain, at=at).header("Authorization")
    assert ours == sigv4_peers.botocore_signed(plain, credentials, at=at, **SCOPE)


@given(path, st.dictionaries(plain.filter(bool), st.text(printable, min_size=1, max_size=5)), credentials, moments,
       st.integers(1, 604800))
def test_botocore_query(path: str, query: dict[str, str], credentials: Credentials, at: datetime, expires: int) -> None:
    target = path + "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    plain = request(target, [])
    ours = SigV4Signer(credentials, **SCOPE).presign(plain, at=at, expires=expires).url
    theirs = sigv4_peers.botocore_signed(plain, credentials, at=at, expires=expires, **SCOPE)
    assert parameters(ours) == parameters(theirs)
