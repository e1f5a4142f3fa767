"""Signing and presigning requests."""

from __future__ import annotations

import pickle
import threading
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from asrproto.aws.sigv4 import UNSIGNED_PAYLOAD, Credentials, SigV4Signer, signature_of
from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest

AT = datetime(2000, 1, 1, tzinfo=timezone.utc)
FOO = "https://foo.us-bar-1.amazonaws.com"
TRANSCRIBE = ("wss://transcribestreaming.eu-west-1.amazonaws.com:8443/stream-transcription-websocket"
              "?sample-rate=16000&language-code=en-GB&media-encoding=pcm")
SECRETS = ("made-up-secret", "made/up+token==")
CREDENTIALS = Credentials("AKID", *SECRETS)


def foo(token: str | None = None, **options: bool) -> SigV4Signer:
    return SigV4Signer(Credentials("foo", "bar", token), service="foo", region="us-bar-1", **options)


def transcribe(credentials: Credentials = CREDENTIALS, **options: bool) -> SigV4Signer:
    return SigV4Signer(credentials, service="transcribe", region="eu-west-1", **options)


# Known answers of smithy-typescript, signature-v4/src/SignatureV4.spec.ts. Its signer adds X-Amz-Content-Sha256 to
# every request, and moves a header of that name into the query when it presigns.

@pytest.mark.parametrize(("body", "token", "signature"), [
    (b"", None, "46f0091f3e84cbd4552a184f43830a4f8b42fd18ceaefcdc2c225be1efd9e00e"),
    (b"It was the best of times, it was the worst of times", None,
     "3a7fc2cef9cab09384d0ef7a69bab0d942996846422bd041da5e52cae82612c3"),
    (b"\xde\xad\xbe\xef", None, "bd1427cfdc9a3b0a55609b0114d1dab4dfebca81a9496d6c47dedf65a3ec3bcb"),
    (b"", "baz", "1b57912615b8e7ae78790ba713193d34baa793d6be2a1b18370dd27dce2d05a7"),
])
def test_presign_known_answers(body: bytes, token: str | None, signature: str) -> None:
    signed = foo(token).presign(HttpRequest("POST", FOO + "/", body=body), at=AT, expires=1800)
    assert signature_of(signed) == signature
    assert (signed.method, signed.headers, signed.body) == ("POST", (), body)


@pytest.mark.parametrize(("path", "options", "signature"), [
    ("/foo%3Dbar", {}, "6267d8b6f44d165d2b9f4d2c2b45fd6971de0962820243669bf685818c9c7849"),
    ("/abc/../foo%3Dbar", {}, "6267d8b6f44d165d2b9f4d2c2b45fd6971de0962820243669bf685818c9c7849"),
    ("//foo%3Dbar", {}, "6267d8b6f44d165d2b9f4d2c2b45fd6971de0962820243669bf685818c9c7849"),
])
def test_presign_known_answers_paths(path: str, options: dict[str, bool], signature: str) -> None:
    signed = foo(**options).presign(HttpRequest("POST", FOO + path), at=AT, expires=1800)
    assert signature_of(signed) == signature
    assert signed.url.startswith(f"{FOO}{path}?X-Amz-")


def test_presign_known_answer_unsigned_payload() -> None:
    signer = foo(double_encode_path=False)
    signed = signer.presign(HttpRequest("POST", f"{FOO}/foo/bar/baz?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"), at=AT,
                            expires=1800, payload_hash=UNSIGNED_PAYLOAD)
    assert signature_of(signed) == "d1a68eff5d8d5be581f20c7793a67a6cd2e561a5b818055b21ad064139eb83b1"


def test_presign_known_answer_signed_header() -> None:
    request = HttpRequest("POST", FOO + "/", [("x-amz-not-hoisted", "test")], b"")
    signed = foo().presign(request, at=AT, expires=1800)
    assert "&X-Amz-SignedHeaders=host%3Bx-amz-not-hoisted&" in signed.url
    assert signature_of(signed) == "3c3ef586754b111e9528009710b797a07457d6a671058ba89041a06bab45f585"
    assert signed.headers == request.headers


@pytest.mark.parametrize(("body", "token", "signature"), [
    (b"", None, "1e3b24fcfd7655c0c245d99ba7b6b5ca6174eab903ebfbda09ce457af062ad30"),
    (b"It was the best of times, it was the worst of times", None,
     "cf22a0befff359388f136b158f0b1b43db7b18d2ca65ce4112bc88a16815c4b6"),
    (b"\xde\xad\xbe\xef", None, "89f092f52faedb8a6be1890b2a511b88e7998389d62bd7d72915e2f4ee271a64"),
    (b"", "baz", "4fd09a8cf3b28a62a9c6c424f03ababcd703528578bc6ec9184fc585f18c3fbb"),
])
def test_sign_known_answers(body: bytes, token: str | None, signature: str) -> None:
    signed = foo(token).sign(HttpRequest("POST", FOO + "/", body=body), at=AT, content_sha256_header=True)
    assert signature_of(signed) == signature


