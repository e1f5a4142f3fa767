"""Server-Sent Events: any cut gives the same events; held against a line-by-line reading of the WHATWG's rules."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable

from asrproto.errors import RemoteProtocolError
from asrproto.http import ServerSentEvent, SSEDecoder
from fuzz.harness import Target, cuts, fail_alike
from fuzz.mutate import mutate_lines

LIMITS = {"max_line_size": 40, "max_event_size": 60}
Outcome = tuple[list[ServerSentEvent], RemoteProtocolError | None]


def decode(pieces: Iterable[bytes], **limits: int) -> Outcome:
    decoder, events = SSEDecoder(**limits), []
    try:
        for piece in pieces:
            events += decoder.feed(piece)
        decoder.close()
    except RemoteProtocolError as error:
        return events, error
    return events, None


def by_the_rules(data: bytes) -> list[tuple[str, str, str]]:
    """https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, word for word."""
    lines = re.split("\r\n|\r|\n", data.decode("utf-8", "replace").removeprefix("\ufeff"))
    events, kind, content, last_id = [], "", [], ""
    for line in lines[:-1]:
        if not line:
            if content:
                events.append((kind or "message", "\n".join(content), last_id))
            kind, content = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            content.append(value)
        elif field == "event":
            kind = value
        elif field == "id" and "\0" not in value:
            last_id = value
    return events


def read(data: bytes) -> Hashable:
    whole, error = decode([data])
    pieces, same_error = decode(cuts(data))
    assert whole == pieces
    assert fail_alike(error, same_error)
    assert [(event.event, event.data, event.id) for event in whole] == by_the_rules(data)
    limited, limit = decode([data], **LIMITS)
    limited_pieces, same_limit = decode(cuts(data), **LIMITS)
    assert limited == limited_pieces == whole[:len(limited)]
    assert fail_alike(limit, same_limit)
    return len(whole).bit_length(), error and error.reason, limit and limit.reason


TARGETS = (Target("http_sse", read, mutate=mutate_lines),)
