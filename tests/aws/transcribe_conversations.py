"""Shared by the tests of conversations with Transcribe: sessions of every kind, the fake, and a driver loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pytest

from asrproto import Event
from asrproto.aws.eventstream import Message
from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import CallAnalyticsSession, MedicalScribeSession, MedicalSession, TranscribeSession
from asrproto.testing import ScriptedRecogniser
from asrproto.testing.transcribe import FakeTranscribe, TranscribeConversation

NOW = datetime(2026, 3, 14, 15, 9, 26, 535897, timezone.utc)
KEYS = Credentials("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0", "a-session/token==")
WORDS = "go forward ten meters"
SECOND = bytes(range(250)) * 128  # 32000 bytes: one second of s16le at 16 kHz
AUDIO_HEADERS = {":message-type": "event", ":event-type": "AudioEvent", ":content-type": "application/octet-stream"}
ROLE = "arn:aws:iam::111122223333:role/Demo"


def now() -> datetime:
    return NOW


standard = partial(TranscribeSession, KEYS, region="us-east-1", clock=now, language_code="en-US")
medical = partial(MedicalSession, KEYS, region="us-east-1", clock=now, specialty="CARDIOLOGY", type="DICTATION")
analytics = partial(CallAnalyticsSession, KEYS, region="us-east-1", clock=now, language_code="en-US")
scribe = partial(MedicalScribeSession, KEYS, region="us-east-1", clock=now, resource_access_role_arn=ROLE,
                 output_bucket_name="notes-of-ours")
SESSIONS: dict[str, Callable[[], Any]] = {
    "standard websocket": standard,
    "standard websocket signed": partial(standard, sign_frames=True),
    "standard http2": partial(standard, transport="http2"),
    "medical websocket": medical,
    "medical http2": partial(medical, transport="http2"),
    "analytics websocket": analytics,
    "analytics http2": partial(analytics, transport="http2"),
    "scribe http2": scribe,
}
every_session = pytest.mark.parametrize("make", SESSIONS.values(), ids=SESSIONS)


def service(**changes: Any) -> FakeTranscribe:
    return FakeTranscribe(**{"recogniser": partial(ScriptedRecogniser, WORDS), "credentials": KEYS, "clock": now}
                          | changes)


def opened(session: Any, fake: FakeTranscribe | None = None) -> TranscribeConversation:
    return (fake or service()).accept(session.handshake(), at=NOW)


def talk(session: Any, conversation: TranscribeConversation, audio: Iterable[bytes]) -> list[Event]:
    """The driver loop without a socket."""
    events: list[Event] = []

    def send(messages: Iterable[bytes]) -> None:
        for message in messages:
            for answer in conversation.receive(message):
                events.extend(session.receive(answer))

    send(session.start())
    for piece in audio:
        send(session.send_audio(piece))
    send(session.end_audio())
    conversation.receive_eof()
    return [*events, *session.receive_eof()]


def inner_frames(messages: Iterable[bytes]) -> list[Message]:
    """What is in the frames, signed or plain, without the signed empty one."""
    frames = []
    for message in messages:
        frame = Message.decode(message)
        if ":chunk-signature" in frame.headers:
            if not frame.payload:
                continue
            frame = Message.decode(frame.payload)
        frames.append(frame)
    return frames


def started(session: Any) -> Any:
    session.handshake()
    session.start()
    return session


both_transports = pytest.mark.parametrize("transport", ["websocket", "http2"])
