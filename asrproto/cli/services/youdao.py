"""Youdao in the demo, as a stream: a signed WebSocket, a WAV header, then 200 ms of PCM a message."""

from __future__ import annotations

from asrproto.cli.services import StreamingService
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.youdao import StreamingService as Fake
from asrproto.youdao.streaming import YoudaoSession

__all__ = ["APP_KEY", "APP_SECRET", "SERVICE", "WRONG_SECRET"]

APP_KEY, APP_SECRET = "0123456789abcdef", "s3cr3tS3cr3tS3cr3tS3cr3tS3cr3t00"
WRONG_SECRET = "not the secret of this application"


def session(secret: str = APP_SECRET) -> YoudaoSession:
    return YoudaoSession(APP_KEY, secret, language="en")


def fake(recognisers: RecogniserFactory) -> Fake:
    return Fake(recognisers, app_key=APP_KEY, app_secret=APP_SECRET)


SERVICE = StreamingService(name="Youdao, stream", session=session, fake=fake, stranger=lambda: session(WRONG_SECRET),
                           chunk_ms=200)