@pytest.mark.parametrize(("path", "options", "signature"), [
    ("/foo%3Dbar", {}, "fb4948cab44a9c47ce3b1a2489d01ec939fea9e79eccdb4593c11a94f207e075"),
    ("/abc/../foo%3Dbar", {}, "fb4948cab44a9c47ce3b1a2489d01ec939fea9e79eccdb4593c11a94f207e075"),
    ("//foo%3Dbar", {}, "fb4948cab44a9c47ce3b1a2489d01ec939fea9e79eccdb4593c11a94f207e075"),
    ("/foo%3Dbar", {"double_encode_path": False}, "0d859e5a74374efc2c9f14ba9352df14c68e411a1f44bd639fdd024e5f7b7ef1"),
])
def test_sign_known_answers_paths(path: str, options: dict[str, bool], signature: str) -> None:
    signed = foo(**options).sign(HttpRequest("POST", FOO + path), at=AT, content_sha256_header=True)
    assert signature_of(signed) == signature


def test_sign_known_answer_unsigned_payload() -> None:
    body = b"It was the best of times, it was the worst of times"
    expected = "2d17bf1aa1624819549626389790503937599b27a998286e0e190b897b1467dd"
    plain = HttpRequest("POST", FOO + "/", body=body)
    stated = HttpRequest("POST", FOO + "/", [("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")], body)
    for signed in (
        foo().sign(plain, at=AT, payload_hash=UNSIGNED_PAYLOAD, content_sha256_header=True),
        foo().sign(stated, at=AT),
        foo().sign(stated, at=AT, payload_hash=UNSIGNED_PAYLOAD),
    ):
        assert signature_of(signed) == expected
        assert signed.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"


# --- what a signed request looks like

def test_signed_headers_are_added_at_the_end_and_earlier_ones_replaced() -> None:
    request = HttpRequest("POST", FOO + "/", [("Content-Type", "x/y"), ("User-Agent", "me"), ("My", "1"), ("my", "2")],
                          b"body")
    once = transcribe().sign(request, at=AT, content_sha256_header=True)
    assert [name for name, _ in once.headers] == ["Content-Type", "User-Agent", "My", "my", "X-Amz-Date",
                                                  "X-Amz-Content-Sha256", "X-Amz-Security-Token", "Authorization"]
    assert "SignedHeaders=content-type;host;my;x-amz-content-sha256;x-amz-date;x-amz-security-token," in (
        once.header("Authorization"))
    later = AT + timedelta(days=1)
    again = transcribe().sign(once, at=later, content_sha256_header=True)
    assert again == transcribe().sign(request, at=later, content_sha256_header=True)
    assert len(again.headers) == len(once.headers)


def test_a_stated_payload_hash_that_differs_is_replaced() -> None:
    request = HttpRequest("POST", FOO + "/", [("x-amz-content-sha256", "0" * 64)])
    signed = foo().sign(request, at=AT, payload_hash=UNSIGNED_PAYLOAD)
    assert signed == foo().sign(HttpRequest("POST", FOO + "/"), at=AT, payload_hash=UNSIGNED_PAYLOAD,
                                content_sha256_header=True)
    resent = HttpRequest("POST", FOO + "/", foo().sign(request, at=AT).headers, b"another body")
    assert foo().sign(resent, at=AT) == foo().sign(HttpRequest("POST", FOO + "/", body=b"another body"), at=AT,
                                                   content_sha256_header=True)


def test_presigned_url_of_transcribe() -> None:
    signed = transcribe(Credentials("AKID", "secret")).presign(HttpRequest("GET", TRANSCRIBE), at=AT, expires=300)
    url, _, signature = signed.url.rpartition("&X-Amz-Signature=")
    assert url == (
        "wss://transcribestreaming.eu-west-1.amazonaws.com:8443/stream-transcription-websocket"
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKID%2F20000101%2Feu-west-1%2Ftranscribe%2Faws4_request"
        "&X-Amz-Date=20000101T000000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host"
        "&language-code=en-GB&media-encoding=pcm&sample-rate=16000")
    assert len(signature) == 64
    assert signed.headers == ()


def test_presigning_again_replaces() -> None:
    once = transcribe().presign(HttpRequest("GET", TRANSCRIBE), at=AT, expires=300)
    later = AT + timedelta(hours=25)
    assert transcribe().presign(once, at=later, expires=60) == transcribe().presign(
        HttpRequest("GET", TRANSCRIBE), at=later, expires=60)


