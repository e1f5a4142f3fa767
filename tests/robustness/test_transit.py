"""Faults in transit: whatever happens to a message on its way, at every byte, a session survives or fails cleanly.

A recorded conversation is replayed up to some message; that message arrives damaged, and the rest follows. Nothing but
events and RemoteProtocolErrors may come out, and what had been transcribed before stays as it was.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pytest

from asrproto.errors import RemoteProtocolError
from asrproto.events import Event, SessionEnded, SessionFailed, Transcript
from fuzz.conversations import CONVERSATIONS, Message, opened, recorded
from fuzz.targets.conversations import check

CONTINUOUS = {"transcribe_http2", "transcribe_scribe"}  # a stream of bytes, whose pieces mean nothing
CHECKSUMMED = {name for name in CONVERSATIONS if name.startswith("transcribe")}  # every byte of every message


class Recording(NamedTuple):
    messages: list[Message]
    states: list[bytes]  # the session before each message, pickled
    events: list[list[Event]]  # what it made of each message

    def before(self, i: int) -> list[Event]:
        return [event for events in self.events[:i] for event in events]


@lru_cache(None)
def recording(name: str) -> Recording:
    """A conversation whose answers come after all audio was sent."""
    session: Any = pickle.loads(opened(name))
    messages, states, events = recorded(name)[0], [], []
    for message in messages:
        states.append(pickle.dumps(session))
        events.append(list(session.receive(message)))
    return Recording(messages, states, events)


def replay(name: str, i: int, arriving: Sequence[Message]) -> tuple[list[list[Event]], int]:
    """What each arriving message after the first `i` gives, and how many were refused."""
    session = pickle.loads(recording(name).states[i])
    heard, refused = [], 0
    for message in [*arriving, None]:
        try:
            events = session.receive_eof() if message is None else session.receive(message)
        except RemoteProtocolError:
            events, refused = [], refused + 1
        for event in events:
            check(event)
        heard.append(list(events))
    ends = [event for events in heard for event in events if isinstance(event, SessionEnded | SessionFailed)]
    assert len(ends) <= 1
    return heard, refused


def positions(name: str) -> Iterator[tuple[int, int]]:
    for i, message in enumerate(recording(name).messages):
        for at in range(len(message)):
            yield i, at


def joined(pieces: Sequence[Message]) -> Message:
    return b"".join(pieces) if isinstance(pieces[0], bytes) else "".join(pieces)  # type: ignore[arg-type]


def changed(message: Message, at: int) -> Message:
    other = chr(ord(message[at]) ^ 5) if isinstance(message, str) else bytes((message[at] ^ 5,))
    return joined([message[:at], other, message[at + 1:]])


def merged(messages: Sequence[Message]) -> bool:
    return all(type(message) is type(messages[0]) for message in messages)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_recording_has_transcripts(name: str) -> None:
    heard = recording(name).before(len(recording(name).messages))
    assert any(isinstance(event, Transcript) and event.is_final for event in heard)
    assert replay(name, 0, recording(name).messages)[1] == 0


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_corrupted_at_every_byte(name: str) -> None:
    messages = recording(name).messages
    for i, at in positions(name):
        heard, refused = replay(name, i, [changed(messages[i], at), *messages[i + 1:]])
        if name in CHECKSUMMED:  # nothing damaged is believed
            assert refused
            assert name in CONTINUOUS or heard[0] == []


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_cut_off_at_every_byte(name: str) -> None:
    messages = recording(name).messages
    for i, at in positions(name):
        replay(name, i, [messages[i][:at]])
        replay(name, i, [messages[i][:at], *messages[i + 1:]])


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_split_at_every_byte(name: str) -> None:
    messages = recording(name).messages
    for i, at in positions(name):
        heard, refused = replay(name, i, [messages[i][:at], messages[i][at:], *messages[i + 1:]])
        if name in CONTINUOUS:
            assert not refused
            assert [event for events in heard[:-1] for event in events] == [
                event for events in recording(name).events[i:] for event in events]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_merged(name: str) -> None:
    messages = recording(name).messages
    for i in range(len(messages)):
        for j in range(i + 2, len(messages) + 1):
            if not merged(messages[i:j]):
                continue
            heard, refused = replay(name, i, [joined(messages[i:j]), *messages[j:]])
            if name in CONTINUOUS:
                assert not refused
                assert heard[0] == [event for events in recording(name).events[i:j] for event in events]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_lost_repeated_and_reordered(name: str) -> None:
    messages = recording(name).messages
    for i in range(len(messages)):
        replay(name, i, messages[i + 1:])
        heard, _ = replay(name, i, [messages[i], *messages[i:]])
        assert heard[0] == recording(name).events[i]
        for j in range(i + 1, len(messages)):  # the message i comes as late as j
            replay(name, i, [*messages[i + 1:j + 1], messages[i], *messages[j + 1:]])


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_what_was_transcribed_before_stays(name: str) -> None:
    """The same prefix gives the same events, whatever follows it; and none is taken back by what does."""
    whole = recording(name)
    for i, message in enumerate(whole.messages):
        heard, _ = replay(name, 0, [*whole.messages[:i], changed(message, len(message) // 2), *whole.messages[i + 1:]])
        assert [event for events in heard[:i] for event in events] == whole.before(i)
        final = {event.segment_id: event.text for event in whole.before(i)
                 if isinstance(event, Transcript) and event.is_final}
        for event in (event for events in heard[i:] for event in events):
            if isinstance(event, Transcript) and event.segment_id in final:
                assert event.is_final
                assert event.text == final[event.segment_id]


def transcripts(events: Sequence[Event]) -> list[Any]:
    return [(event.text, event.is_final, event.segment_id, event.words) for event in events
            if isinstance(event, Transcript)]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_delayed(name: str) -> None:
    at_once = recorded(name)
    for delay in range(1, 8):
        messages, events = recorded(name, delay=delay)
        assert messages == at_once[0]
        assert transcripts(events) == transcripts(at_once[1])
