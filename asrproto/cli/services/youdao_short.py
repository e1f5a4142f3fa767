"""Youdao in the demo, as one request: a WAV in Base64 in a signed form."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import numpy as np

from asrproto.cli.services import RequestService
from asrproto.cli.services.youdao import APP_KEY, APP_SECRET, WRONG_SECRET
from asrproto.errors import ServiceError
from asrproto.events import Event, SessionFailed
from asrproto.http import HttpRequest, HttpResponse
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.youdao import ShortService
from asrproto.youdao.short import parse_short, short_request

__all__ = ["SERVICE"]


def exchange(pcm: bytes, *, secret: str = APP_SECRET) -> Generator[HttpRequest, HttpResponse, list[Event]]:
    response = yield short_request(np.frombuffer(pcm, "<i2"), rate=16000, app_key=APP_KEY, app_secret=secret,
                                   language="en")
    try:
        return [parse_short(response.body, status=response.status, secrets=(secret,))]
    except ServiceError as error:
        return [SessionFailed(error)]


def fake(recognisers: RecogniserFactory) -> ShortService:
    return ShortService(recognisers, app_key=APP_KEY, app_secret=APP_SECRET)


SERVICE = RequestService(name="Youdao, short", exchange=exchange, fake=fake,
                         stranger=partial(exchange, secret=WRONG_SECRET))
