"""A client and a fake service talking to each other in a plain loop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from functools import partial
from typing import Any

from asrproto.events import Event, Transcript
from asrproto.session import StreamingSession
from asrproto.testing import FakeStreamingService, ScriptedRecogniser
from asrproto.volcengine.credentials import AppCredentials

AT = datetime(2026, 4, 9, 17, 59, 57, tzinfo=timezone.utc)
LOG_ID = "20260409175957B079592BDCD6D1DEF28C"
CREDENTIALS = AppCredentials("123456789", "made-up-token", "made-up-secret")
SEVEN = partial(ScriptedRecogniser, "one two three four five six seven")


def converse(session: Any, service: FakeStreamingService, pieces: Iterable[Any]) -> list[Event]:
    """All events of a conversation over these pieces of audio."""
    assert isinstance(session, StreamingSession)
    conversation = service.accept(session.handshake(), at=AT)
    events = list(session.receive_handshake(101, conversation.response_headers))

    def send(messages: Iterable[bytes | str]) -> None:
        for message in messages:
            for answer in conversation.receive(message):
                events.extend(session.receive(answer))

    send(session.start())
    for piece in pieces:
        send(session.send_audio(piece))
    send(session.end_audio())
    events.extend(session.receive_eof())
    return events


def finals(events: Iterable[Event]) -> list[tuple[str | None, str]]:
    return [(event.segment_id, event.text) for event in events if isinstance(event, Transcript) and event.is_final]


def partials(events: Iterable[Event]) -> list[tuple[str | None, str]]:
    return [(event.segment_id, event.text) for event in events if isinstance(event, Transcript) and not event.is_final]
