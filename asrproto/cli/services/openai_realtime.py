"""OpenAI in the demo, realtime: 24 kHz PCM in Base64 over a WebSocket."""

from __future__ import annotations

from asrproto.cli.services import StreamingService
from asrproto.cli.services.openai import API_KEY, WRONG_KEY
from asrproto.openai.realtime import RealtimeSession
from asrproto.testing.openai import RealtimeService
from asrproto.testing.recogniser import RecogniserFactory

__all__ = ["SERVICE"]


def session(api_key: str = API_KEY) -> RealtimeSession:
    return RealtimeSession(api_key=api_key, model="gpt-4o-transcribe", language="en")


def fake(recognisers: RecogniserFactory) -> RealtimeService:
    return RealtimeService(recognisers, api_key=API_KEY)


SERVICE = StreamingService(name="OpenAI, realtime", session=session, fake=fake, stranger=lambda: session(WRONG_KEY),
                           rate=24_000)
