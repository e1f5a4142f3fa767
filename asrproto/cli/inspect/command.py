"""``asrproto inspect``: what is in these bytes?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import click

from asrproto.audio.containers import probe
from asrproto.cli.files import STANDARD, Input, open_input
from asrproto.cli.inspect.formats import FORMATS, Format, detect
from asrproto.cli.inspect.forms import FORMS, Form, WrongSpelling, possible_forms
from asrproto.cli.inspect.show import JsonLines, Screen
from asrproto.cli.terminal import Stop, one_line
from asrproto.errors import RemoteProtocolError

__all__ = ["command"]

RETYPED = ("There are characters in the literal that Python never prints in one: it was translated or retyped, so "
           "these are not the bytes that came. Paste what the program printed.")
_HEAD = 4096  # bytes that are looked at to recognise what this is


class Recognised(NamedTuple):
    form: Form
    format: Format


@click.command(short_help="Show what is inside messages, streams and WAV files.")
@click.argument("file", default=STANDARD, metavar="[FILE|-]", type=click.Path(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
@click.option("--full", is_flag=True, help="Show all of every payload, not only its first bytes.")
@click.option("--format", "format_key", type=click.Choice([row.key for row in FORMATS]),
              help="Take it for this, whatever it looks like.")
@click.option("--spelling", "form_key", type=click.Choice([row.key for row in FORMS]),
              help="How the bytes are written, where that is guessed wrongly.")
def command(file: str, as_json: bool, full: bool, format_key: str | None, form_key: str | None) -> None:
    """Take bytes apart and show what is in them.

    They may be raw, hexadecimal (a dump of xxd too), base64, or pasted as Python prints them: b'...', with other text
    around it. AWS event-stream frames, Volcengine frames, Server-Sent Events, WAV files and recorded sessions are
    recognised.

    \b
    asrproto inspect response.bin
    asrproto inspect                      paste, then Ctrl-D on a line of its own
    xxd -p response.bin | asrproto inspect
    asrproto inspect --json traffic.jsonl | jq .payload.value

    It stops at the first fault, says at which byte it is and what it means, and exits with 1. What stands before the
    fault has been shown then.
    """
    with open_input(file) as source:
        if file == STANDARD and sys.stdin.isatty():
            click.echo("asrproto: paste what you have, then press Ctrl-D on a line of its own", err=True)
        head = source.head(_HEAD)
        if not head:
            raise Stop(f"{source.name}: empty, there is nothing to inspect")
        found = recognise(head, source.name, format_key, form_key)
        screen = JsonLines() if as_json else Screen(full=full)
        spelled = "" if found.form.key == "raw" else f", from a {found.form.name}"
        screen.begin(f"{source.name}: {found.format.name}{spelled}")
        show(found, chain([head], source.chunks()), source, screen)


def recognise(head: bytes, name: str, format_key: str | None, form_key: str | None) -> Recognised:
    """What begins with `head`, and how it is spelled."""
    forms = [form for form in FORMS if form.key == form_key] or possible_forms(head)
    wanted = next((row for row in FORMATS if row.key == format_key), None)
    for form in forms:
        meant = _beginning(form, head)
        format = wanted if wanted is not None and (form_key or wanted.detect(meant)) else detect(meant)
        if format is not None and (wanted is None or format is wanted):
            return Recognised(form, format)
    if wanted is not None:
        return Recognised(forms[0], wanted)
    raise Stop(f"{name}: not a format that is known here{_guess(head, forms)}",
               help="Known are: " + ", ".join(row.name for row in FORMATS) + ". If you know better: --format.")


def _beginning(form: Form, head: bytes) -> bytes:
    """What `head` stands for, as far as it goes."""
    out = b""
    try:
        for piece in form.undo([head]):
            out += piece
    except WrongSpelling:  # the head may end in the middle of something
        pass
    return out


def _guess(head: bytes, forms: list[Form]) -> str:
    """What else this may be, for the message."""
    recording = probe(head)
    if recording is not None:
        return f": this is a recording ({recording.container}), which `asrproto convert` reads"
    text = head.lstrip()
    if text[:1] in (b"{", b"["):
        return ": this is JSON text, which services take and send as text messages"
    if text[:5].upper() in (b"<HTML", b"<!DOC", b"<?XML") or text[:5] == b"HTTP/":
        return ": this is a web server's answer, not a service's message"
    spelled = [form.name for form in forms if form.key != "raw"]
    if spelled:
        return f", though it can be read as {' or '.join(spelled)}"
    return ": text" if head.isascii() and head.decode("ascii").isprintable() else ""


def show(found: Recognised, chunks: Iterator[bytes], source: Input, screen: Screen | JsonLines) -> None:
    """Show the pieces of all of the input."""
    try:
        for piece in found.format.read(found.form.undo(chunks)):
            screen.piece(piece)
    except WrongSpelling as error:
        raise Stop(f"{source.name}: {error}") from None
    except RemoteProtocolError as error:
        help = screen.fault(error, found.format.name)
        if found.form.key == "python" and not source.seen_ascii:
            help += "\n" + RETYPED
        place = "" if error.offset is None else f"byte {error.offset}: "
        raise Stop(f"{source.name}: {place}{one_line(error.message)} [{error.reason}]", help=help) from None
