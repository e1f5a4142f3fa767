"""Volcengine's OpenAPI signature."""

from __future__ import annotations

import pickle
from datetime import datetime, timezone

import pytest

from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest
from asrproto.http.signer import signature_of
from asrproto.volcengine.openapi import OpenApiSigner

AT = datetime(2023, 1, 1, tzinfo=timezone.utc)
VOD = "https://vod.byteplusapi.com/"
SECRET = "SKTESTFIXTURE"


def vod(token: str | None = None) -> OpenApiSigner:
    return OpenApiSigner("AKTESTFIXTURE", SECRET, service="vod", region="ap-singapore-1", session_token=token)


@pytest.mark.parametrize(("service", "query", "at", "signature"), [
    ("iam", "Action=ListUsers&Limit=10&Offset=0&Version=2018-01-01", datetime(2024, 6, 19, 7, 13, 6),
     "e31c4558bcfe08a286001f59cedbf0791ffd0b2362f10e55ee2627467bcdde93"),
    ("billing", "Action=QueryBalanceAcct&Version=2022-01-01", datetime(2025, 3, 29, 18, 9, 37),
     "1eda9e7e6b1728151a8e8791fdaf67cfbd28bd5c80d0fce2eb208746cf483105"),
])
def test_published_samples(service: str, query: str, at: datetime, signature: str) -> None:
    # The vendor's published samples; their secret is a made-up one of theirs.
    signer = OpenApiSigner("AKLT", "WkRZeE1EQmxPVGhsWWpWak5HVmtNbUUxTXpZeU9UVXlOMlE1TmpZeVlqTQ==", service=service,
                           region="cn-beijing")
    signed = signer.sign(HttpRequest("GET", f"https://{service}.volcengineapi.com/?{query}"),
                         at=at.replace(tzinfo=timezone.utc), signed_headers=("Host", "X-Date"))
    assert signature_of(signed) == signature
    assert f"/cn-beijing/{service}/request, SignedHeaders=host;x-date, Signature=" in signed.header("Authorization")


# The vendor's Python SDK (byteplus-sdk-python, SignerV4), as recorded in the tests of its TypeScript sibling
# (packages/vod, "VodV1Client dispatch").

def test_sign_get_known_answer() -> None:
    request = HttpRequest("GET", VOD + "?Action=GetPlayInfo&Version=2023-01-01&Vid=v-fixture-001")
    assert vod().sign(request, at=AT).header("Authorization") == (
        "HMAC-SHA256 Credential=AKTESTFIXTURE/20230101/ap-singapore-1/vod/request, "
        "SignedHeaders=host;x-content-sha256;x-date, "
        "Signature=3344775e63b0aa121e79cfd0d177f3ad2ce2b8f5b7583a36b5b7832885c2f0bd")


@pytest.mark.parametrize("host", [(), (("Host", "vod.byteplusapi.com"),), (("host", "vod.byteplusapi.com:443"),),
                                  (("Host", "vod.byteplusapi.com:80"),)])
def test_sign_post_known_answer(host: tuple[tuple[str, str], ...]) -> None:
    request = HttpRequest("POST", VOD + "?Action=GetVodMediaPlayData&Version=2025-04-01",
                          [*host, ("Content-Type", "application/json"), ("Accept", "*/*")], b'{"Vids": ["a", "b"]}')
    signed = vod().sign(request, at=AT)
    assert signed.header("X-Content-Sha256") == "29d0e21029444e932fbf15eefabc1d9acccbd8f88c7ffd097b3163d1c15273f4"
    assert signed.header("Authorization") == (
        "HMAC-SHA256 Credential=AKTESTFIXTURE/20230101/ap-singapore-1/vod/request, "
        "SignedHeaders=content-type;host;x-content-sha256;x-date, "
        "Signature=c6b8363f08acd5d1ac420383e49dcfdfce51d883712f3b5ca928bb1a16e1b962")


def test_presign_known_answer() -> None:
    request = HttpRequest("GET", VOD + "?Action=GetPlayInfo&Version=2023-01-01&Vid=v-fixture-001")
    signed = vod().presign(request, at=AT)
    assert signed.url == VOD + (
        "?Action=GetPlayInfo&Version=2023-01-01&Vid=v-fixture-001&X-Algorithm=HMAC-SHA256"
        "&X-Credential=AKTESTFIXTURE%2F20230101%2Fap-singapore-1%2Fvod%2Frequest&X-Date=20230101T000000Z"
        "&X-NotSignBody=&X-SignedHeaders="
        "&X-SignedQueries=Action%3BVersion%3BVid%3BX-Algorithm%3BX-Credential%3BX-Date%3BX-NotSignBody"
        "%3BX-SignedHeaders%3BX-SignedQueries"
        "&X-Signature=a46cace09bcd8baaf58134b9713331884a4ee133ee2f702b1eb2baf7512d041f")


