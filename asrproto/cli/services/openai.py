"""OpenAI in the demo, as one request: a form with a WAV, answered by Server-Sent Events."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import numpy as np

from asrproto.cli.services import RequestService
from asrproto.events import Event, SessionFailed
from asrproto.http import HttpRequest, HttpResponse
from asrproto.openai.errors import parse_error
from asrproto.openai.stream import TranscriptionStream
from asrproto.openai.transcription import transcription_request
from asrproto.testing.openai import TranscriptionService
from asrproto.testing.recogniser import RecogniserFactory

__all__ = ["API_KEY", "SERVICE", "WRONG_KEY"]

API_KEY, WRONG_KEY = "sk-made-up-for-the-demo", "sk-not-the-key-of-the-demo"


def exchange(pcm: bytes, *, api_key: str = API_KEY) -> Generator[HttpRequest, HttpResponse, list[Event]]:
    response = yield transcription_request(np.frombuffer(pcm, "<i2"), rate=16000, api_key=api_key,
                                           model="gpt-4o-transcribe", language="en", stream=True)
    if response.status >= 400:
        return [SessionFailed(parse_error(response.status, response.body, headers=response.headers,
                                          secrets=(api_key,)))]
    stream = TranscriptionStream(secrets=(api_key,))
    return [*stream.feed(response.body), *stream.close()]


def fake(recognisers: RecogniserFactory) -> TranscriptionService:
    return TranscriptionService(recognisers, api_key=API_KEY)


SERVICE = RequestService(name="OpenAI, streamed reply", exchange=exchange, fake=fake,
                         stranger=partial(exchange, api_key=WRONG_KEY))
