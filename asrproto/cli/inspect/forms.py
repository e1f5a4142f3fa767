"""The spellings of bytes that people have at hand: as they are, in hexadecimal, in base64, as Python prints them.

Each is undone piece by piece, so that a spelling of any length takes no more memory than a short one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

__all__ = ["FORMS", "Form", "WrongSpelling", "possible_forms"]

_LITERAL = re.compile(rb"(?<![0-9A-Za-z_])[bB]('''|\"\"\"|'|\")")
_TOKEN = re.compile(rb"[^\\'\"\r\n]+|\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3}|\\(?:\r\n|[\s\S])|['\"\r\n]")
_LONGEST_TOKEN = 4
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"\\": b"\\",
            b"'": b"'", b'"': b'"', b"\n": b"", b"\r": b"", b"\r\n": b""}

_HEX = re.compile(rb"(?:0[xX]|\\x|[0-9A-Fa-f]|[\s:,\-{}\[\]])+")
_HEX_SEPARATORS = re.compile(rb"0[xX]|\\x|[\s:,\-{}\[\]]+")
_DUMP_LINE = re.compile(rb"[0-9A-Fa-f]{4,16}(?::? )\s*((?:[0-9A-Fa-f]{2,8}\s?\s?)+?)(?:\s\s.*|\s*\|.*|\s*)")
_DUMP_END = re.compile(rb"[0-9A-Fa-f]{4,16}:?\s*")

_BASE64 = re.compile(rb"[0-9A-Za-z+/_\-\s]+(?:={1,2}[0-9A-Za-z+/_\-\s]*)*")
_BASE64_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_LONGEST_LINE = 1 << 16


class WrongSpelling(Exception):
    """What began as one spelling goes on as something else."""


class Form(NamedTuple):
    """`detect` judges by the first bytes; `undo` gives the bytes that are meant."""

    key: str
    name: str
    detect: Callable[[bytes], bool]
    undo: Callable[[Iterable[bytes]], Iterator[bytes]]


def _plain(chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield from chunks


def _python(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What stands in all bytes literals, wherever they are in the text, one after the other.

    A line break inside a short literal is what a terminal made of a long line, and is dropped. Letters that no bytes
    literal can have are taken as UTF-8.
    """
    quote, held = b"", b""
    for chunk, last in _with_last(chunks):
        text = held + chunk
        end = len(text) if last else len(text) - _LONGEST_TOKEN
        at, out = 0, bytearray()
        while at < end:
            if not quote:
                opening = _LITERAL.search(text, at)
                if opening is None:
                    at = max(at, end)
                    break
                if opening.end() > end and not last:  # its quote may be longer
                    at = opening.start()
                    break
                quote, at = opening[1], opening.end()
                continue
            if text.startswith(quote, at):
                at += len(quote)
                quote = b""
                continue
            token = _TOKEN.match(text, at)
            if token is None:  # a backslash at the very end
                at = len(text)
                break
            if token.end() > end and not last and token[0][:1] == b"\\":
                break
            at = token.end()
            out += _token(token[0], quote)
        held = text[at:]
        if out:
            yield bytes(out)


def _token(token: bytes, quote: bytes) -> bytes:
    if token in b"\r\n":
        return token if len(quote) == 3 else b""
    if token[:1] != b"\\":
        return token
    if token[1:2] == b"x" and len(token) == 4:
        return bytes((int(token[2:], 16),))
    if token[1:2].isdigit() and token[1:2] < b"8":
        return bytes((int(token[1:], 8) & 255,))
    return _ESCAPES.get(token[1:], token)


