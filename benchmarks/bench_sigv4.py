"""Presigning the Transcribe URL and signing events."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from hmac import digest
from typing import Any

import pytest

from asrproto.aws.eventstream import MessageEncoder
from asrproto.aws.sigv4 import Credentials, EventSigner, SigV4Signer
from asrproto.http import HttpRequest

CREDENTIALS = Credentials("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0")
REGION, SERVICE = "eu-west-1", "transcribe"
HOST = "transcribestreaming.eu-west-1.amazonaws.com:8443"
TARGET = ("/stream-transcription-websocket?language-code=en-GB&media-encoding=pcm&sample-rate=16000"
          "&session-id=6e2a1f0b-8f2b-4e0f-9d0e-1f6f2f1b7c11&vocabulary-name=my%20words")
AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
PCM = bytes(range(256)) * 12 + bytes(128)
AUDIO_HEADERS = {":message-type": "event", ":event-type": "AudioEvent", ":content-type": "application/octet-stream"}
SEED = "5" * 64


def clock() -> Callable[[], datetime]:
    """Every call 100 ms later than the one before, as chunks of audio are."""
    moments = itertools.cycle([AT + timedelta(milliseconds=100 * step) for step in range(3000)])
    return moments.__next__


def asrproto_presign() -> Callable[[], Any]:
    signer = SigV4Signer(CREDENTIALS, service=SERVICE, region=REGION)
    request = HttpRequest("GET", f"wss://{HOST}{TARGET}")
    now = clock()
    return lambda: signer.presign(request, at=now(), expires=300)


def botocore_presign() -> Callable[[], Any]:
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Key

    signer = auth.SigV4QueryAuth(Key(CREDENTIALS.access_key_id, CREDENTIALS.secret_access_key), SERVICE, REGION, 300)

    def presign() -> str:
        request = AWSRequest("GET", f"https://{HOST}{TARGET}")
        signer.add_auth(request)
        return request.url

    return presign


def awscrt_presign() -> Callable[[], Any]:
    auth = pytest.importorskip("awscrt.auth")
    from awscrt.http import HttpHeaders, HttpRequest

    provider = auth.AwsCredentialsProvider.new_static(CREDENTIALS.access_key_id, CREDENTIALS.secret_access_key)
    now = clock()

    def presign() -> str:
        # The time is part of the configuration.
        config = auth.AwsSigningConfig(signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
                                       credentials_provider=provider, region=REGION, service=SERVICE, date=now(),
                                       expiration_in_seconds=300)
        request = HttpRequest("GET", TARGET, HttpHeaders([("Host", HOST)]))
        return auth.aws_sign_request(request, config).result().path

    return presign


PRESIGN = {"asrproto": asrproto_presign, "botocore": botocore_presign, "awscrt": awscrt_presign}


@pytest.mark.parametrize("who", PRESIGN)
def test_presign(contest: Callable[..., Any], who: str) -> None:
    presign = PRESIGN[who]()
    signed = presign()
    assert "X-Amz-Signature=" in (signed.url if isinstance(signed, HttpRequest) else signed)
    contest("presign the Transcribe URL", who, presign, at_least={"botocore": 8, "awscrt": 1.5})


def asrproto_event() -> Callable[[], Any]:
    encoder = MessageEncoder(AUDIO_HEADERS)
    signer = EventSigner(SigV4Signer(CREDENTIALS, service=SERVICE, region=REGION), prior_signature=SEED)
    now = clock()
    return lambda: signer.sign(encoder.encode(PCM), at=now())


def sdk_event() -> Callable[[], Any]:
    eventstream = pytest.importorskip("amazon_transcribe.eventstream")
    from amazon_transcribe.auth import Credentials as Key

    serializer = eventstream.EventStreamMessageSerializer()
    signer = eventstream.EventSigner(SERVICE, REGION, utc_now=clock())
    key = Key(CREDENTIALS.access_key_id, CREDENTIALS.secret_access_key, None)
    prior = bytes.fromhex(SEED)

    def sign() -> bytes:
        nonlocal prior
        event = serializer.serialize(AUDIO_HEADERS, PCM)
        headers = signer.sign(event, prior, key)
        prior = headers[":chunk-signature"]
        return serializer.serialize(headers, event)

    return sign


def floor() -> Callable[[], Any]:
    event = MessageEncoder(AUDIO_HEADERS).encode(PCM)
    to_sign = bytes(320)
    key = bytes(32)

    def hash_and_sign() -> bytes:
        sha256(event).digest()
        return digest(key, to_sign, "sha256")

    return hash_and_sign


EVENT = {"asrproto": asrproto_event, "amazon-transcribe": sdk_event, "sha256 + hmac alone": floor}


@pytest.mark.parametrize("who", EVENT)
def test_event(contest: Callable[..., Any], who: str) -> None:
    # 1 / 1.4 of the floor: within 1.4 times of it.
    contest("encode, sign and wrap a 3200-byte AudioEvent", who, EVENT[who](),
            at_least={"amazon-transcribe": 4, "sha256 + hmac alone": 1 / 1.4})
