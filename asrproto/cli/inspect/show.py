"""Pieces on the screen, and as JSON lines.

A piece on the screen is a line that says where it is, then its fields in three columns. In a terminal, long values are
folded within their column; elsewhere lines are left whole, for ``grep``.
"""

from __future__ import annotations

import base64
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import click
import msgspec
from rich.cells import cell_len, chop_cells

from asrproto.cli.inspect.meanings import meaning
from asrproto.cli.inspect.piece import Payload, Piece
from asrproto.cli.terminal import colours, printable
from asrproto.errors import RemoteProtocolError

__all__ = ["JsonLines", "Screen"]

_BYTES_SHOWN = 32
_LONGEST_TEXT, _TEXT_SHOWN = 1000, 60
_LONGEST_NAME, _NARROWEST = 24, 20
_INDENT = 2


class Screen:
    """Prints pieces for people; `full` shows all of a payload of bytes."""

    def __init__(self, *, full: bool = False) -> None:
        self._full = full
        self._colours = colours(sys.stdout)
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
        self._count = 0

    def begin(self, text: str) -> None:
        click.secho(printable(text), bold=True, color=self._colours)

    def piece(self, piece: Piece) -> None:
        self._count += 1
        click.echo("\n" + "\n".join(self._lines(piece, f"{piece.kind} {self._count}", 0)), color=self._colours)

    def fault(self, error: RemoteProtocolError, format: str) -> str:
        """What helps with `error`; the caller prints it."""
        text = meaning(format, error.reason)
        return "\n".join(_folded(text, self._width - _INDENT if self._width else 0)) if text else ""

    def _lines(self, piece: Piece, name: str, depth: int) -> Iterator[str]:
        margin = " " * (_INDENT * depth)
        place = f"offset {piece.offset}, {piece.size} bytes"
        head = click.style(name, fg="cyan", bold=True)
        title = "  " + click.style(printable(piece.title), bold=True) if piece.title else ""
        yield f"{margin}{head}{title}  {click.style(place, dim=True)}"
        rows = [(printable(field.name), field.type, self._value(field.value, field.note)) for field in piece.fields]
        if piece.payload is not None:
            rows.append(("payload", piece.payload.kind, self._payload(piece.payload)))
        if piece.checksums:
            text = ", ".join(f"{checksum.name} {checksum.value:08x} holds" for checksum in piece.checksums)
            rows.append(("checksums", "CRC-32", text))
        rows += [("note", "", note) for note in piece.notes]
        widths = [min(_LONGEST_NAME, max((cell_len(row[0]) for row in rows), default=0)),
                  max((len(row[1]) for row in rows), default=0)]
        for row in rows:
            yield from self._row(row, widths, margin)
        if piece.advice:
            yield from self._row(("advice", "", piece.advice), widths, margin, style="yellow")
        for inner in piece.inner:
            kind = f"wrapped {inner.kind}" if piece.kind == inner.kind else inner.kind
            yield from self._lines(inner, kind, depth + 1)

    def _row(self, row: tuple[str, str, str], widths: list[int], margin: str,
             style: str | None = None) -> Iterator[str]:
        name, kind, value = row
        start = len(margin) + _INDENT + widths[0] + 2 + widths[1] + 2
        room = max(_NARROWEST, self._width - start) if self._width else 0
        lead = f"{margin}{' ' * _INDENT}{name}{' ' * (widths[0] - cell_len(name))}  "
        lead += click.style(kind.ljust(widths[1]), dim=True) + "  "
        first, *others = _folded(printable(value), room) or [""]
        yield (lead + click.style(first, fg=style)).rstrip() if first else lead.rstrip()
        for line in others:
            yield " " * start + click.style(line, fg=style)

    def _value(self, value: Any, note: str) -> str:
        text = self._bytes(value) if isinstance(value, bytes) else _json(value) if value is True or value is False \
            else str(value)
        return f"{text} ({note})" if note else text

    def _payload(self, payload: Payload) -> str:
        size = f"{payload.size} bytes" + (f" out of {payload.packing}" if payload.packing else "")
        if not payload.size:
            return "empty"
        if payload.kind == "bytes":
            return f"{size}: {self._bytes(payload.value)}"
        value = payload.value if self._full else _abridged(payload.value)
        return _json(value) if payload.kind == "json" else str(value)

    def _bytes(self, value: bytes) -> str:
        if self._full or len(value) <= _BYTES_SHOWN:
            return value.hex(" ") or "empty"
        return f"{value[:_BYTES_SHOWN].hex(' ')} ..."


class JsonLines:
    """Prints one JSON object a line: pieces, and at last the fault if there is one."""

    def begin(self, text: str) -> None:
        pass

    def piece(self, piece: Piece) -> None:
        click.echo(msgspec.json.encode(_document(piece)).decode())

    def fault(self, error: RemoteProtocolError, format: str) -> str:
        text = meaning(format, error.reason)
        click.echo(msgspec.json.encode({"fault": {"reason": error.reason, "offset": error.offset,
                                                  "message": error.message, "meaning": text}}).decode())
        return text


def _document(piece: Piece) -> dict[str, Any]:
    document: dict[str, Any] = {"kind": piece.kind, "offset": piece.offset, "size": piece.size}
    if piece.title:
        document["title"] = piece.title
    if piece.fields:
        document["fields"] = [
            {"name": field.name, "type": field.type, "value": _jsonable(field.value),
             **({"note": field.note} if field.note else {})} for field in piece.fields]
    if piece.payload is not None:
        document["payload"] = {"kind": piece.payload.kind, "size": piece.payload.size,
                               **({"packing": piece.payload.packing} if piece.payload.packing else {}),
                               "value": _jsonable(piece.payload.value)}
    if piece.checksums:
        document["checksums"] = {checksum.name: f"{checksum.value:08x}" for checksum in piece.checksums}
    if piece.notes:
        document["notes"] = piece.notes
    if piece.advice:
        document["advice"] = piece.advice
    if piece.inner:
        document["inner"] = [_document(inner) for inner in piece.inner]
    return document


def _jsonable(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _abridged(value: Any) -> Any:
    """`value` with long texts cut, such as audio in Base64."""
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return f"{value[:_TEXT_SHOWN]}... ({len(value)} characters)"
    if isinstance(value, dict):
        return {name: _abridged(item) for name, item in value.items()}
    return [_abridged(item) for item in value] if isinstance(value, list) else value


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def _folded(text: str, room: int) -> list[str]:
    """`text` in lines of at most `room` cells, broken at spaces where that is possible; 0 leaves it alone."""
    lines: list[str] = []
    for paragraph in text.expandtabs(4).splitlines():
        if not room or cell_len(paragraph) <= room:
            lines.append(paragraph)
            continue
        line = ""
        for word in paragraph.split(" "):
            if line and cell_len(line) + 1 + cell_len(word) > room:
                lines.append(line)
                line = ""
            line = f"{line} {word}" if line else word
            if cell_len(line) > room:
                *full, line = chop_cells(line, room)
                lines += full
        lines.append(line)
    return lines