def test_session_token_signed_or_appended() -> None:
    request = HttpRequest("GET", TRANSCRIBE)
    without = transcribe(Credentials("AKID", SECRETS[0])).presign(request, at=AT, expires=300).url
    signed = transcribe().presign(request, at=AT, expires=300).url
    assert "&X-Amz-Security-Token=made%2Fup%2Btoken%3D%3D&X-Amz-SignedHeaders=" in signed
    assert signed.rpartition("=")[2] != without.rpartition("=")[2]
    appended = transcribe(sign_session_token=False).presign(request, at=AT, expires=300).url
    assert appended == without + "&X-Amz-Security-Token=made%2Fup%2Btoken%3D%3D"


def test_headers_that_are_never_signed() -> None:
    request = HttpRequest("GET", TRANSCRIBE, [
        ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x"),
        ("Sec-WebSocket-Version", "13"), ("User-Agent", "x"), ("Transfer-Encoding", "chunked"),
        ("X-Amzn-Trace-Id", "x"), ("Expect", "100-continue"), (":authority", "elsewhere"),
    ])
    signer = transcribe(Credentials("AKID", "secret"))
    assert signer.canonical_request(request, at=AT, expires=300).splitlines()[-2] == "host"
    assert signer.canonical_request(request, at=AT).splitlines()[-2] == "host;x-amz-date"


@pytest.mark.parametrize(("url", "headers", "host"), [
    ("https://Example.com/", (), "example.com"),
    ("https://example.com:443/", (), "example.com"),
    ("wss://example.com:443/", (), "example.com"),
    ("ws://example.com:80/", (), "example.com"),
    ("http://example.com:443/", (), "example.com:443"),
    ("wss://example.com:8443/", (), "example.com:8443"),
    ("https://user:word@example.com/", (), "example.com"),
    ("https://[::1]:8443/", (), "[::1]:8443"),
    ("https://example.com/", (("HOST", " Other.example:443 "),), "Other.example:443"),
])
def test_host(url: str, headers: tuple[tuple[str, str], ...], host: str) -> None:
    assert f"\nhost:{host}\n" in foo().canonical_request(HttpRequest("GET", url, headers), at=AT)


def test_what_can_be_looked_at_is_what_is_signed() -> None:
    request = HttpRequest("PUT", FOO + "/a b?x=y z", [("My", "v")], b"body")
    signer = foo("tok/en")
    key = signer.day("20000101").key
    for options, signed in (({}, signer.sign(request, at=AT)),
                            ({"expires": 60}, signer.presign(request, at=AT, expires=60))):
        to_sign = signer.string_to_sign(request, at=AT, **options)
        canonical = signer.canonical_request(request, at=AT, **options)
        assert canonical.startswith("PUT\n/a%20b\n")
        assert to_sign.startswith("AWS4-HMAC-SHA256\n20000101T000000Z\n20000101/us-bar-1/foo/aws4_request\n")
        assert key.sign(to_sign.encode()).hex() == signature_of(signed)


def test_time_zones_and_microseconds() -> None:
    request = HttpRequest("GET", TRANSCRIBE)
    elsewhere = datetime(2000, 1, 1, 5, 30, 0, 999999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert transcribe().sign(request, at=elsewhere) == transcribe().sign(request, at=AT)


# --- wrong use

@pytest.mark.parametrize(("at", "error", "match"), [
    (datetime(2000, 1, 1), LocalProtocolError, "naive"),
    (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), LocalProtocolError, "years"),
    ("2000-01-01", TypeError, "datetime"),
    (None, TypeError, "datetime"),
])
def test_at(at: object, error: type[Exception], match: str) -> None:
    for call in (lambda: foo().sign(HttpRequest("GET", FOO), at=at),
                 lambda: foo().presign(HttpRequest("GET", FOO), at=at, expires=1)):
        with pytest.raises(error, match=match):
            call()


@pytest.mark.parametrize(("expires", "error"), [
    (0, LocalProtocolError), (-1, LocalProtocolError), (604801, LocalProtocolError),
    (300.0, TypeError), (True, TypeError), ("300", TypeError), (None, TypeError),
])
def test_expires(expires: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="expires"):
        foo().presign(HttpRequest("GET", FOO), at=AT, expires=expires)


@pytest.mark.parametrize("url", ["", "/path", "foo.example/path", "https:///path", "https://hö.example/",
                                 "https://a b/", "https://a\nb/", "//foo.example/"])
def test_url(url: str) -> None:
    with pytest.raises(LocalProtocolError, match="absolute"):
        foo().sign(HttpRequest("GET", url), at=AT)