def test_presign_with_token_and_expiry() -> None:
    url = vod("tok/en").presign(HttpRequest("GET", VOD + "?Action=A"), at=AT, expires=300).url
    assert "&X-Expires=300&X-NotSignBody=&X-Security-Token=tok%2Fen&X-SignedHeaders=&X-SignedQueries=" in url
    # The vendor's SDK adds the token to what is signed after it has written the list.
    listed = url.partition("X-SignedQueries=")[2].partition("&")[0].split("%3B")
    assert listed == ["Action", "X-Algorithm", "X-Credential", "X-Date", "X-Expires", "X-NotSignBody",
                      "X-SignedHeaders", "X-SignedQueries"]


def test_presign_never_signs_the_body_but_headers_on_request() -> None:
    bare, full = HttpRequest("GET", VOD + "?Action=A"), HttpRequest("GET", VOD + "?Action=A", body=b"body")
    assert vod().presign(bare, at=AT).url == vod().presign(full, at=AT).url
    named = vod().presign(bare, at=AT, signed_headers=["Host"])
    assert "&X-SignedHeaders=host&" in named.url
    assert "\nhost:vod.byteplusapi.com\n\nhost\n" in vod().canonical_request(bare, at=AT, presign=True,
                                                                            signed_headers=["Host"])


def test_signing_again_replaces() -> None:
    request = HttpRequest("POST", VOD + "?Action=A", [("Content-Type", "x/y")], b"body")
    for signer in (vod(), vod("tok/en")):
        assert signer.sign(signer.sign(request, at=AT), at=AT) == signer.sign(request, at=AT)
        assert signer.presign(signer.presign(request, at=AT, expires=60), at=AT) == signer.presign(request, at=AT)


def test_a_stale_content_hash_is_replaced() -> None:
    request = HttpRequest("POST", VOD, [("X-Content-Sha256", "0" * 64)], b"body")
    assert vod().sign(request, at=AT) == vod().sign(HttpRequest("POST", VOD, body=b"body"), at=AT)


def test_what_can_be_looked_at_is_what_is_signed() -> None:
    request = HttpRequest("GET", VOD + "a%20b//c/../d?x=y z&x=a", [("X-My", "1"), ("Other", "2")])
    key = vod().day("20230101").key
    for presign, signed in ((False, vod().sign(request, at=AT)), (True, vod().presign(request, at=AT))):
        canonical = vod().canonical_request(request, at=AT, presign=presign)
        assert canonical.splitlines()[1] == "/a%20b//c/../d"
        assert canonical.splitlines()[2].startswith("X-Algorithm=" if presign else "x=a&x=y%20z")
        assert ("other" in canonical, "x-my" in canonical) == (False, not presign)
        to_sign = vod().string_to_sign(request, at=AT, presign=presign)
        assert to_sign.startswith("HMAC-SHA256\n20230101T000000Z\n20230101/ap-singapore-1/vod/request\n")
        assert key.sign(to_sign.encode()).hex() == signature_of(signed)


@pytest.mark.parametrize(("names", "match"), [
    (["host"], "host and x-date"), (["x-date"], "host and x-date"), ([], "host and x-date"),
    (["host", "x-date", "X-Missing"], "does not have: x-missing"),
])
def test_signed_headers_are_checked(names: list[str], match: str) -> None:
    with pytest.raises(LocalProtocolError, match=match):
        vod().sign(HttpRequest("GET", VOD), at=AT, signed_headers=names)
    with pytest.raises(LocalProtocolError, match="does not have: x-missing"):
        vod().presign(HttpRequest("GET", VOD), at=AT, signed_headers=["x-missing"])


@pytest.mark.parametrize("expires", [0, 604801])
def test_expires(expires: int) -> None:
    with pytest.raises(LocalProtocolError, match="expires"):
        vod().presign(HttpRequest("GET", VOD), at=AT, expires=expires)


def test_secrets_show_nowhere_and_signers_pickle() -> None:
    signer = vod("tok/en")
    assert not any(word in f"{signer!r} {signer}" for word in (SECRET, "tok/en"))
    request = HttpRequest("GET", VOD)
    assert pickle.loads(pickle.dumps(signer)).sign(request, at=AT) == signer.sign(request, at=AT)
    with pytest.raises(LocalProtocolError, match="naive"):
        signer.sign(request, at=datetime(2023, 1, 1))
