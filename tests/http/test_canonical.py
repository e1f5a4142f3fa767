"""The canonical request and its parts."""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.errors import LocalProtocolError
from asrproto.http.canonical import (
    Scheme,
    SigningKey,
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

text = st.text(st.characters(exclude_categories=["Cs"]))


def everything(_: str) -> bool:
    return True


@given(text)
def test_percent_encoding_is_quote(value: str) -> None:
    assert percent_encode(value) == quote(value, safe="")


# --- URL

@pytest.mark.parametrize(("url", "parts"), [
    ("https://example.com", ("https", "example.com", "", "")),
    ("https://example.com?", ("https", "example.com", "", "")),
    ("https://example.com/?a=b?c#d?e", ("https", "example.com", "/", "a=b?c")),
    ("wss://user@example.com:8443/a b/语#x", ("wss", "user@example.com:8443", "/a b/语", "")),
    # urlsplit drops tabs and newlines.
    ("https://example.com/a\tb\nc?d\re", ("https", "example.com", "/a\tb\nc", "d\re")),
    ("https://[2001:db8::1]:443/", ("https", "[2001:db8::1]:443", "/", "")),
])
def test_split_url_changes_nothing(url: str, parts: tuple[str, ...]) -> None:
    assert split_url(url) == parts


@given(text)
def test_split_url_takes_any_text(url: str) -> None:
    try:
        scheme, authority, path, query = split_url(url)
    except LocalProtocolError:
        return
    assert url.startswith(f"{scheme}://{authority}{path}")
    assert query in url


# --- path

@pytest.mark.parametrize(("path", "both", "normalized", "doubled", "neither"), [
    ("", "/", "/", "/", "/"),
    ("/", "/", "/", "/", "/"),
    ("//", "/", "/", "//", "//"),
    ("/a/b", "/a/b", "/a/b", "/a/b", "/a/b"),
    ("/a/./b/", "/a/b/", "/a/b/", "/a/./b/", "/a/./b/"),
    ("/a/b/..", "/a", "/a", "/a/b/..", "/a/b/.."),
    ("/a/b/.", "/a/b", "/a/b", "/a/b/.", "/a/b/."),
    ("/../../a//", "/a/", "/a/", "/../../a//", "/../../a//"),
    ("/a/...", "/a/...", "/a/...", "/a/...", "/a/..."),
    ("/a/..b/.c", "/a/..b/.c", "/a/..b/.c", "/a/..b/.c", "/a/..b/.c"),
    ("/a b", "/a%20b", "/a%20b", "/a%20b", "/a%20b"),
    ("/a%20b", "/a%2520b", "/a%20b", "/a%2520b", "/a%20b"),
    ("/a%2fb%2F", "/a%252fb%252F", "/a%2Fb%2F", "/a%252fb%252F", "/a%2Fb%2F"),
    ("/%7e%e8%af", "/%257e%25e8%25af", "/~%E8%AF", "/%257e%25e8%25af", "/~%E8%AF"),
    ("/语", "/%E8%AF%AD", "/%E8%AF%AD", "/%E8%AF%AD", "/%E8%AF%AD"),
    ("/50%", "/50%25", "/50%25", "/50%25", "/50%25"),
    ("/$a+b*", "/%24a%2Bb%2A", "/%24a%2Bb%2A", "/%24a%2Bb%2A", "/%24a%2Bb%2A"),
    ("/%2e%2e/a", "/%252e%252e/a", "/../a", "/%252e%252e/a", "/../a"),
])
def test_path(path: str, both: str, normalized: str, doubled: str, neither: str) -> None:
    assert canonical_path(path) == both
    assert canonical_path(path, double_encode=False) == normalized
    assert canonical_path(path, normalize=False) == doubled
    assert canonical_path(path, normalize=False, double_encode=False) == neither


@given(st.lists(text, max_size=5).map(lambda parts: "/" + "/".join(parts)))
def test_a_path_keeps_its_meaning(path: str) -> None:
    doubled = canonical_path(path, normalize=False)
    assert re.fullmatch(r"(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*", doubled)
    assert unquote_to_bytes(doubled) == path.encode()
    once = canonical_path(path, normalize=False, double_encode=False)
    assert unquote_to_bytes(once) == unquote_to_bytes(path)
    assert canonical_path(once, normalize=False, double_encode=False) == once
    normalized = canonical_path(path)
    assert not {"", ".", ".."} & set(normalized.strip("/").split("/")) or normalized == "/"


# --- query

@pytest.mark.parametrize(("query", "canonical"), [
    ("", ""),
    ("&&", ""),
    ("a", "a="),
    ("a=", "a="),
    ("=a", "=a"),
    ("=", "="),
    ("a=b=c", "a=b%3Dc"),
    ("b=1&a=2&a=1&a=1", "a=1&a=1&a=2&b=1"),
    # "=" sorts behind "-", "." and digits, but a name sorts before the names that it begins.
    ("a-b=1&a=2&a.b=3&a1=4", "a=2&a-b=1&a.b=3&a1=4"),
    # Sorted as encoded: "%" comes before letters, upper case before lower case.
    ("b=&B=&语=&a=", "%E8%AF%AD=&B=&a=&b="),
    ("a=x y&a=x%20y&a=x+y", "a=x%20y&a=x%20y&a=x%20y"),
    ("a=%2b&a=%2B", "a=%2B&a=%2B"),
    ("a=%7e%41-%5f", "a=~A-_"),
    ("a=%&a=%4&a=%zz", "a=%25&a=%254&a=%25zz"),
    ("a=%ff%00", "a=%FF%00"),
    ("a=/:?@!$'()*,;", "a=%2F%3A%3F%40%21%24%27%28%29%2A%2C%3B"),
])
def test_query(query: str, canonical: str) -> None:
    assert canonical_query(query_parameters(query)) == canonical
    assert canonical_query(query_parameters(canonical)) == canonical


pairs = st.lists(st.tuples(st.text(st.characters(max_codepoint=0x2FF)), text), max_size=8)


@given(pairs, st.randoms())
def test_a_query_keeps_its_meaning(pairs: list[tuple[str, str]], random: object) -> None:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    canonical = canonical_query(query_parameters(query))
    # The rule in other words: encode, then sort by name and value.
    assert canonical == "&".join("=".join(pair) for pair in sorted(
        (percent_encode(name), percent_encode(value)) for name, value in pairs))
    shuffled = query.split("&")
    random.shuffle(shuffled)
    assert canonical_query(query_parameters("&".join(shuffled))) == canonical


@given(st.text("ab%024579ADFf-._~=&+ é", max_size=40))
def test_a_canonical_query_is_canonical(query: str) -> None:
    canonical = canonical_query(query_parameters(query))
    assert canonical_query(query_parameters(canonical)) == canonical
    assert re.fullmatch(r"(?:[A-Za-z0-9\-._~=&]|%[0-9A-F]{2})*", canonical)


# --- headers

@pytest.mark.parametrize(("headers", "lines", "names"), [
    ([], "host:h", "host"),
    ([("B", "2"), ("A", "1")], "a:1\nb:2\nhost:h", "a;b;host"),
    ([("a", " x   y\t z "), ("A", ""), ("a", "v")], "a:x y z,,v\nhost:h", "a;host"),
    ([("a", '"x   y"')], 'a:"x y"\nhost:h', "a;host"),
    ([("a", "x\r\n  y\n\tz")], "a:x y z\nhost:h", "a;host"),
    ([("a", "x\u00a0\u2003y")], "a:x\u00a0\u2003y\nhost:h", "a;host"),
    ([("a", "")], "a:\nhost:h", "a;host"),
    ([("a-b", "1"), ("a", "2"), ("a1", "3")], "a:2\na-b:1\na1:3\nhost:h", "a;a-b;a1;host"),
    ([("HOST", "other:443")], "host:other:443", "host"),
    ([(":method", "POST")], "host:h", "host"),
])
def test_headers(headers: list[tuple[str, str]], lines: str, names: str) -> None:
    assert canonical_headers(headers, everything, "h") == (lines, names)


def test_headers_that_are_not_signed() -> None:
    assert canonical_headers([("A", "1"), ("B", "2")], {"b"}.__contains__, "h") == ("b:2", "b")
    assert canonical_headers([("A", "1")], set().__contains__, "h") == ("", "")
    assert canonical_headers([], set().__contains__, "h") == ("", "")


@pytest.mark.parametrize("name", ["", "a b", "a\n", "a:b", "é", "\u212a"])
def test_header_names_are_checked(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="not a header name"):
        canonical_headers([(name, "x")], everything, "h")


def test_a_value_cannot_forge_a_line() -> None:
    lines, _ = canonical_headers([("a", "1\nx-amz-date:forged")], everything, "h")
    assert lines == "a:1 x-amz-date:forged\nhost:h"


# --- time

@pytest.mark.parametrize(("at", "stamp"), [
    (datetime(2024, 5, 6, 7, 8, 9, 999999, tzinfo=timezone.utc), "20240506T070809Z"),
    (datetime(2024, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "20231231T233000Z"),
    (datetime(1, 2, 3, tzinfo=timezone.utc), "00010203T000000Z"),
])
def test_timestamp(at: datetime, stamp: str) -> None:
    assert timestamp(at) == stamp


# --- signature

SCHEME = Scheme(algorithm="A-B", key_prefix="A", terminator="end", name_prefix="X-", signable=re.compile(".*"),
                presign_signable=re.compile(".*"))


@given(st.binary(min_size=32, max_size=32), st.binary())
def test_signing_key_is_hmac(key: bytes, message: bytes) -> None:
    signing_key = SigningKey(key)
    for _ in range(2):
        assert signing_key.sign(message) == hmac.digest(key, message, "sha256")
    assert signing_key.sign(memoryview(message)) == signing_key.sign(message)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_key_chain(secret: str) -> None:
    key = b"A" + secret.encode()
    for part in (b"20240506", b"region", b"service", b"end"):
        key = hmac.digest(key, part, "sha256")
    assert derive_key(SCHEME, secret, "20240506", "region", "service").sign(b"x") == hmac.digest(key, b"x", "sha256")


def test_the_whole() -> None:
    canonical = canonical_request("get", "/", "a=b", "host:h", "host", "hash")
    assert canonical == "GET\n/\na=b\nhost:h\n\nhost\nhash"
    where = scope(SCHEME, "20240506", "region", "service")
    assert where == "20240506/region/service/end"
    assert string_to_sign(SCHEME, "20240506T070809Z", where, canonical) == (
        "A-B\n20240506T070809Z\n20240506/region/service/end\n"
        "d47867e37855c53d7ae3c44dc945a12b8a3d23a667f5adcfa7f9ebfc609f03e1")  # sha256sum(1)
