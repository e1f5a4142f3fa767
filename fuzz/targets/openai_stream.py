"""Streamed transcriptions: any cut gives the same events, then the same end."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from random import Random

from asrproto.errors import RemoteProtocolError
from asrproto.events import Event
from asrproto.openai.stream import TranscriptionStream
from fuzz.conversations import SECRETS
from fuzz.harness import Target, cuts, fail_alike
from fuzz.mutate import mutate_json, mutate_lines
from fuzz.targets.conversations import check


def decode(pieces: Iterable[bytes]) -> tuple[list[Event], RemoteProtocolError | None]:
    stream = TranscriptionStream(secrets=SECRETS)
    events: list[Event] = []
    try:
        for piece in pieces:
            events += stream.feed(piece)
        events += stream.close()
    except RemoteProtocolError as error:
        return events, error
    return events, None


def read(data: bytes) -> Hashable:
    whole, error = decode([data])
    pieces, same_error = decode(cuts(data))
    assert repr(whole) == repr(pieces)  # repr: a ServiceError is equal to itself only
    assert fail_alike(error, same_error)
    for event in whole:
        check(event)
    return frozenset(type(event).__name__ for event in whole), error and error.reason


def mutate(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    holding = [i for i, line in enumerate(lines) if line.startswith(b"data: {")]
    if not holding or random.random() < 0.3:
        return mutate_lines(data, random)
    i = random.choice(holding)
    lines[i] = b"data: " + mutate_json(lines[i][6:], random).replace(b"\n", b" ")
    return b"\n".join(lines)


TARGETS = (Target("openai_stream", read, mutate=mutate),)
