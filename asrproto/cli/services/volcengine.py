"""Volcengine's big-model streaming in the demo: binary frames, audio packed with gzip, numbered as the fake checks."""

from __future__ import annotations

from asrproto.cli.services import StreamingService
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.volcengine import BigModelService
from asrproto.volcengine.credentials import AppCredentials
from asrproto.volcengine.streaming import BigModelSession

__all__ = ["SERVICE"]

KEYS = AppCredentials("1234567890", "made-up-access-token")
STRANGER = AppCredentials("1234567890", "token-of-someone-else")


def session(credentials: AppCredentials = KEYS) -> BigModelSession:
    return BigModelSession(credentials, endpoint="bigmodel_async", gzip=True)


def fake(recogniser: RecogniserFactory) -> BigModelService:
    return BigModelService(recogniser, credentials=KEYS)


SERVICE = StreamingService(name="Volcengine, big model", session=session, fake=fake,
                           stranger=lambda: session(STRANGER))
