"""Checking signed requests from the service's side."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.aws.sigv4 import (
    STREAMING_EVENTS,
    Credentials,
    EventSigner,
    SignatureRejected,
    SigV4Signer,
    verify_presigned,
    verify_signed,
)
from asrproto.errors import AsrProtoError, LocalProtocolError, ServiceError
from asrproto.http import HttpRequest

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
URL = "wss://transcribestreaming.eu-west-1.amazonaws.com:8443/stream-transcription-websocket?language-code=en-GB"
TOKEN = "made/up+token=="
CREDENTIALS = Credentials("AKID", "made-up-secret", TOKEN)
SCOPE = {"region": "eu-west-1", "service": "transcribe"}

Edit = Callable[[HttpRequest], HttpRequest]


def known(access_key_id: str) -> Credentials | None:
    return CREDENTIALS if access_key_id == "AKID" else None


def signer(credentials: Credentials = CREDENTIALS, **options: bool) -> SigV4Signer:
    return SigV4Signer(credentials, **SCOPE, **options)


def presigned(**options: bool) -> HttpRequest:
    return signer(**options).presign(HttpRequest("GET", URL), at=AT, expires=300)


def signed(body: bytes = b"body", **options: bool) -> HttpRequest:
    return signer(**options).sign(HttpRequest("POST", URL, [("Content-Type", "x/y")], body), at=AT,
                                  content_sha256_header=True)


def url(old: str, new: str) -> Edit:
    def edit(request: HttpRequest) -> HttpRequest:
        assert old in request.url
        return HttpRequest(request.method, request.url.replace(old, new), request.headers, request.body)

    return edit


def header(name: str, change: Callable[[str], str | None]) -> Edit:
    def edit(request: HttpRequest) -> HttpRequest:
        assert request.header(name) is not None
        pairs = [(key, change(value) if key == name else value) for key, value in request.headers]
        return HttpRequest(request.method, request.url, [pair for pair in pairs if pair[1] is not None], request.body)

    return edit


def replace(old: str, new: str) -> Callable[[str], str]:
    def change(value: str) -> str:
        assert old in value
        return value.replace(old, new)

    return change


def add(name: str, value: str) -> Edit:
    return lambda request: HttpRequest(request.method, request.url, (*request.headers, (name, value)), request.body)


def test_good_signatures() -> None:
    for verified in (verify_presigned(presigned(), credentials_for=known, at=AT, **SCOPE),
                     verify_signed(signed(), credentials_for=known, at=AT, **SCOPE),
                     verify_signed(signed(), credentials_for=known, at=AT)):
        assert (verified.credentials, verified.region, verified.service) == (CREDENTIALS, "eu-west-1", "transcribe")
        assert verified.signed_at == AT
        for shown in (repr(verified), repr(verified.__rich_repr__())):
            assert not any(secret in shown for secret in (TOKEN, "made-up-secret", verified.signature))


def test_token_appended_after_signing() -> None:
    options = {"sign_session_token": False}
    verify_presigned(presigned(**options), credentials_for=known, at=AT, **options)
    verify_signed(signed(**options), credentials_for=known, at=AT, **options)
    for verify, request in ((verify_presigned, presigned(**options)), (verify_signed, signed(**options))):
        with pytest.raises(SignatureRejected):
            verify(request, credentials_for=known, at=AT)


def test_an_opening_request_and_its_events() -> None:
    request = signer().sign(HttpRequest("POST", URL), at=AT, payload_hash=STREAMING_EVENTS, content_sha256_header=True)
    verified = verify_signed(request, credentials_for=known, at=AT, **SCOPE)
    events, checks = EventSigner(signer(), prior_signature=verified.signature), verified.event_verifier()
    frame = events.sign(b"event", at=AT)
    assert checks.verify({":date": int(AT.timestamp() * 1000), ":chunk-signature": frame[47:79]}, frame[79:-4],
                         at=AT) == b"event"


@pytest.mark.parametrize(("edit", "at", "reason", "code"), [
    (url("en-GB", "en-US"), AT, "mismatch", "InvalidSignatureException"),
    (url("amazonaws", "example"), AT, "mismatch", "InvalidSignatureException"),
    (url("/stream-t", "/stream-T"), AT, "mismatch", "InvalidSignatureException"),
    (url("Expires=300", "Expires=301"), AT, "mismatch", "InvalidSignatureException"),
    (add("Host", "elsewhere.example"), AT, "mismatch", "InvalidSignatureException"),
    (url("", ""), AT + timedelta(seconds=301), "expired", "InvalidSignatureException"),
    (url("", ""), AT - timedelta(seconds=301), "not-yet-valid", "InvalidSignatureException"),
    (url("AKID", "OTHER"), AT, "unknown-key", "UnrecognizedClientException"),
    (url("made%2Fup", "made%2Fdown"), AT, "wrong-token", "UnrecognizedClientException"),
    (url("X-Amz-Security-Token", "Y"), AT, "wrong-token", "UnrecognizedClientException"),
    (url("%2F20240506%2F", "%2F20240507%2F"), AT, "wrong-date", "InvalidSignatureException"),
    (url("%2Feu-west-1", "%2Feu-west-2"), AT, "wrong-region", "InvalidSignatureException"),
    (url("%2Ftranscribe", "%2Fs3"), AT, "wrong-service", "InvalidSignatureException"),
    (url("aws4_request", "aws5_request"), AT, "wrong-terminator", "InvalidSignatureException"),
    (url("%2Faws4_request", ""), AT, "incomplete", "IncompleteSignatureException"),
    (url("Headers=host", "Headers="), AT, "unsigned-header", "InvalidSignatureException"),
    (add("X-Amz-Extra", "1"), AT, "unsigned-header", "InvalidSignatureException"),
    (url("Expires=300", "Expires=0"), AT, "incomplete", "IncompleteSignatureException"),
    (url("Expires=300", "Expires=604801"), AT, "incomplete", "IncompleteSignatureException"),
    (url("Expires=300", "Expires=soon"), AT, "incomplete", "IncompleteSignatureException"),
    (url("Date=2024", "Date=x"), AT, "incomplete", "IncompleteSignatureException"),
    (url("Date=202405", "Date=202413"), AT, "incomplete", "IncompleteSignatureException"),
    (url("AWS4-HMAC", "AWS3-HMAC"), AT, "incomplete", "IncompleteSignatureException"),
    (url("X-Amz-Signature", "Y"), AT, "incomplete", "IncompleteSignatureException"),
    (url("X-Amz-Credential", "X-Amz-Date"), AT, "incomplete", "IncompleteSignatureException"),
    (url("X-Amz-", "Y-"), AT, "unsigned", "MissingAuthenticationTokenException"),
])
def test_presigned_refused(edit: Edit, at: datetime, reason: str, code: str) -> None:
    with pytest.raises(SignatureRejected) as caught:
        verify_presigned(edit(presigned()), credentials_for=known, at=at, **SCOPE)
    assert (caught.value.reason, caught.value.code, caught.value.retryable) == (reason, code, False)


@pytest.mark.parametrize(("edit", "at", "reason"), [
    (url("en-GB", "en-US"), AT, "mismatch"),
    (header("Content-Type", replace("x/y", "x/z")), AT, "mismatch"),
    (header("Content-Type", lambda _: None), AT, "mismatch"),
    (url("", ""), AT + timedelta(seconds=301), "expired"),
    (url("", ""), AT - timedelta(seconds=301), "not-yet-valid"),
    (header("Authorization", replace("AKID", "OTHER")), AT, "unknown-key"),
    (header("Authorization", replace("eu-west-1", "eu-west-2")), AT, "wrong-region"),
    (header("Authorization", replace("/transcribe/", "/s3/")), AT, "wrong-service"),
    (header("Authorization", replace("/aws4_request", "/request")), AT, "wrong-terminator"),
    (header("Authorization", replace("/20240506/", "/20240507/")), AT, "wrong-date"),
    (header("Authorization", replace("SignedHeaders", "Signed")), AT, "incomplete"),
    (header("Authorization", replace(", Signature=", ", Signature=f, Signature=")), AT, "incomplete"),
    (header("Authorization", replace("AWS4-HMAC-SHA256 ", "Bearer ")), AT, "incomplete"),
    (header("Authorization", replace("host;", "")), AT, "unsigned-header"),
    (header("Authorization", replace(";x-amz-date", "")), AT, "unsigned-header"),
    (header("Authorization", lambda _: ""), AT, "incomplete"),
    (header("Authorization", lambda _: None), AT, "unsigned"),
    (header("X-Amz-Date", lambda _: "yesterday"), AT, "incomplete"),
    (header("X-Amz-Date", lambda _: None), AT, "incomplete"),
    (header("X-Amz-Security-Token", lambda _: "other"), AT, "wrong-token"),
    (header("X-Amz-Security-Token", lambda _: None), AT, "wrong-token"),
    (header("X-Amz-Content-Sha256", lambda _: "0" * 64), AT, "payload-mismatch"),
    (header("X-Amz-Content-Sha256", lambda _: "UNSIGNED-PAYLOAD"), AT, "mismatch"),
])
def test_signed_refused(edit: Edit, at: datetime, reason: str) -> None:
    with pytest.raises(SignatureRejected) as caught:
        verify_signed(edit(signed()), credentials_for=known, at=at, **SCOPE)
    assert caught.value.reason == reason


@pytest.mark.parametrize("verify", [verify_presigned, verify_signed])
def test_the_ends_of_time(verify: Callable[..., object]) -> None:
    for at in (datetime(1, 1, 1, tzinfo=timezone.utc), datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)):
        request = HttpRequest("GET", URL)
        request = (signer().presign(request, at=at, expires=604800) if verify is verify_presigned
                   else signer().sign(request, at=at))
        verify(request, credentials_for=known, at=at)
        with pytest.raises(SignatureRejected):
            verify(request, credentials_for=known, at=AT)


def test_a_scope_that_has_no_bytes() -> None:
    request = header("Authorization", replace("eu-west-1", "eu-\ud800"))(signed())
    with pytest.raises(SignatureRejected) as caught:
        verify_signed(request, credentials_for=known, at=AT)
    assert caught.value.reason == "incomplete"


def test_an_altered_body_is_refused() -> None:
    good = signed()
    with pytest.raises(SignatureRejected) as caught:
        verify_signed(HttpRequest(good.method, good.url, good.headers, b"Body"), credentials_for=known, at=AT)
    assert caught.value.reason == "payload-mismatch"
    plain = signer().sign(HttpRequest("POST", URL, body=b"body"), at=AT)
    with pytest.raises(SignatureRejected) as caught:
        verify_signed(HttpRequest(plain.method, plain.url, plain.headers, b"Body"), credentials_for=known, at=AT)
    assert caught.value.reason == "mismatch"


def test_limits_of_a_service() -> None:
    request = signer().presign(HttpRequest("GET", URL), at=AT, expires=301)
    verify_presigned(request, credentials_for=known, at=AT)
    with pytest.raises(SignatureRejected, match="1 to 300 seconds"):
        verify_presigned(request, credentials_for=known, at=AT, max_expires=300)
    late = AT + timedelta(minutes=10)
    verify_signed(signed(), credentials_for=known, at=late, allowed_skew=timedelta(minutes=15))


def test_a_mismatch_shows_what_was_computed_but_no_secret() -> None:
    request = url("en-GB", "en-US")(presigned())
    with pytest.raises(SignatureRejected) as caught:
        verify_presigned(request, credentials_for=known, at=AT)
    error = caught.value
    expected = signer().canonical_request(HttpRequest("GET", URL.replace("en-GB", "en-US")), at=AT, expires=300)
    assert error.canonical_request == expected.replace("made%2Fup%2Btoken%3D%3D", "***")
    assert error.string_to_sign == signer().string_to_sign(HttpRequest("GET", URL.replace("en-GB", "en-US")), at=AT,
                                                           expires=300)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.reason, copy.canonical_request) == (str(error), "mismatch", error.canonical_request)
    assert isinstance(error, ServiceError)


def test_a_naive_clock_is_refused() -> None:
    for verify, request in ((verify_presigned, presigned()), (verify_signed, signed())):
        with pytest.raises(LocalProtocolError, match="naive"):
            verify(request, credentials_for=known, at=datetime(2024, 5, 6))


junk = st.text(max_size=30) | st.text("AKI /,=&%2\ud800é", max_size=9)


@given(data=st.data())
def test_whatever_arrives_is_accepted_or_refused(data: st.DataObject) -> None:
    """Damage of any kind is answered with an error of the project's own, and only the undamaged request is accepted."""
    request = data.draw(st.sampled_from([presigned(), signed()]))
    text = data.draw(st.sampled_from([request.url, *(value for _, value in request.headers)]))
    start = data.draw(st.integers(0, len(text)))
    damaged = text[:start] + data.draw(junk) + text[data.draw(st.integers(start, len(text))):]
    headers = [(name, damaged if value == text else value) for name, value in request.headers]
    altered = HttpRequest(request.method, damaged if text == request.url else request.url, headers, request.body)
    for verify in (verify_presigned, verify_signed):
        try:
            verify(altered, credentials_for=known, at=AT)
        except AsrProtoError:
            continue
        assert signer().canonical_request(altered, at=AT) == signer().canonical_request(request, at=AT)
