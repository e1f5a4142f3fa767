"""Replies over HTTP: each parser gives transcripts, a ServiceError, or a RemoteProtocolError, whatever the body.

The first byte of an input chooses among the ways to ask (format, status); the rest is the body.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from random import Random
from typing import Any

from asrproto.errors import RemoteProtocolError, ServiceError
from asrproto.events import Transcript
from asrproto.openai.dialects import RESPONSE_FORMATS
from asrproto.openai.replies import parse_transcription
from asrproto.volcengine.recording import parse_query, parse_submit
from asrproto.youdao.long import parse_done, parse_prepare, parse_progress, parse_result
from asrproto.youdao.short import parse_short
from fuzz.conversations import SECRETS
from fuzz.harness import Target
from fuzz.mutate import mutate_bytes, mutate_json, mutate_lines
from fuzz.targets.conversations import check

Parser = Callable[[bytes], Any]


def _volcengine(parse: Callable[..., Any], body: bytes) -> Any:
    """The status travels in headers: the body's first line here."""
    code, _, rest = body.partition(b"\n")
    return parse({"X-Api-Status-Code": code.decode("utf-8", "replace"), "X-Api-Message": SECRETS[1]}, rest,
                 credentials=None)


PARSERS: dict[str, Sequence[Parser]] = {
    "openai": [partial(parse_transcription, response_format=name, status=status, secrets=SECRETS)
               for name in RESPONSE_FORMATS for status in (200, 429)],
    "youdao": [partial(parse, status=status, secrets=SECRETS)
               for parse in (parse_short, parse_prepare, parse_done, parse_progress, parse_result)
               for status in (200, 500)],
    "volcengine": [partial(_volcengine, parse_submit), partial(_volcengine, parse_query)],
}


def read(name: str, data: bytes) -> Hashable:
    way = data[0] % len(PARSERS[name]) if data else 0
    try:
        result = PARSERS[name][way](data[1:])
    except ServiceError as error:
        if name != "volcengine" and any(secret in str(error) for secret in SECRETS):
            raise AssertionError("a refusal tells a secret") from None
        return way, error.retryable
    except RemoteProtocolError as error:
        return way, error.reason
    transcripts: Iterable[Any] = getattr(result, "transcripts", result)
    for item in transcripts if isinstance(transcripts, list | tuple) else [result]:
        if isinstance(item, Transcript):
            check(item)
    return way, type(result).__name__, len(result).bit_length() if isinstance(result, list) else 0


def mutate(data: bytes, random: Random) -> bytes:
    if random.random() < 0.1:
        return bytes((random.randrange(256),)) + data[1:]
    line, newline, rest = data[1:].partition(b"\n")
    if newline and line.isdigit():  # a status, then JSON
        if random.random() < 0.1:
            line = mutate_bytes(line, random)
        return data[:1] + line + newline + mutate_json(rest, random)
    return data[:1] + (mutate_json if data[1:2] in (b"{", b"[") else mutate_lines)(data[1:], random)


TARGETS = tuple(Target(f"replies_{name}", partial(read, name), mutate=mutate) for name in PARSERS)