@pytest.mark.parametrize("request_", [
    HttpRequest("GET", FOO + "/\ud800"), HttpRequest("GET", FOO + "/?\ud800"), HttpRequest("\ud800", FOO + "/"),
    HttpRequest("GET", FOO + "/", [("x", "\ud800")]), HttpRequest("GET", FOO + "/", [("na me", "x")]),
    HttpRequest("GET", FOO + "/", [("", "x")]), HttpRequest("GET", FOO + "/", [("x:y", "x")]),
])
def test_text_that_cannot_be_sent(request_: HttpRequest) -> None:
    for call in (lambda: foo().sign(request_, at=AT), lambda: foo().presign(request_, at=AT, expires=1)):
        with pytest.raises(LocalProtocolError):
            call()


@pytest.mark.parametrize(("service", "region", "error"), [
    ("", "eu-west-1", LocalProtocolError), ("transcribe", "", LocalProtocolError),
    ("a/b", "eu-west-1", LocalProtocolError), ("transcribe", "eu west", LocalProtocolError),
    (None, "eu-west-1", TypeError), ("transcribe", b"eu-west-1", TypeError),
])
def test_service_and_region(service: object, region: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"service|region"):
        SigV4Signer(CREDENTIALS, service=service, region=region)


def test_types_of_arguments() -> None:
    with pytest.raises(TypeError, match="credentials"):
        SigV4Signer(SECRETS, service="transcribe", region="eu-west-1")
    with pytest.raises(TypeError, match="payload_hash"):
        foo().sign(HttpRequest("GET", FOO), at=AT, payload_hash=b"\0" * 32)
    with pytest.raises(LocalProtocolError, match="not signed"):
        signature_of(HttpRequest("GET", FOO))


# --- credentials and keys

@pytest.mark.parametrize(("parts", "error"), [
    (("", "s"), LocalProtocolError), (("AKID", ""), LocalProtocolError), (("AK/ID", "s"), LocalProtocolError),
    (("AK ID", "s"), LocalProtocolError), (("AKID", "made-up-secret\n"), LocalProtocolError),
    (("AKID", " made-up-secret"), LocalProtocolError), (("AKID", "made-up-\ud800secret"), LocalProtocolError),
    (("AKID", "s", "made/up+token==\n"), LocalProtocolError), (("AKID", b"made-up-secret"), TypeError),
    (("AKID", "s", b"made/up+token=="), TypeError), ((None, "s"), TypeError),
])
def test_credentials_are_checked_and_never_shown(parts: tuple[object, ...], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        Credentials(*parts)
    assert not any(secret[:7] in str(caught.value) for secret in SECRETS)
    assert caught.value.__context__ is None


def test_an_empty_session_token_is_none() -> None:
    assert Credentials("AKID", "secret", "").session_token is None


def test_secrets_show_nowhere() -> None:
    signer = transcribe()
    signed = signer.presign(HttpRequest("GET", TRANSCRIBE), at=AT, expires=300)
    shown = [repr(CREDENTIALS), str(CREDENTIALS), repr(signer), str(signer), repr(CREDENTIALS.__rich_repr__()),
             repr(signed.__rich_repr__()), repr(signed), repr(signer.sign(signed, at=AT))]
    for text in shown:
        assert not any(secret in text for secret in (*SECRETS, "made%2Fup"))
    assert "AKID" in repr(CREDENTIALS)


def test_credentials_and_signers_pickle() -> None:
    signer = transcribe()
    request = HttpRequest("GET", TRANSCRIBE)
    signed = signer.sign(request, at=AT)
    copy = pickle.loads(pickle.dumps(signer))
    assert copy.credentials == CREDENTIALS
    assert copy.sign(request, at=AT) == signed
    assert msgspec.structs.replace(CREDENTIALS, session_token=None) == Credentials("AKID", SECRETS[0])


def test_keys_are_kept_per_day_and_few() -> None:
    signer = transcribe()
    request = HttpRequest("GET", TRANSCRIBE)
    first = signer.day("20000101")
    signer.sign(request, at=AT)
    assert signer.day("20000101") is first
    for days in range(1, 100):
        signer.sign(request, at=AT + timedelta(days=days))
    assert len(signer._days) == 4
    assert signer.day("20000101") == first._replace(key=signer.day("20000101").key)


def test_threads_share_a_signer() -> None:
    signer = transcribe()
    request = HttpRequest("GET", TRANSCRIBE)
    moments = [AT + timedelta(days=step % 7) for step in range(50)]
    expected = [transcribe().sign(request, at=at) for at in moments]
    results: list[list[HttpRequest]] = []
    threads = [threading.Thread(target=lambda: results.append([signer.sign(request, at=at) for at in moments]))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4
