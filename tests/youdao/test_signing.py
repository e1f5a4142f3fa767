"""Youdao's signatures against values that `md5sum` and `sha256sum` give for the texts of the vendor's formulas."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.errors import LocalProtocolError
from asrproto.youdao.signing import auth_fields, sign, truncate

KEY = "0123456789abcdef"
SECRET = "s3cr3tS3cr3tS3cr3tS3cr3tS3cr3t00"
SALT = "00000000-0000-4000-8000-000000000000"
TIME = 1700000000
Q = base64.b64encode(bytes(range(30))).decode()
# printf %s TEXT | sha256sum (md5sum for v1), with TEXT put together by hand after the formula
V3 = "88192d449491311a00b98e9df2e329381892a3d0aad127f747ba5a4020aaccf7"
V4 = "658d857ed21393b10f4f547d1804f2c55d81c5b531829858ebbde357066fc538"


@pytest.mark.parametrize(("sign_type", "expected"), [("v2", V3), ("v3", V3), ("v4", V4)])
@pytest.mark.parametrize("curtime", [TIME, str(TIME)])
def test_known_answers(sign_type: str, expected: str, curtime: int | str) -> None:
    assert sign(KEY, SECRET, salt=SALT, curtime=curtime, q=Q, sign_type=sign_type) == expected


def test_v1_is_upper_case_md5_of_the_whole_q() -> None:
    assert sign(KEY, SECRET, salt=SALT, q=Q, sign_type="v1") == "A6E1B2F736E8313F03491E9FB1D43948"


@pytest.mark.parametrize(("q", "expected"), [
    ("", ""), ("a" * 20, "a" * 20), ("abcdefghijKLMNOPQRSTU", "abcdefghij21LMNOPQRSTU"),
    ("一二三四五六七八九十" * 3, "一二三四五六七八九十30一二三四五六七八九十"),
])
def test_truncate(q: str, expected: str) -> None:
    assert truncate(q) == expected


@given(st.text(min_size=21))
def test_truncate_is_the_formula_of_the_demos(q: str) -> None:
    size = len(q)
    assert truncate(q) == q[0:10] + str(size) + q[size - 10:size]


def test_missing_parts() -> None:
    for options, word in [({"q": Q, "curtime": TIME, "sign_type": "v5"}, "v1, v2, v3, v4"),
                          ({"q": Q, "curtime": TIME, "sign_type": "V3"}, "sign_type"),
                          ({"curtime": TIME, "sign_type": "v3"}, "signs q"), ({"sign_type": "v1"}, "signs q"),
                          ({"q": Q, "sign_type": "v2"}, "signs curtime"), ({"sign_type": "v4"}, "signs curtime")]:
        with pytest.raises(LocalProtocolError, match=word):
            sign(KEY, SECRET, salt=SALT, **options)


def test_fields() -> None:
    fields = auth_fields(KEY, SECRET, sign_type="v4", salt=SALT,
                         clock=lambda: datetime.fromtimestamp(TIME + 0.9, timezone.utc))
    assert fields == {"appKey": KEY, "salt": SALT, "curtime": "1700000000", "signType": "v4", "sign": V4}
    first, second = (auth_fields(KEY, SECRET, sign_type="v4") for _ in range(2))
    assert first["salt"] != second["salt"]
    assert uuid.UUID(first["salt"]).version == 4


def test_empty_credentials() -> None:
    for key, secret in (("", SECRET), (KEY, "")):
        with pytest.raises(LocalProtocolError, match="app_key and app_secret") as caught:
            sign(key, secret, salt=SALT, curtime=TIME, sign_type="v4")
        assert SECRET not in str(caught.value)
