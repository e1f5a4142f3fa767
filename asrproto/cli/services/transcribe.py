"""Amazon Transcribe in the demo: a presigned WebSocket, whose signature the fake checks."""

from __future__ import annotations

from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import TranscribeSession
from asrproto.cli.services import StreamingService
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.transcribe import FakeTranscribe

__all__ = ["SERVICE"]

REGION = "us-east-1"
KEYS = Credentials("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0", "a session token")
STRANGER = Credentials(KEYS.access_key_id, "not the secret key of this account", KEYS.session_token)


def session(credentials: Credentials = KEYS) -> TranscribeSession:
    return TranscribeSession(credentials, region=REGION, language_code="en-US", sample_rate=16000)


def fake(recogniser: RecogniserFactory) -> FakeTranscribe:
    return FakeTranscribe(recogniser, credentials=KEYS, region=REGION)


SERVICE = StreamingService(name="Amazon Transcribe", session=session, fake=fake, stranger=lambda: session(STRANGER))
