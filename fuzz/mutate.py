"""Mutations: of bytes, of JSON documents, of lines, of conversations. Each format's own are with its target."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

__all__ = ["mutate_bytes", "mutate_json", "mutate_lines", "mutate_messages", "pack_messages", "unpack_messages"]

MAX_SIZE = 1 << 14

_INTEGERS = (0, 1, 2, 7, 8, 12, 15, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1 << 24, (1 << 31) - 1, 1 << 31,
             (1 << 32) - 16, (1 << 32) - 1)
_BYTES = (b"", b"\0", b"\n", b"\r", b"\r\n\r\n", b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xef\xbb\xbf",
          b"{", b"[", b'"', b"\\u", b":", b"-", b"RIFF", b"\x1f\x8b", b"\x00\x00\x00\x10", b"\x7f\xff", b"\x80\x00")
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 10**30, 2**63, -2**63 - 1, "", "0", "-1", "1e999", "NaN", "9",
    "error", "\0", "\ud83d\ude00", "x" * 300, [], [[]], {}, [None], [{}], {"": None}, [1, "a"])


def _span(size: int, random: Random) -> tuple[int, int]:
    start = random.randrange(size + 1)
    return start, min(size, start + random.choice((1, 1, 2, 4, 8, 16, 64)))


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """One small change anywhere."""
    out = bytearray(data)
    start, end = _span(len(out), random)
    kind = random.randrange(9)
    if kind == 0 and start < len(out):
        out[start] ^= 1 << random.randrange(8)
    elif kind == 1 and start < len(out):
        out[start] = random.randrange(256)
    elif kind == 2:
        width = random.choice((1, 2, 4, 8))
        value = random.choice(_INTEGERS) + random.choice((-1, 0, 0, 1))
        out[start:start + width] = (value % (1 << 8 * width)).to_bytes(width, random.choice(("big", "little")))
    elif kind == 3:
        del out[start:end]
    elif kind == 4:
        out[start:start] = out[start:end] * random.choice((1, 1, 2, 9))
    elif kind == 5:
        out[start:start] = random.choice(_BYTES)
    elif kind == 6:
        other = random.randrange(len(out) + 1)
        out[other:other] = out[start:end]
        del out[start:end]
    elif kind == 7:
        out[start:end] = random.randbytes(end - start)
    else:
        del out[random.randrange(len(out) + 1):]
    return bytes(out[:MAX_SIZE])


def mutate_lines(data: bytes, random: Random) -> bytes:
    """One line dropped, repeated, moved or changed, or its ending."""
    lines = data.splitlines(keepends=True)
    if not lines or random.random() < 0.3:
        return mutate_bytes(data, random)
    i = random.randrange(len(lines))
    kind = random.randrange(5)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(random.randrange(len(lines) + 1), lines[i])
    elif kind == 2:
        lines[i] = lines[i].rstrip(b"\r\n") + random.choice((b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b""))
    elif kind == 3:
        lines[i] = mutate_bytes(lines[i], random)
    else:
        random.shuffle(lines)
    return b"".join(lines)[:MAX_SIZE]


def _nodes(document: Any) -> list[tuple[Any, Any]]:
    """Every place in a document, as a container and a key."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            waiting.append(node[key])
    return found


def mutate_json(data: bytes, random: Random) -> bytes:
    """One value of a document replaced, dropped, repeated, wrapped or renamed; else a change of its text."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return mutate_bytes(data, random)
    places = _nodes(document)
    kind = random.randrange(8)
    if kind == 0 or not places:
        return mutate_bytes(data, random)
    node, key = random.choice(places)
    if kind == 1:
        del node[key]
    elif kind == 2:
        other, name = random.choice(places)
        node[key] = json.loads(json.dumps(other[name]))
    elif kind == 3:
        node[key] = [node[key]] * random.choice((0, 1, 3))
    elif kind == 4 and isinstance(node, dict):
        node[random.choice((key + "s", key.upper(), "", "text", "type"))] = node.pop(key)
    elif kind == 5 and isinstance(node[key], str):
        node[key] = mutate_bytes(node[key].encode("utf-8", "replace"), random).decode("utf-8", "replace")
    elif kind == 6 and isinstance(node[key], str | int | float):
        node[key] = str(node[key]) if not isinstance(node[key], str) else len(node[key])
    else:
        node[key] = random.choice(_VALUES)
    text = json.dumps(document, ensure_ascii=random.random() < 0.5)
    return text.encode("utf-8", "replace")[:MAX_SIZE]


# A conversation as one input: for each message a byte (its lowest bit: text), a length of two bytes, the message.


def pack_messages(messages: Sequence[bytes | str]) -> bytes:
    out = bytearray()
    for message in messages:
        content = (message.encode() if isinstance(message, str) else message)[:0xFFFF]
        out += bytes((isinstance(message, str),)) + len(content).to_bytes(2, "big") + content
    return bytes(out)


def unpack_messages(data: bytes) -> list[bytes | str]:
    messages: list[bytes | str] = []
    at = 0
    while at + 3 <= len(data):
        content = data[at + 3:at + 3 + int.from_bytes(data[at + 1:at + 3], "big")]
        messages.append(content.decode("utf-8", "replace") if data[at] & 1 else content)
        at += 3 + int.from_bytes(data[at + 1:at + 3], "big")
    return messages


def mutate_messages(data: bytes, random: Random, one: Callable[[bytes, Random], bytes]) -> bytes:
    """One message dropped, repeated, moved, merged, cut, turned into the other kind, or changed by `one`."""
    messages = unpack_messages(data)
    if not messages:
        return pack_messages([random.choice(("", "{}", "[]", b"", b"\0" * 16))])
    i = random.randrange(len(messages))
    message = messages[i]
    kind = random.randrange(14)
    if kind == 0:
        del messages[i]
    elif kind == 1:
        messages.insert(random.randrange(len(messages) + 1), message)
    elif kind == 2:
        random.shuffle(messages)
    elif kind == 3:
        at = random.randrange(len(message) + 1)
        messages[i:i + 1] = [message[:at], message[at:]]
    elif kind == 4 and i and type(message) is type(messages[i - 1]):
        messages[i - 1:i + 1] = [messages[i - 1] + message]  # type: ignore[operator]
    elif kind == 5:
        messages[i] = message.encode() if isinstance(message, str) else message.decode("utf-8", "replace")
    elif isinstance(message, str):
        messages[i] = mutate_json(message.encode("utf-8", "replace"), random).decode("utf-8", "replace")
    else:
        messages[i] = one(message, random)
    return pack_messages([m[:MAX_SIZE] for m in messages[:64]])
