"""Signatures of the older interfaces, against published values."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle

import pytest

from asrproto.errors import LocalProtocolError
from asrproto.volcengine.credentials import ApiKey, AppCredentials
from asrproto.volcengine.signing import (
    hmac256_authorization,
    legacy_stream_signature,
    legacy_stream_start,
    legacy_stream_url,
)

# The vendor's documentation of api/v2/asr signs `GET /api/v2/asr HTTP/1.1\nUser-Agent: ...\nxxxxxxxxxx` with this key.
DOCUMENTED = {"access_token": "a-token", "secret_key": "super_secret_key", "path": "/api/v2/asr", "body": b"xxxxxxxxxx",
                  "headers": [("User-Agent", "Python/3.9 websockets/8.1")]}


@pytest.mark.parametrize(("form", "mac"), [
    ("documented", "j_jmd9Fjy4pfI7mKIqNVXqZ7TmG6oEkMPF8ImdFniHQ"),  # published
    ("demo", "duWc1b2Tj1THUD_UUAD6MMNOpooE3SnESa-i40QaL5M="),  # the vendor's demo, which signs values alone
])
def test_hmac256_authorization(form: str, mac: str) -> None:
    assert hmac256_authorization(**DOCUMENTED, form=form) == (
        f'HMAC256; access_token="a-token"; mac="{mac}"; h="User-Agent"')


def test_hmac256_headers_in_order() -> None:
    one = hmac256_authorization(**{**DOCUMENTED, "headers": {"A": "1", "B": "2"}})
    assert one.endswith('h="A,B"')
    assert one != hmac256_authorization(**{**DOCUMENTED, "headers": {"B": "2", "A": "1"}})
    with pytest.raises(LocalProtocolError, match="form"):
        hmac256_authorization(**DOCUMENTED, form="other")


def test_legacy_stream_signature() -> None:
    # The rule of the script that circulates; `&timestamp` is `×tamp` in pages that HTML has eaten into.
    expected = hmac.new(b"made-up-secret", b"appkey=123&timestamp=1700000000", hashlib.sha256).hexdigest()
    assert legacy_stream_signature("made-up-secret", "123", 1700000000) == expected
    assert legacy_stream_signature("made-up-secret", "123", "1700000000") == expected
    assert expected == expected.lower()


def test_legacy_stream_url_and_start() -> None:
    url = legacy_stream_url(access_key="AK/1", secret_key="made-up-secret", appkey="123",
                            resource_id="cn-beijing_1_asr", timestamp=1700000000)
    signature = legacy_stream_signature("made-up-secret", "123", 1700000000)
    assert url == ("wss://openspeech.bytedance.com/api/v1/asr/stream?access_key=AK%2F1&appkey=123"
                   f"&resource_id=cn-beijing_1_asr&timestamp=1700000000&signature={signature}")
    assert json.loads(legacy_stream_start()) == {"type": "START", "format": "pcm", "sample_rate": 16000,
                                                 "channels": 1, "language": "zh-CN"}


def test_credentials_stay_put() -> None:
    both = AppCredentials("123", "made-up-token", "made-up-secret"), ApiKey("made-up-key")
    for credentials in both:
        assert "made-up" not in f"{credentials} {credentials!r} {[credentials]}"
        assert pickle.loads(pickle.dumps(credentials)) == credentials


@pytest.mark.parametrize("token", ["", "a b", "line\nbreak", "schlüssel", "a\r\nX-Evil: 1"])
def test_credentials_that_a_header_cannot_carry(token: str) -> None:
    for make in (lambda: AppCredentials("1", token), lambda: ApiKey(token), lambda: AppCredentials("1", "ok", token)):
        with pytest.raises(LocalProtocolError) as caught:
            make()
        assert not token or token not in str(caught.value)
    with pytest.raises(TypeError):
        ApiKey(b"bytes")  # type: ignore[arg-type]
