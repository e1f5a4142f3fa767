"""Volcengine's older streaming in the demo, signed: the fake checks the MAC over handshake and first frame."""

from __future__ import annotations

from asrproto.cli.services import StreamingService
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.volcengine import LegacyService
from asrproto.volcengine.credentials import AppCredentials
from asrproto.volcengine.streaming import LegacySession

__all__ = ["SERVICE"]

CLUSTER = "volcengine_streaming_common"
KEYS = AppCredentials("1234567890", "made-up-access-token", "made-up-secret-key")
STRANGER = AppCredentials("1234567890", "made-up-access-token", "secret-of-someone-else")


def session(credentials: AppCredentials = KEYS) -> LegacySession:
    return LegacySession(credentials, cluster=CLUSTER, authorization="hmac256", language="en-US")


def fake(recogniser: RecogniserFactory) -> LegacyService:
    return LegacyService(recogniser, credentials=KEYS, cluster=CLUSTER)


SERVICE = StreamingService(name="Volcengine, older streaming", session=session, fake=fake,
                           stranger=lambda: session(STRANGER))
