"""Signing and checking single events."""

from __future__ import annotations

import pickle
import struct
import zlib
from datetime import datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.aws.sigv4 import Credentials, EventSigner, EventVerifier, SignatureRejected, SigV4Signer
from asrproto.aws.sigv4.events import event_string_to_sign
from asrproto.errors import LocalProtocolError
from asrproto.http.canonical import derive_key

CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
AT = datetime(2024, 5, 6, 7, 8, 9, 123987, tzinfo=timezone.utc)
SEED = "5" * 64


def signer(prior_signature: str = SEED) -> EventSigner:
    return EventSigner(SigV4Signer(CREDENTIALS, service="transcribe", region="eu-west-1"),
                       prior_signature=prior_signature)


def verifier(prior_signature: str = SEED, credentials: Credentials = CREDENTIALS) -> EventVerifier:
    return EventVerifier(credentials, service="transcribe", region="eu-west-1", prior_signature=prior_signature)


def unwrap(frame: bytes) -> tuple[dict[str, object], bytes]:
    """Headers and payload of an outer frame, read by its fixed layout."""
    total, headers_length, prelude_crc = struct.unpack_from(">III", frame)
    assert (total, headers_length) == (len(frame), 67)
    assert prelude_crc == zlib.crc32(frame[:8])
    assert struct.unpack(">I", frame[-4:])[0] == zlib.crc32(frame[:-4])
    headers = frame[12:79]
    assert (headers[:7], headers[15:35]) == (b"\x05:date\x08", b"\x10:chunk-signature\x06\x00\x20")
    return {":date": struct.unpack(">q", headers[7:15])[0], ":chunk-signature": headers[35:]}, frame[79:-4]


def test_string_to_sign_known_answer() -> None:
    # smithy-rs, aws-sigv4/src/event_stream.rs, test string_to_sign; the message has the header some-header = "value"
    # and the payload "test payload".
    body = b"\x0bsome-header\x07\x00\x05valuetest payload"
    prelude = struct.pack(">II", len(body) + 16, 20)
    prelude += struct.pack(">I", zlib.crc32(prelude))
    message = prelude + body + struct.pack(">I", zlib.crc32(prelude + body))
    assert event_string_to_sign(
        "19731129T213309Z", "19731129/us-east-1/testservice/aws4_request", sha256(b"last message sts").hexdigest(),
        b"\x05:date\x08" + struct.pack(">q", 123456789000), message,
    ) == (
        "AWS4-HMAC-SHA256-PAYLOAD\n"
        "19731129T213309Z\n"
        "19731129/us-east-1/testservice/aws4_request\n"
        "be1f8c7d79ef8e1abc5254a2c70e4da3bfaf4f07328f527444e1fc6ea67273e2\n"
        "0c0e3b3bf66b59b976181bd7d401927bbd624107303c713fd1e5f3d3c8dd1b1e\n"
        "f2eba0f2e95967ee9fbc6db5e678d2fd599229c0d04b11e4fc8e0f2a02a806c6"
    )


def test_signature_known_answer() -> None:
    # smithy-typescript, signature-v4/src/SignatureV4.spec.ts, "support event signing" (taken from the Ruby SDK's spec):
    # the header's time and the signing time differ there, and nothing was signed before.
    scheme = SigV4Signer(Credentials("akid", "secret"), service="SERVICE", region="REGION").scheme
    to_sign = event_string_to_sign("20130524T000000Z", "20130524/REGION/SERVICE/aws4_request", "",
                                   bytes([5, 58, 100, 97, 116, 101, 8, 0, 0, 1, 103, 247, 125, 87, 112]), b"foo")
    key = derive_key(scheme, "secret", "20130524", "REGION", "SERVICE")
    assert key.sign(to_sign.encode()).hex() == "204bb5e2713e95354680e9522986d3ac0304aeafd33397f39e6540ca51ffe226"


def test_frames_roll() -> None:
    ours = signer()
    prior = SEED
    for step, payload in enumerate([b"one", b"two", b""]):
        at = AT + timedelta(milliseconds=100 * step)
        frame = ours.sign(payload, at=at) if payload else ours.sign_end(at=at)
        headers, inner = unwrap(frame)
        assert inner == payload
        assert headers[":date"] == int(at.timestamp() * 1000) == 1714979289123 + 100 * step
        to_sign = event_string_to_sign("20240506T070809Z", "20240506/eu-west-1/transcribe/aws4_request", prior,
                                       frame[12:27], payload)
        key = derive_key(SigV4Signer(CREDENTIALS, service="transcribe", region="eu-west-1").scheme,
                         CREDENTIALS.secret_access_key, "20240506", "eu-west-1", "transcribe")
        assert headers[":chunk-signature"] == key.sign(to_sign.encode())
        prior = headers[":chunk-signature"].hex()
        assert ours.prior_signature == prior


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6), st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.timezones()))
def test_what_is_signed_is_accepted(payloads: list[bytes], at: datetime) -> None:
    ours, theirs = signer(), verifier()
    for payload in payloads:
        headers, inner = unwrap(ours.sign(payload, at=at))
        assert theirs.verify(headers, inner, at=at) == payload
    assert not theirs.ended
    headers, inner = unwrap(ours.sign_end(at=at))
    assert theirs.verify(headers, inner, at=at) == b""
    assert theirs.ended


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer(kind: type) -> None:
    assert signer().sign(kind(b"payload"), at=AT) == signer().sign(b"payload", at=AT)


def test_a_pickled_signer_goes_on() -> None:
    ours = signer()
    ours.sign(b"one", at=AT)
    copy = pickle.loads(pickle.dumps(ours))
    assert copy.sign(b"two", at=AT) == ours.sign(b"two", at=AT)


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=4), st.text("abc/+", min_size=1), st.datetimes(
    min_value=datetime(1971, 1, 1), max_value=datetime(2099, 12, 31)))
