"""Replies over HTTP, in every format and shape; streams of events, cut anywhere; the first bytes of recordings."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import chain
from typing import Any

from asrproto.audio.containers import probe
from asrproto.errors import RemoteProtocolError, ServiceError
from asrproto.events import Event
from asrproto.openai.dialects import RESPONSE_FORMATS
from asrproto.openai.stream import TranscriptionStream
from asrproto.openai.transcription import parse_transcription
from asrproto.youdao.long import parse_done, parse_prepare, parse_progress, parse_result
from asrproto.youdao.short import parse_short
from fuzz.conversations import SECRETS
from fuzz.harness import Target, cuts, fail_alike
from fuzz.mutate import mutate_json, mutate_lines
from fuzz.targets.conversations import check

STATUSES = (200, 200, 400, 401, 429, 502)


def told(error: Exception) -> str:
    """What an error says, which is no secret."""
    assert not any(secret in f"{error!r} {error}" for secret in SECRETS)
    return error.code if isinstance(error, ServiceError) else type(error).__name__


def read_openai(data: bytes) -> Hashable:
    """The length chooses format and status, so that a change of a byte stays within them."""
    response_format = RESPONSE_FORMATS[len(data) % len(RESPONSE_FORMATS)]
    try:
        transcripts = parse_transcription(data, response_format=response_format, secrets=SECRETS,
                                          status=STATUSES[len(data) // 7 % len(STATUSES)])
    except ServiceError as error:
        return "refused", len(told(error)) < 20
    for transcript in transcripts:
        check(transcript)
    return response_format, len(transcripts).bit_length(), any(transcript.words for transcript in transcripts)


def read_youdao(data: bytes) -> Hashable:
    return tuple(seen_by(parse, data) for parse in (parse_short, parse_prepare, parse_done, parse_progress,
                                                    parse_result))


def seen_by(parse: Callable[..., Any], data: bytes) -> str:
    try:
        result = parse(data, secrets=SECRETS)
    except ServiceError as error:
        return told(error)
    except RemoteProtocolError as error:
        return error.reason
    for event in result if isinstance(result, list) else [result]:
        if isinstance(event, Event):
            check(event)
    return type(result).__name__


def follow(pieces: Iterable[bytes]) -> tuple[list[Event], RemoteProtocolError | None]:
    stream, events = TranscriptionStream(secrets=SECRETS), []
    try:
        for piece in pieces:
            events += stream.feed(piece)
        events += stream.close()
    except RemoteProtocolError as error:
        return events, error
    return events, None


def read_stream(data: bytes) -> Hashable:
    events, error = follow([data])
    pieces, same_error = follow(chain(cuts(data), [b""]))
    assert repr(events) == repr(pieces)  # errors in events are equal to themselves only
    assert fail_alike(error, same_error)
    for event in events:
        check(event)
    return frozenset(type(event).__name__ for event in events), error and error.reason


def read_recording(data: bytes) -> Hashable:
    found = probe(data)
    if found is None:
        return None
    assert found.seconds is None or found.seconds >= 0
    return found.container, found.rate, found.channels, found.seconds is None


TARGETS = (
    Target("openai_reply", read_openai, mutate=mutate_json),
    Target("openai_stream", read_stream, mutate=mutate_lines),
    Target("youdao_reply", read_youdao, mutate=mutate_json),
    Target("recording", read_recording, allowed=()),
)
