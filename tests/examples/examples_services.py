"""The services that the drivers are tried with: a session for a fake that is served at some address, and the fake."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import MedicalSession, TranscribeSession
from asrproto.openai.dialects import VLLM
from asrproto.openai.realtime import RealtimeSession
from asrproto.session import StreamingSession
from asrproto.testing import FailingStreamingService, ScriptedRecogniser
from asrproto.testing.openai import RealtimeService
from asrproto.testing.transcribe import FakeTranscribe
from asrproto.testing.volcengine import BigModelService, LegacyService
from asrproto.testing.youdao import StreamingService
from asrproto.volcengine.credentials import AppCredentials
from asrproto.volcengine.streaming import BigModelSession, LegacySession
from asrproto.youdao.streaming import YoudaoSession

TEXT = "go forward ten meters"
HEARD = partial(ScriptedRecogniser, TEXT, seconds_per_word=0.1)

AWS = Credentials("AKIDEXAMPLE", "made-up/secret+key", "made-up/session+token=")
APP = AppCredentials("1234567890", "made-up-token", "made-up-secret")
YOUDAO = ("0123456789abcdef", "made-up-app-secret")
KEY = "sk-made-up"


class Service(NamedTuple):
    """A session for whatever serves at host:port, one that is refused there, and the fake that serves."""

    session: Callable[[str], StreamingSession]
    stranger: Callable[[str], StreamingSession]
    fake: Callable[[], FailingStreamingService]


def _transcribe(address: str, keys: Credentials = AWS, **options: Any) -> StreamingSession:
    return TranscribeSession(keys, region="us-east-1", language_code="en-US", endpoint=f"ws://{address}", **options)


def _bigmodel(address: str, app: AppCredentials = APP) -> StreamingSession:
    return BigModelSession(app, url=f"ws://{address}/api/v3/sauc/bigmodel_async")


def _legacy(address: str, app: AppCredentials = APP) -> StreamingSession:
    return LegacySession(app, cluster="c", authorization="hmac256", url=f"ws://{address}/api/v2/asr")


def _youdao(address: str, secret: str = YOUDAO[1]) -> StreamingSession:
    return YoudaoSession(YOUDAO[0], secret, language="en", endpoint=f"ws://{address}/stream_asropenapi")


def _realtime(address: str, key: str = KEY, **options: Any) -> StreamingSession:
    return RealtimeSession(api_key=key, model="m", base_url=f"http://{address}/v1", **options)


STRANGER = Credentials(AWS.access_key_id, "another-secret", AWS.session_token)
_OTHER_APP = AppCredentials(APP.app_id, "another-token", "another-secret")
_transcribe_fake = partial(FakeTranscribe, HEARD, credentials=AWS)
_realtime_fake = partial(RealtimeService, HEARD, api_key=KEY)

SERVICES = {
    "transcribe": Service(_transcribe, partial(_transcribe, keys=STRANGER), _transcribe_fake),
    "transcribe_signed": Service(partial(_transcribe, sign_frames=True), partial(_transcribe, keys=STRANGER),
                                 _transcribe_fake),
    "volcengine": Service(_bigmodel, partial(_bigmodel, app=_OTHER_APP),
                          partial(BigModelService, HEARD, credentials=APP)),
    "volcengine_legacy": Service(_legacy, partial(_legacy, app=_OTHER_APP),
                                 partial(LegacyService, HEARD, credentials=APP, cluster="c")),
    "youdao": Service(_youdao, partial(_youdao, secret="another-secret"),
                      partial(StreamingService, HEARD, app_key=YOUDAO[0], app_secret=YOUDAO[1])),
    "openai": Service(_realtime, partial(_realtime, key="sk-another"), _realtime_fake),
    "vllm": Service(partial(_realtime, dialect=VLLM), partial(_realtime, key="sk-another", dialect=VLLM),
                    partial(_realtime_fake, dialect=VLLM)),
}


def transcribe_http2(kind: type[TranscribeSession | MedicalSession], address: str, keys: Credentials = AWS,
                     **options: Any) -> StreamingSession:
    return kind(keys, region="us-east-1", transport="http2", endpoint=f"http://{address}", **options)