def test_amazon_transcribe_sdk(payloads: list[bytes], secret: str, at: datetime) -> None:
    sdk = pytest.importorskip("amazon_transcribe.eventstream")
    auth = pytest.importorskip("amazon_transcribe.auth")
    # The SDK rounds the time by way of a float, which half seconds survive.
    at = at.replace(microsecond=at.microsecond // 500000 * 500000, tzinfo=timezone.utc)
    theirs = sdk.EventSigner("transcribe", "eu-west-1", utc_now=lambda: at)
    ours = EventSigner(SigV4Signer(Credentials("AKID", secret), service="transcribe", region="eu-west-1"),
                       prior_signature=SEED)
    prior = bytes.fromhex(SEED)
    for payload in [*payloads, b""]:
        headers = theirs.sign(payload, prior, auth.Credentials("AKID", secret, None))
        prior = headers[":chunk-signature"]
        expected = sdk.EventStreamMessageSerializer().serialize(headers, payload)
        assert (ours.sign(payload, at=at) if payload else ours.sign_end(at=at)) == expected


def test_days_change_under_a_stream() -> None:
    ours, theirs = signer(), verifier()
    for at in (datetime(2024, 5, 6, 23, 59, 59, tzinfo=timezone.utc), datetime(2024, 5, 7, tzinfo=timezone.utc)):
        headers, inner = unwrap(ours.sign(b"payload", at=at))
        assert theirs.verify(headers, inner, at=at) == b"payload"


def test_wrong_use() -> None:
    with pytest.raises(LocalProtocolError, match="naive"):
        signer().sign(b"x", at=datetime(2024, 5, 6))
    with pytest.raises(LocalProtocolError, match=r"sign_end\(\)"):
        signer().sign(b"", at=AT)
    with pytest.raises(TypeError):
        signer().sign("text", at=AT)
    with pytest.raises(TypeError, match="contiguous"):
        signer().sign(memoryview(b"abcd")[::2], at=AT)
    with pytest.raises(LocalProtocolError, match="25165824"):  # what the event stream allows a frame
        signer().sign(bytes(24 * 1024 * 1024), at=AT)
    with pytest.raises(LocalProtocolError, match="64 lower-case hex digits"):
        signer("F" * 64)
    with pytest.raises(TypeError, match="prior_signature"):
        signer(b"\0" * 32)
    with pytest.raises(TypeError, match="SigV4Signer"):
        EventSigner(CREDENTIALS, prior_signature=SEED)
    ended = signer()
    ended.sign_end(at=AT)
    for again in (lambda: ended.sign(b"x", at=AT), lambda: ended.sign_end(at=AT)):
        with pytest.raises(LocalProtocolError, match="ended"):
            again()


def test_a_failed_call_leaves_the_signer_as_it_was() -> None:
    ours = signer()
    with pytest.raises(LocalProtocolError):
        ours.sign(b"x", at=datetime(2024, 5, 6))
    assert ours.sign(b"x", at=AT) == signer().sign(b"x", at=AT)


HEADERS, PAYLOAD = unwrap(signer().sign(b"payload", at=AT))


@pytest.mark.parametrize(("headers", "payload", "at", "reason"), [
    (HEADERS, b"Payload", AT, "mismatch"),
    ({**HEADERS, ":chunk-signature": bytes(32)}, PAYLOAD, AT, "mismatch"),
    ({**HEADERS, ":chunk-signature": b"short"}, PAYLOAD, AT, "mismatch"),
    ({**HEADERS, ":date": HEADERS[":date"] + 1}, PAYLOAD, AT, "mismatch"),
    (HEADERS, PAYLOAD, AT + timedelta(minutes=5, seconds=1), "expired"),
    (HEADERS, PAYLOAD, AT - timedelta(minutes=5, seconds=1), "not-yet-valid"),
    ({":date": HEADERS[":date"]}, PAYLOAD, AT, "incomplete"),
    ({":chunk-signature": HEADERS[":chunk-signature"]}, PAYLOAD, AT, "incomplete"),
    ({**HEADERS, ":date": True}, PAYLOAD, AT, "incomplete"),
    ({**HEADERS, ":date": "1714979289123"}, PAYLOAD, AT, "incomplete"),
    ({**HEADERS, ":date": 2 ** 63 - 1}, PAYLOAD, AT, "incomplete"),
])
def test_refused(headers: dict[str, object], payload: bytes, at: datetime, reason: str) -> None:
    theirs = verifier()
    for _ in range(2):  # once failed, it stays failed
        with pytest.raises(SignatureRejected) as caught:
            theirs.verify(headers, payload, at=at)
        assert caught.value.reason == reason
    with pytest.raises(SignatureRejected) as again:
        theirs.verify(HEADERS, PAYLOAD, at=AT)
    assert str(again.value) == str(caught.value)


def test_another_seed_or_secret_is_refused() -> None:
    for theirs in (verifier("6" * 64), verifier(credentials=Credentials("AKIDEXAMPLE", "another-secret"))):
        with pytest.raises(SignatureRejected) as caught:
            theirs.verify(HEADERS, PAYLOAD, at=AT)
        assert (caught.value.reason, caught.value.code) == ("mismatch", "InvalidSignatureException")


def test_nothing_after_the_end() -> None:
    ours, theirs = signer(), verifier()
    headers, inner = unwrap(ours.sign_end(at=AT))
    theirs.verify(headers, inner, at=AT)
    with pytest.raises(SignatureRejected, match="after the end"):
        theirs.verify(headers, inner, at=AT)
