"""Every streaming session's `receive`: events, errors of the one tree, and nothing else, until the connection ends."""

from __future__ import annotations

import pickle
from collections.abc import Hashable
from functools import lru_cache, partial
from math import isfinite
from random import Random

from asrproto.errors import RemoteProtocolError
from asrproto.events import Event, SessionEnded, SessionFailed, Transcript
from fuzz.conversations import CONVERSATIONS, SECRETS, opened
from fuzz.harness import Target
from fuzz.mutate import mutate_bytes, mutate_json, mutate_messages, unpack_messages
from fuzz.targets import aws_eventstream, volcengine_frames

# How a message of each service is changed.
_FRAMES = {"transcribe": aws_eventstream.mutate, "volcengine": volcengine_frames.mutate, "youdao": mutate_json,
           "openai": mutate_json}

_opened = lru_cache(None)(opened)


def check(event: Event) -> None:
    """The common shape holds, whatever the service wrote into its own."""
    assert isinstance(event, Event)
    if isinstance(event, Transcript):
        assert isinstance(event.text, str)
        assert isinstance(event.is_final, bool)
        for time in (event.start, event.end, *(t for word in event.words for t in (word.start, word.end))):
            assert time is None or (isinstance(time, float) and isfinite(time)), time
        for name in (event.segment_id, event.channel, event.speaker, event.language):
            assert name is None or isinstance(name, str), name
    if isinstance(event, SessionFailed):
        assert not any(secret in f"{event!r} {event.error}" for secret in SECRETS)


def read(name: str, data: bytes) -> Hashable:
    session = pickle.loads(_opened(name))
    seen = []
    for message in unpack_messages(data):
        try:
            events = session.receive(message)
        except RemoteProtocolError as error:
            seen.append(error.reason)
            told = str(error)
            if any(secret in told for secret in SECRETS):
                raise AssertionError("an error tells a secret") from None
            continue
        for event in events:
            check(event)
        seen += [type(event).__name__ for event in events]
    try:
        for event in session.receive_eof():
            check(event)
            seen.append(type(event).__name__)
    except RemoteProtocolError as error:
        seen.append(error.reason)
    ends = [kind for kind in seen if kind in (SessionEnded.__name__, SessionFailed.__name__)]
    assert len(ends) <= 1, ends
    return frozenset(seen), ends == [SessionEnded.__name__]


def mutate(name: str, data: bytes, random: Random) -> bytes:
    return mutate_messages(data, random, _FRAMES.get(name.partition("_")[0], mutate_bytes))


TARGETS = tuple(Target(f"session_{name}", partial(read, name), allowed=(), mutate=partial(mutate, name))
                for name in CONVERSATIONS)
