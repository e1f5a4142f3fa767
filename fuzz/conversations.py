"""Every streaming conversation: a session, the fake service it talks to, and what the two said to each other.

The rows serve the fuzz targets, the seeds and the tests of leaks, secrets and faults in transit.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import NamedTuple

from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import CallAnalyticsSession, MedicalScribeSession, MedicalSession, TranscribeSession
from asrproto.events import Event
from asrproto.openai.dialects import VLLM
from asrproto.openai.realtime import RealtimeSession
from asrproto.session import StreamingSession
from asrproto.testing import FakeStreamingService, ScriptedRecogniser
from asrproto.testing.openai import RealtimeService
from asrproto.testing.transcribe import FakeTranscribe
from asrproto.testing.volcengine import BigModelService, LegacyService
from asrproto.testing.youdao import StreamingService
from asrproto.volcengine.credentials import ApiKey, AppCredentials
from asrproto.volcengine.streaming import BigModelSession, LegacySession
from asrproto.youdao.streaming import YoudaoSession

__all__ = ["AT", "CONVERSATIONS", "SECRETS", "Conversation", "at", "opened", "recorded", "sent"]

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SECRETS = ("MarkerOfTheSecretAccessKey0123456789abcd", "MarkerOfTheSessionToken0123456789")
"""What must show nowhere: a secret that never travels, and a token that travels in the handshake."""

HEARD = partial(ScriptedRecogniser, "go forward ten metres", seconds_per_word=0.1)
AUDIO = bytes(3200) * 5  # half a second at 16 kHz

Message = bytes | str


def at() -> datetime:
    """A clock that stands still."""
    return AT


class Conversation(NamedTuple):
    """How to make both sides of one kind of conversation."""

    session: Callable[[], StreamingSession]
    service: Callable[[], FakeStreamingService]


_aws = Credentials("AKIDEXAMPLE", SECRETS[0], SECRETS[1])
_transcribe = partial(FakeTranscribe, HEARD, credentials=_aws, clock=at)
_app = AppCredentials("123456789", SECRETS[1], SECRETS[0])
_key = ApiKey(SECRETS[1])

CONVERSATIONS: dict[str, Conversation] = {
    "transcribe_websocket": Conversation(
        partial(TranscribeSession, _aws, region="us-east-1", language_code="en-US", clock=at), _transcribe),
    "transcribe_http2": Conversation(
        partial(TranscribeSession, _aws, region="us-east-1", transport="http2", identify_language=True,
                language_options=["en-US", "de-DE"], show_speaker_label=True, clock=at), _transcribe),
    "transcribe_medical": Conversation(
        partial(MedicalSession, _aws, region="us-east-1", specialty="CARDIOLOGY", type="DICTATION", sign_frames=True,
                clock=at), _transcribe),
    "transcribe_analytics": Conversation(
        partial(CallAnalyticsSession, _aws, region="us-east-1", language_code="en-US",
                channel_roles=["AGENT", "CUSTOMER"], clock=at), _transcribe),
    "transcribe_scribe": Conversation(
        partial(MedicalScribeSession, _aws, region="us-east-1", output_bucket_name="notes",
                resource_access_role_arn="arn:aws:iam::123456789012:role/x", clock=at), _transcribe),
    "volcengine_bigmodel": Conversation(
        partial(BigModelSession, _app, connect_id="c-1"),
        partial(BigModelService, HEARD, credentials=_app, words_per_utterance=2, log_id="L-1")),
    "volcengine_single": Conversation(
        partial(BigModelSession, _key, connect_id="c-2", result_type="single", show_utterances=True, gzip=False),
        partial(BigModelService, HEARD, credentials=_key, words_per_utterance=2, log_id="L-2", gzip=True)),
    "volcengine_legacy": Conversation(
        partial(LegacySession, _app, cluster="general", reqid="r-1", authorization="hmac256"),
        partial(LegacyService, HEARD, credentials=_app, cluster="general", words_per_utterance=2, log_id="L-3")),
    "youdao": Conversation(
        partial(YoudaoSession, "app-1", SECRETS[0], language="en", salt="s-1", clock=at),
        partial(StreamingService, HEARD, app_key="app-1", app_secret=SECRETS[0])),
    "openai_realtime": Conversation(
        partial(RealtimeSession, api_key=SECRETS[1], model="whisper-1"),
        partial(RealtimeService, HEARD, api_key=SECRETS[1])),
    "openai_turns": Conversation(
        partial(RealtimeSession, api_key=SECRETS[1], model="whisper-1", turn_detection={"type": "server_vad"}),
        partial(RealtimeService, HEARD, api_key=SECRETS[1])),
    "openai_vllm": Conversation(
        partial(RealtimeSession, api_key=SECRETS[1], model="whisper-1", dialect=VLLM),
        partial(RealtimeService, HEARD, api_key=SECRETS[1], dialect=VLLM)),
}


def sent(name: str) -> list[Message]:
    """What a client says in one conversation."""
    session = CONVERSATIONS[name].session()
    session.handshake()
    return [*session.start(), *session.send_audio(AUDIO), *session.end_audio()]


def opened(name: str) -> bytes:
    """A session that has sent its audio and heard nothing yet, pickled: `pickle.loads` makes a fresh one."""
    session = CONVERSATIONS[name].session()
    session.handshake()
    session.start()
    session.send_audio(AUDIO)
    session.end_audio()
    return pickle.dumps(session)


def recorded(name: str, *, refused: bool = False, delay: int = 0) -> tuple[list[Message], list[Event]]:
    """What the service says in one conversation, and the events that a session makes of it.

    Where it is `refused`, the service gets nonsense after half of the audio. Its answers arrive when the client has
    made `delay` more calls, in order.
    """
    session, service = CONVERSATIONS[name].session(), CONVERSATIONS[name].service()
    fake = service.accept(session.handshake(), at=AT)
    calls = [session.start,
             *(partial(session.send_audio, AUDIO[start:start + 3200]) for start in range(0, len(AUDIO), 3200)),
             session.end_audio]
    if refused:
        calls.insert(len(calls) // 2, lambda: ["nonsense", b"nonsense"])
    answers: list[list[Message]] = []
    events: list[Event] = []
    for i, call in enumerate(calls + [list] * delay):
        answers.append([answer for message in call() for answer in fake.receive(message)])
        if i >= delay:
            events += [event for answer in answers[i - delay] for event in session.receive(answer)]
    events += session.receive_eof()
    return [answer for some in answers for answer in some], events