def _hex(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk, last in _with_last(chunks):
        text = held + chunk
        end = len(text) if last else len(text) - 1  # "0" may be followed by "x", and "\" too
        digits = _HEX_SEPARATORS.sub(b"", text[:end])
        odd = b"" if last else digits[len(digits) // 2 * 2:]
        held = odd + text[end:]
        yield from _unhex(digits[:len(digits) - len(odd)])


def _dump(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes in lines of xxd, ``hexdump -C`` and their like; ``*`` repeats the line before."""
    held, line_before, place = b"", b"", 0
    for chunk, last in _with_last(chunks):
        *lines, held = (held + chunk).split(b"\n")
        if last:
            lines.append(held)
        elif len(held) > _LONGEST_LINE:
            raise WrongSpelling("this began as a hexadecimal dump, and goes on as something else")
        starred = False
        for line in lines:
            line = line.strip()
            if line == b"*":
                starred = True
                continue
            if not line:
                continue
            offset = int(re.match(rb"[0-9A-Fa-f]*", line)[0] or b"0", 16)  # type: ignore[index]
            while starred and line_before and place < offset:
                yield line_before
                place += len(line_before)
            starred = False
            found = _DUMP_LINE.fullmatch(line)
            if found is not None:
                line_before = b"".join(_unhex(_HEX_SEPARATORS.sub(b"", found[1])))
                place += len(line_before)
                yield line_before
            elif not _DUMP_END.fullmatch(line):
                raise WrongSpelling("this began as a hexadecimal dump, and goes on as something else")


def _unhex(digits: bytes) -> Iterator[bytes]:
    """The bytes of `digits`, as far as they are digits; then WrongSpelling."""
    good = len(digits) - len(digits.lstrip(b"0123456789abcdefABCDEF"))
    yield binascii.unhexlify(digits[:good // 2 * 2])
    if good < len(digits):
        raise WrongSpelling("this began as hexadecimal digits, and goes on as something else")
    if good % 2:
        raise WrongSpelling("an odd number of hexadecimal digits: one is missing")


def _base64(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each stretch that ends with ``=`` is taken by itself, so several texts may follow each other."""
    held = b""
    for chunk, last in _with_last(chunks):
        text = held + b"".join(chunk.translate(_URL_SAFE).split())
        *whole, rest = re.split(rb"=+", text) if last else re.split(rb"=+(?=[^=])", text)
        for stretch in whole:
            yield from _unbase64(stretch)
        end = len(rest) if last else max(0, len(rest.rstrip(b"=")) // 4 * 4 - 4)
        yield from _unbase64(rest[:end])
        held = rest[end:]


def _unbase64(stretch: bytes) -> Iterator[bytes]:
    """The bytes of `stretch`, as far as it is base64; then WrongSpelling."""
    good = len(stretch) - len(stretch.lstrip(_BASE64_LETTERS))
    end = good if good == len(stretch) and good % 4 != 1 else good // 4 * 4
    yield base64.b64decode(stretch[:end] + b"=" * (-end % 4))
    if end < len(stretch):
        raise WrongSpelling("this began as base64, and goes on as something else" if good < len(stretch)
                            else "the base64 is cut: its last character stands alone")


def _with_last(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """`chunks`, and an empty one that is marked as the last."""
    for chunk in chunks:
        yield chunk, False
    yield b"", True


def _is_dump(head: bytes) -> bool:
    lines = [line for line in head.splitlines()[:3] if line.strip()]
    return bool(lines) and all(_DUMP_LINE.fullmatch(line.strip()) for line in lines[:-1] or lines) and (
        b": " in lines[0] or b"|" in lines[0] or b"  " in lines[0].strip())


def _is_hex(head: bytes) -> bool:
    return _HEX.fullmatch(head) is not None and any(character in b"0123456789abcdefABCDEF" for character in head)


def _is_base64(head: bytes) -> bool:
    return len(head) >= 16 and _BASE64.fullmatch(head.strip()) is not None


FORMS = (
    Form("raw", "bytes as they are", lambda head: True, _plain),
    Form("python", "Python bytes literal", lambda head: _LITERAL.search(head) is not None, _python),
    Form("dump", "hexadecimal dump", _is_dump, _dump),
    Form("hex", "hexadecimal digits", _is_hex, _hex),
    Form("base64", "base64", _is_base64, _base64),
)


def possible_forms(head: bytes) -> list[Form]:
    """The forms that something that begins with `head` may have, the likeliest first."""
    return [form for form in FORMS if form.detect(head)]
