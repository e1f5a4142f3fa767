"""Short recognition: the form that is sent, what is refused before it is sent, and every reply."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import struct
import wave
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.errors import LocalProtocolError, MalformedFrame, ServiceError
from asrproto.events import Alternative, Transcript
from asrproto.http import HttpRequest
from asrproto.testing import ScriptedRecogniser
from asrproto.testing.youdao import ShortService
from asrproto.youdao.short import MAX_SIZE, parse_short, short_request
from asrproto.youdao.signing import sign

KEY = "0123456789abcdef"
SECRET = "s3cr3tS3cr3tS3cr3tS3cr3tS3cr3t00"
SALT = "00000000-0000-4000-8000-000000000000"
FIXED: dict[str, Any] = {"app_key": KEY, "app_secret": SECRET, "salt": SALT,
                         "clock": lambda: datetime.fromtimestamp(1700000000, timezone.utc)}
DATA = Path(__file__).parent.parent / "audio" / "data"


def wav(seconds: float = 0.5, rate: int = 16000, channels: int = 1, width: int = 2) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(bytes(range(256)) * round(seconds * rate * width * channels / 256))
    return buffer.getvalue()


def form(request: HttpRequest) -> dict[str, str]:
    pairs = parse_qsl(request.body.decode(), strict_parsing=True)
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def test_the_form() -> None:
    request = short_request(wav(), language="zh-CHS", **FIXED)
    assert (request.method, request.url) == ("POST", "https://openapi.youdao.com/asrapi")
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"
    q = base64.b64encode(wav()).decode()
    signature = sign(KEY, SECRET, salt=SALT, curtime=1700000000, q=q, sign_type="v3")
    assert form(request) == {"q": q, "langType": "zh-CHS", "appKey": KEY, "salt": SALT, "curtime": "1700000000",
                             "sign": signature, "signType": "v3", "format": "wav", "rate": "16000", "channel": "1",
                             "type": "1", "docType": "json"}


def test_the_fields_are_those_of_the_vendors_table(vendor_table: Callable[[str], list[list[str]]]) -> None:
    table = vendor_table("fields")
    assert {name for name, *_ in table} | {"docType"} == set(form(short_request(wav(), language="en", **FIXED)))
    assert all(required.lower() == "true" for _, _, _, required, _ in table)


def test_what_is_sent_is_what_was_signed() -> None:
    """The signature is made anew from the form as a server reads it."""
    for sign_type in ("v1", "v2", "v3", "v4"):
        sent = form(short_request(wav(), language="en", app_key=KEY, app_secret=SECRET, sign_type=sign_type))
        assert sent["sign"] == sign(sent["appKey"], SECRET, salt=sent["salt"], curtime=sent["curtime"], q=sent["q"],
                                    sign_type=sent["signType"])
        assert sent["q"] == base64.b64encode(wav()).decode()  # no line breaks, whatever the length
    assert form(short_request(wav(), language="en", app_key=KEY, app_secret=SECRET))["salt"] != sent["salt"]


@pytest.mark.parametrize(("name", "rate"), [("m16k.mp3", 16000), ("m16k.aac", 16000)])
def test_other_formats(name: str, rate: int) -> None:
    for audio in (DATA / name, (DATA / name).read_bytes()):
        sent = form(short_request(audio, language="en", **FIXED))
        assert (sent["format"], sent["rate"]) == (name[-3:], str(rate))
        assert base64.b64decode(sent["q"]) == (DATA / name).read_bytes()


def test_samples_become_a_wav() -> None:
    samples = np.arange(-400, 400, dtype=np.int16)
    sent = form(short_request(samples, rate=8000, language="en", **FIXED))
    with wave.open(io.BytesIO(base64.b64decode(sent["q"]))) as file:
        assert file.getparams()[:4] == (1, 2, 8000, 800)
        assert file.readframes(800) == samples.astype("<i2").tobytes()
    assert (sent["format"], sent["rate"]) == ("wav", "8000")
    float_samples = samples.astype(np.float32) / 32768
    assert form(short_request(float_samples, rate=8000, language="en", **FIXED)) == sent


def test_limits_hold_exactly(vendor_table: Callable[[str], list[list[str]]]) -> None:
    ((_, size, seconds, *_),) = vendor_table("limits")
    assert (size, seconds) == ("10M(编码后)", "60")
    short_request(wav(60), language="en", **FIXED)
    most = np.zeros(MAX_SIZE // 4 * 3 // 2 - 44 // 2, np.int16)  # at 48 kHz this is over a minute
    with pytest.raises(LocalProtocolError, match="lasts"):
        short_request(most, rate=48000, language="en", **FIXED)
    m4a = b"\0\0\0\x1cftypM4A ".ljust(MAX_SIZE // 4 * 3, b"\0")
    short_request(m4a, format="aac", rate=44100, language="en", **FIXED)
    with pytest.raises(LocalProtocolError, match="in Base64"):
        short_request(m4a + b"\0", format="aac", rate=44100, language="en", **FIXED)


REFUSED: list[tuple[str, Any, dict[str, Any]]] = [
    ("empty", b"", {}), ("empty", wav(0), {}), ("empty", np.zeros(0, np.int16), {"rate": 16000}),
    (r"lasts 60\.0 s", wav(60.016), {}), ("2 channels", wav(channels=2), {}), ("16-bit", wav(width=1), {}),
    ("16-bit", wav()[:20] + b"\x03\0" + wav()[22:], {}), ("header is broken", wav()[:30], {}),
    ("2 channels", np.zeros((100, 2)), {"rate": 16000}), ("rate is needed", np.zeros(100), {}),
    ("rate says 8000 Hz, and the audio has 16000", wav(), {"rate": 8000}), ("rate must be", wav(rate=4000), {}),
    ("rate must be", wav(rate=96000), {}),
    ("language 'english'", wav(), {"language": "english"}), ("language", wav(), {"language": ""}),
    ("format must be", wav(), {"format": "amr"}), ("format says mp3, and the audio is wav", wav(), {"format": "mp3"}),
    ("format is needed", b"who knows", {}), ("audio is flac", b"fLaC....", {}), ("audio is m4a", b"....ftyp", {}),
    ("rate is needed", b"who knows", {"format": "aac"}), ("2 channels", DATA / "s44k.mp3", {}),
    ("2 channels", DATA / "s44k.aac", {}), ("sign_type", wav(), {"sign_type": "v9"}),
    ("app_key", wav(), {"app_key": ""}), ("app_key", wav(), {"app_secret": ""}),
]


@pytest.mark.parametrize(("words", "audio", "options"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused_before_it_is_sent(words: str, audio: Any, options: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError, match=words) as caught:
        short_request(audio, **{"language": "en", **FIXED, **options})
    assert SECRET not in str(caught.value)


def test_a_long_recording_in_frames_is_refused() -> None:
    frame = bytes.fromhex("fff1604000fffc")  # ADTS, LC, 16 kHz, mono: 64 ms
    assert short_request(frame * 937, language="en", **FIXED).body
    with pytest.raises(LocalProtocolError, match="lasts"):
        short_request(frame * 938, language="en", **FIXED)


def test_a_streamed_wav_is_measured_by_what_is_there() -> None:
    data = wav()
    for size in (0, 0xFFFFFFFF):
        sent = form(short_request(data[:40] + struct.pack("<I", size) + data[44:], language="en", **FIXED))
        assert sent["rate"] == "16000"


def test_the_secret_stays_put() -> None:
    request = short_request(wav(), language="en", **FIXED)
    assert SECRET.encode() not in request.body
    assert form(request)["sign"] not in repr(request)


# ---- replies

def test_reply() -> None:
    body = '{"errorCode":"0","result":["今天天气不错"]}'
    assert parse_short(body.encode()) == Transcript("今天天气不错", True, raw=json.loads(body))
    two = parse_short('{"errorCode":0,"result":["a","b"],"requestId":"r"}')
    assert (two.text, two.alternatives, two.raw["requestId"]) == ("a", (Alternative("b"),), "r")
    assert parse_short('{"errorCode":"0","result":[]}').text == ""


@pytest.mark.parametrize(("body", "code", "words", "retryable"), [
    ({"errorCode": "202"}, "202", "签名检验失败", False), ({"errorCode": 411}, "411", "访问频率受限", True),
    ({"errorCode": "3301", "msg": "why"}, "3301", "why", False),
    ({"errorCode": "99999", "descCN": "新"}, "99999", "新", False),
    ({"errorCode": "108", "msg": f"bad {SECRET}"}, "108", "bad ***", False),
])
def test_refusals(body: dict[str, Any], code: str, words: str, retryable: bool) -> None:
    with pytest.raises(ServiceError) as caught:
        parse_short(json.dumps(body), secrets=(SECRET,))
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert words in caught.value.message


def test_http_errors() -> None:
    for status, body, code, retryable in [
            (502, b"<html>", "502", True), (403, b"", "403", False), (500, b'{"errorCode": "303"}', "303", True),
            (404, b'{"a": 1}', "404", False)]:
        with pytest.raises(ServiceError) as caught:
            parse_short(body, status=status)
        assert (caught.value.code, caught.value.retryable) == (code, retryable)


@pytest.mark.parametrize(("body", "reason"), [
    ("", "not-json"), ("<!DOCTYPE html><title>502</title>", "not-json"), ("\xff", "not-json"), ("[]", "wrong-shape"),
    ("{}", "wrong-shape"), ('"0"', "wrong-shape"), ('{"errorCode": "0", "result": "x"}', "wrong-shape"),
    ('{"errorCode": "0", "result": [1]}', "wrong-shape"), ('{"errorCode": "0", "result": [null]}', "wrong-shape"),
])
def test_malformed(body: str, reason: str) -> None:
    with pytest.raises(MalformedFrame) as caught:
        parse_short(body.encode("latin-1"))
    assert caught.value.reason == reason


@given(st.binary() | st.text().map(str.encode), st.integers(200, 599))
def test_any_body(body: bytes, status: int) -> None:
    with contextlib.suppress(MalformedFrame, ServiceError):
        parse_short(body, status=status)


@given(st.fixed_dictionaries({}, optional={"errorCode": st.sampled_from(["0", 0, 1, None, True, [], {}]),
                                           "result": st.recursive(st.none() | st.text() | st.integers(), st.lists)}))
def test_any_document(document: Any) -> None:
    with contextlib.suppress(MalformedFrame, ServiceError):
        parse_short(json.dumps(document))


# ---- the fake

def recognised(request: HttpRequest, *, at: float = 1700000000, service: ShortService | None = None) -> str:
    """The text that the fake answers with, or its error code."""
    service = service or ShortService(lambda rate: ScriptedRecogniser("go forward ten meters", rate), app_key=KEY,
                                      app_secret=SECRET)
    response = service.respond(request, at=datetime.fromtimestamp(at, timezone.utc))
    try:
        return parse_short(response.body, status=response.status).text
    except ServiceError as error:
        return error.code


def signed(**fields: str) -> HttpRequest:
    """A form as another client may send it."""
    form = {"q": base64.b64encode(wav()).decode(), "langType": "en", "format": "wav", "rate": "16000", "channel": "1",
            "type": "1", "signType": "v3", "salt": SALT, "curtime": "1700000000", "appKey": KEY, **fields}
    form.setdefault("sign", sign(KEY, SECRET, salt=SALT, curtime=form["curtime"], q=form["q"], sign_type="v3"))
    return HttpRequest("POST", "https://openapi.youdao.com/asrapi",
                       (("Content-Type", "application/x-www-form-urlencoded"),), urlencode(form).encode())


def test_the_fake_recognises() -> None:
    assert recognised(short_request(wav(), language="en", **FIXED)) == "go forward ten meters"
    assert recognised(signed()) == "go forward ten meters"


@pytest.mark.parametrize(("fields", "code"), [
    ({"q": base64.encodebytes(wav()).decode()}, "3201"),  # as the vendor's PHP demo sends it: broken into lines
    ({"q": "AAAA"}, "3001"), ({"q": ""}, "113"), ({"q": base64.b64encode(wav(channels=2)).decode()}, "3003"),
    ({"q": base64.b64encode(wav(60.016)).decode()}, "3008"), ({"q": base64.b64encode(wav(0)).decode()}, "3301"),
    ({"q": "A" * (MAX_SIZE + 4)}, "3007"), ({"langType": "xx"}, "3005"), ({"format": "amr"}, "3001"),
    ({"rate": "8000"}, "3002"), ({"channel": "2"}, "3003"), ({"type": "2"}, "3004"), ({"appKey": "x"}, "108"),
    ({"sign": "0" * 64}, "202"), ({"signType": "v9"}, "105"), ({"curtime": "soon"}, "206"), ({"curtime": "1"}, "206"),
])
def test_what_the_fake_refuses(fields: dict[str, str], code: str) -> None:
    assert recognised(signed(**fields)) == code


def test_the_fake_knows_replays_and_old_requests() -> None:
    service = ShortService(lambda rate: ScriptedRecogniser("x", rate), app_key=KEY, app_secret=SECRET)
    assert [recognised(signed(), service=service) for _ in range(2)] == ["x", "207"]
    assert recognised(signed(), at=1700000301) == "206"
    assert recognised(HttpRequest("GET", "https://openapi.youdao.com/asrapi")) == "404"
    assert recognised(HttpRequest("POST", "https://openapi.youdao.com/asrapi", (), b"x")) == "101"
    assert recognised(HttpRequest("POST", "https://openapi.youdao.com/asrapi", signed().headers, b"q=1")) == "101"
