"""Forms: what is encoded, two independent readers and our own fake's read back as it was.

An input is a list of messages (see `fuzz.mutate`): a text is a field, a binary one a file; each is name, NUL, value.
"""

from __future__ import annotations

import io
from collections.abc import Hashable
from email.parser import BytesParser
from email.policy import HTTP
from random import Random
from urllib.parse import unquote

from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest
from asrproto.http.multipart import FilePart, encode_multipart
from asrproto.testing.forms import read_form
from fuzz.harness import Target
from fuzz.mutate import mutate_bytes, mutate_messages, unpack_messages

try:
    from multipart import MultipartParser
except ImportError:
    MultipartParser = None

Part = tuple[str, str | None, bytes]


def parts_of(data: bytes) -> list[tuple[str, str] | FilePart]:
    fields: list[tuple[str, str] | FilePart] = []
    for message in unpack_messages(data)[:32]:
        if isinstance(message, str):
            name, _, value = message.partition("\0")
            fields.append((name, value))
        else:
            head, _, content = message.partition(b"\0")
            name = head.decode("utf-8", "replace")
            fields.append(FilePart(name, f"{name}.wav", content, "audio/wav"))
    return fields


def by_email(body: bytes, content_type: str) -> list[bytes]:
    """The contents, as the standard library's MIME parser sees them."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return [part.get_payload(decode=True) for part in message.iter_parts()]  # type: ignore[attr-defined]


def read(data: bytes) -> Hashable:
    fields = parts_of(data)
    form = encode_multipart(fields)
    body = bytes(form)
    assert len(body) == form.content_length
    wanted: list[Part] = [
        (field.name, field.filename, field.content) if isinstance(field, FilePart)  # type: ignore[misc]
        else (field[0], None, field[1].encode()) for field in fields]
    ours = read_form(HttpRequest("POST", "https://example.com/", [("Content-Type", form.content_type)], body))
    assert [part.content for part in ours] == [content for _, _, content in wanted]
    if not any("%" in name for name, _, _ in wanted):  # a percent sign is sent as it is, as browsers do
        assert [(part.name, part.filename) for part in ours] == [(name, filename) for name, filename, _ in wanted]
        if MultipartParser is not None and not any(set("\\\x7f") & set(name) for name, _, _ in wanted):
            theirs = list(MultipartParser(io.BytesIO(body), form.boundary.encode(), len(body)))
            assert [(unquote(part.name), part.raw) for part in theirs] == [
                (name, content) for name, _, content in wanted]
    if wanted and all(content.isascii() and b"\r" not in content for _, _, content in wanted):
        assert len(by_email(body, form.content_type)) == len(wanted)
    return len(fields), frozenset(type(field).__name__ for field in fields)


def mutate(data: bytes, random: Random) -> bytes:
    return mutate_messages(data, random, mutate_bytes)


TARGETS = (Target("http_multipart", read, allowed=(LocalProtocolError,), mutate=mutate),)
