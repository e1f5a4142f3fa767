"""`asrproto sign`: the signatures of the package's own signers, explained without what must stay secret."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import MedicalScribeSession, TranscribeSession
from asrproto.http import HttpRequest
from asrproto.volcengine.signing import OpenApiSigner, hmac256_authorization, legacy_stream_url
from asrproto.youdao.signing import sign
from asrproto.youdao.streaming import YoudaoSession

from .conftest import Asrproto

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
WHEN = ("--at", "2026-01-02T03:04:05Z")
AWS = Credentials("AKIDEXAMPLE", "very-secret-key/+", "session/token+==")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": AWS.access_key_id, "AWS_SECRET_ACCESS_KEY": AWS.secret_access_key,
    "AWS_SESSION_TOKEN": AWS.session_token,
    "VOLC_ACCESSKEY": "AKLTexample", "VOLC_SECRETKEY": "volc-secret-key",
    "VOLC_SPEECH_ACCESS_TOKEN": "speech-access-token", "VOLC_SPEECH_SECRET_KEY": "speech-secret-key",
    "YOUDAO_APP_KEY": "youdao-app", "YOUDAO_APP_SECRET": "youdao-app-secret",
}
SECRETS = ("very-secret-key", "volc-secret-key", "speech-secret-key", "youdao-app-secret")
ON_THE_WIRE = ("session/token", "session%2Ftoken", "speech-access-token")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, str(value))


@pytest.fixture
def body(tmp_path: Path) -> Path:
    (tmp_path / "body").write_bytes(b"\x11\x10 first frame")
    return tmp_path / "body"


def steps(asrproto: Asrproto, *arguments: object) -> dict[str, str]:
    done = asrproto("sign", *arguments, *WHEN, "--explain", "--json")
    assert (done.status, done.err) == (0, "")
    return {step["name"]: step["text"] for step in json.loads(done.out)["steps"]}


def test_transcribe(asrproto: Asrproto) -> None:
    done = asrproto("sign", "transcribe", *WHEN, "-o", "language_code=en-US", "-o", "vocabulary-name=Words.1")
    session = TranscribeSession(AWS, region="us-east-1", language_code="en-US", vocabulary_name="Words.1",
                                clock=lambda: AT)
    assert (done.status, done.out, done.err) == (0, session.handshake().url + "\n", "")


def test_transcribe_over_http2(asrproto: Asrproto) -> None:
    done = asrproto("sign", "transcribe", *WHEN, "--transport", "http2", "-o", "language_code=en-US", "--region",
                    "eu-west-1")
    request = TranscribeSession(AWS, region="eu-west-1", language_code="en-US", transport="http2",
                                clock=lambda: AT).handshake()
    first, *headers = done.out.splitlines()
    assert first == f"POST {request.url}"
    assert headers == [f"{name}: {value}" for name, value in request.headers]


def test_scribe(asrproto: Asrproto) -> None:
    done = asrproto("sign", "transcribe", *WHEN, "--operation", "scribe", "--json", "-o",
                    "resource_access_role_arn=arn:aws:iam::1:role/x", "-o", "output_bucket_name=bucket",
                    "-o", "language_code=en-US")
    request = MedicalScribeSession(AWS, region="us-east-1", resource_access_role_arn="arn:aws:iam::1:role/x",
                                   output_bucket_name="bucket", language_code="en-US", clock=lambda: AT).handshake()
    assert json.loads(done.out) == {"method": "POST", "url": request.url, "headers": [list(h) for h in request.headers]}


@pytest.mark.parametrize("transport", ["websocket", "http2"])
def test_the_steps_lead_to_the_signature(asrproto: Asrproto, transport: str) -> None:
    arguments = ("transcribe", "--transport", transport, "-o", "language_code=en-US")
    explained = steps(asrproto, *arguments)
    canonical, to_sign = explained["canonical request"], explained["string to sign"]
    whole = canonical.replace("***", "session%2Ftoken%2B%3D%3D" if transport == "websocket" else "session/token+==")
    assert whole != canonical
    assert to_sign.splitlines()[-1] == hashlib.sha256(whole.encode()).hexdigest()
    key = b"AWS4" + AWS.secret_access_key.encode()
    for part in ("20260102", "us-east-1", "transcribe", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    assert signature in asrproto("sign", *arguments, *WHEN).out


def test_openapi(asrproto: Asrproto) -> None:
    url = "https://open.volcengineapi.com/?Action=ListUsers&Version=2018-01-01"
    signer = OpenApiSigner("AKLTexample", "volc-secret-key", service="iam", region="cn-north-1")
    arguments = ("volcengine", "openapi", url, "--service", "iam", "-H", "X-Extra: yes")
    request = HttpRequest("GET", url, (("X-Extra", "yes"),))
    done = asrproto("sign", *arguments, *WHEN)
    assert done.out.splitlines()[1:] == [f"{name}: {value}" for name, value in signer.sign(request, at=AT).headers]
    presigned = asrproto("sign", *arguments, *WHEN, "--presign", "--expires", 60, "--json")
    assert json.loads(presigned.out)["url"] == signer.presign(request, at=AT, expires=60).url
    assert steps(asrproto, *arguments)["string to sign"] == signer.string_to_sign(request, at=AT)
    explained = steps(asrproto, *arguments, "--presign")
    assert explained["canonical request"] == signer.canonical_request(request, at=AT, presign=True)


def test_hmac256(asrproto: Asrproto, body: Path) -> None:
    done = asrproto("sign", "volcengine", "hmac256", "--body", body, *WHEN)
    value = hmac256_authorization(access_token="speech-access-token", secret_key="speech-secret-key",
                                  path="/api/v2/asr", body=body.read_bytes())
    assert done.out.splitlines()[-1] == f"Authorization: {value}"
    text = steps(asrproto, "volcengine", "hmac256", "--body", body)["string to sign"]
    assert text == "GET /api/v2/asr HTTP/1.1\nauth_custom\n<14 bytes of the first frame>"


def test_stream(asrproto: Asrproto) -> None:
    arguments = ("volcengine", "stream", "--appkey", "app", "--resource-id", "asr")
    stamp = int(AT.timestamp())
    assert asrproto("sign", *arguments, "--at", stamp).out.strip() == legacy_stream_url(
        access_key="AKLTexample", secret_key="volc-secret-key", appkey="app", resource_id="asr", timestamp=stamp)
    assert steps(asrproto, *arguments)["string to sign"] == f"appkey=app&timestamp={stamp}"


def test_youdao(asrproto: Asrproto, body: Path) -> None:
    done = asrproto("sign", "youdao", "--language", "en", "--salt", "s1", *WHEN)
    session = YoudaoSession("youdao-app", "youdao-app-secret", language="en", salt="s1", clock=lambda: AT)
    assert done.out.strip() == session.handshake().url
    body.write_text("x" * 50 + "\n")
    done = asrproto("sign", "youdao", "--sign-type", "v3", "--q", body, "--salt", "s1", "--json", *WHEN)
    fields = json.loads(done.out)
    assert fields["sign"] == sign("youdao-app", "youdao-app-secret", salt="s1", curtime=int(AT.timestamp()),
                                  q="x" * 50, sign_type="v3")
    explained = steps(asrproto, "youdao", "--sign-type", "v3", "--q", body, "--salt", "s1")
    text = explained["string to sign"].replace("<the application's secret>", "youdao-app-secret")
    assert hashlib.sha256(text.encode()).hexdigest() == fields["sign"]


KINDS = [
    ["transcribe", "-o", "language_code=en-US"], ["transcribe", "-o", "language_code=en-US", "--transport", "http2"],
    ["volcengine", "openapi", "https://open.volcengineapi.com/", "--service", "iam"],
    ["volcengine", "hmac256", "--body", "{body}"], ["volcengine", "stream", "--appkey", "a", "--resource-id", "r"],
    ["youdao"], ["youdao", "--sign-type", "v4"],
]


@pytest.mark.parametrize("arguments", KINDS, ids=" ".join)
@pytest.mark.parametrize("more", [[], ["--json"], ["--explain"], ["--explain", "--json"]], ids=" ".join)
def test_secrets_are_not_printed(asrproto: Asrproto, body: Path, arguments: list[str], more: list[str]) -> None:
    done = asrproto("sign", *[argument.replace("{body}", str(body)) for argument in arguments], *more)
    assert (done.status, done.err) == (0, "")
    hidden = [*SECRETS, *(ON_THE_WIRE if "--explain" in more else ())]
    assert not [secret for secret in hidden if secret in done.out]


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_without_a_terminal_the_variable_is_named(asrproto: Asrproto, body: Path, monkeypatch: pytest.MonkeyPatch,
                                                  name: str) -> None:
    monkeypatch.delenv(name)
    done = [asrproto("sign", *[argument.replace("{body}", str(body)) for argument in arguments])
            for arguments in KINDS]
    missing = [one for one in done if one.status]
    assert all(one.status == 2 and one.complaint.startswith(f"{name} is not set") for one in missing)
    assert bool(missing) is (name != "AWS_SESSION_TOKEN")


@pytest.mark.parametrize(("arguments", "words"), [
    (["transcribe"], "must be given"),
    (["transcribe", "-o", "language_code=en-US", "-o", "expires=301"], "expires must be"),
    (["transcribe", "-o", "language_code=en-US", "--region", "here"], "region must be"),
    (["transcribe", "-o", "language_code=en-US", "--at", "noon"], "is not a time"),
    (["transcribe", "--operation", "scribe", "--transport", "websocket"], "HTTP/2 only"),
    (["volcengine", "openapi", "no url", "--service", "iam"], "must be absolute"),
    (["volcengine", "openapi", "https://x/", "--service", "iam", "-H", "nothing"], "-H takes"),
    (["volcengine", "openapi", "https://x/", "--service", "iam", "--expires", "5"], "--presign"),
    (["volcengine", "hmac256", "--body", "missing"], "missing: no such file"),
    (["youdao", "--language", "xx"], "xx"),
    (["youdao", "--sign-type", "v3"], "signs q"),
])
def test_wrong_use(asrproto: Asrproto, arguments: list[str], words: str) -> None:
    done = asrproto("sign", *arguments)
    assert done.status == 2, done
    assert words in done.err
    assert "Traceback" not in done.err


def test_the_url_says_what_was_asked_for(asrproto: Asrproto) -> None:
    url = asrproto("sign", "transcribe", "-o", "identify_language=true", "-o", "language_options=en-US,de-DE").out
    query = parse_qs(urlsplit(url).query)
    assert (query["identify-language"], query["language-options"]) == (["true"], ["en-US,de-DE"])
