"""What the commands print, and how they give up: results on standard output, everything else on standard error.

Text that comes from a file or a service may hold anything; `printable` disarms what a terminal would obey.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from rich.console import Console

from asrproto.errors import AsrProtoError, LocalProtocolError

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["FAULT", "INTERRUPTED", "PIPE_CLOSED", "USAGE", "Stop", "complain", "console", "one_line", "printable",
           "words_for"]

FAULT, USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
"""Exit statuses: a fault in the data, the service or the system; wrong use; Ctrl-C; the reader of our output left."""

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class Stop(Exception):
    """End the command: one line that says what is wrong, perhaps more lines that help, and the exit status."""

    def __init__(self, message: str, *, status: int = FAULT, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.help = help


def printable(text: str) -> str:
    """`text` with control characters as escapes, except tabs and newlines."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape", "backslashreplace").decode(), text)


def one_line(text: str) -> str:
    """`text` as it can stand in a message of one line."""
    return printable(" ".join(text.split()))


def words_for(error: OSError, name: str) -> str:
    """What the system could not do, as ``file: reason``."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return f"{name}: {reason}"


def stop_for(error: AsrProtoError) -> Stop:
    """The end of a command that the package refuses to go on with."""
    message, _, advice = str(error).partition("\n")
    return Stop(message, status=USAGE if isinstance(error, LocalProtocolError) else FAULT, help=advice)


def console(stream: TextIO) -> Console:
    """Of rich, for what is drawn rather than printed; plain where `stream` is no terminal or NO_COLOR is set."""
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=not stream.isatty())


def complain(stop: Stop) -> None:
    """Print why a command ends."""
    with suppress(OSError):
        click.secho("asrproto: ", fg="red", nl=False, err=True, color=colours(sys.stderr))
        click.echo(one_line(stop.message), err=True)
        if stop.help:
            click.echo(printable(stop.help), err=True)


def colours(stream: TextIO) -> bool:
    """Whether `stream` is to be coloured."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
