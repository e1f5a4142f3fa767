"""The commands as one program: which there are, and what becomes of every error that can leave them.

A command is a module of this package that holds the click command `command`; it is imported when it is asked for, so
that ``asrproto inspect`` loads no audio.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FrameType
from typing import Any

import click

import asrproto
from asrproto.cli.__main__ import EXTRA, INSTALL
from asrproto.cli.terminal import FAULT, INTERRUPTED, PIPE_CLOSED, USAGE, Stop, complain, stop_for, words_for
from asrproto.errors import AsrProtoError

__all__ = ["app", "run"]

COMMANDS = {
    "inspect": ("asrproto.cli.inspect.command", "Show what is inside messages, streams and WAV files."),
    "convert": ("asrproto.cli.convert", "Turn a recording into what a service takes."),
    "encode": ("asrproto.cli.encode", "Write the wire messages of a whole session into a file."),
    "sign": ("asrproto.cli.sign", "Make a signed URL or signed headers, and show how."),
    "demo": ("asrproto.cli.show_demo", "Have a recording transcribed by every service's stand-in."),
}


class Program(click.Group):
    """Commands that are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and os.path.exists(args[0]):
            ctx.fail(f"No such command {args[0]!r}. To look into that file: asrproto inspect {args[0]}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with errors_in_words():
            return super().invoke(ctx)


@click.group(cls=Program, epilog="`asrproto COMMAND --help` shows each command by examples.",
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(asrproto.__version__, prog_name="asrproto", message="%(prog)s %(version)s")
def app() -> None:
    """Look into speech-recognition traffic, prepare audio for it, and sign requests.

    \b
    asrproto inspect response.bin          what is in these bytes?
    asrproto convert talk.mp3 talk.wav     16 kHz, mono, 16 bits
    asrproto sign transcribe -o language_code=en-US --explain
    asrproto demo                          all of it at work, without a network

    Completion by the Tab key: put one of these lines into your shell's start-up file.

    \b
    bash  eval "$(_ASRPROTO_COMPLETE=bash_source asrproto)"
    zsh   eval "$(_ASRPROTO_COMPLETE=zsh_source asrproto)"
    fish  _ASRPROTO_COMPLETE=fish_source asrproto | source
    """


class Closed(Exception):
    """Nobody reads our standard output any more."""


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Turn what may go wrong into a `Stop` before click turns it into something else."""
    try:
        yield
    except BrokenPipeError:
        raise Closed from None
    except OSError as error:
        raise Stop(words_for(error, error.filename or "standard output")) from None
    except AsrProtoError as error:
        raise stop_for(error) from None
    except MemoryError:
        raise Stop("there is not enough memory") from None
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise Stop(INSTALL.partition(": ")[2], status=USAGE) from None


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the result is the exit status. Every error is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):  # a terminal may lack the letters of a transcript
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with suppress(ValueError, OSError):  # not in the main thread
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _leave)
    if sys.stdout is None or sys.stderr is None:
        return FAULT  # closed: there is no way to say anything
    try:
        result = app.main(None if arguments is None else list(arguments), prog_name="asrproto", standalone_mode=False)
        status = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except (Closed, BrokenPipeError):
        _drop_output()
        status = PIPE_CLOSED
    except (click.Abort, KeyboardInterrupt):
        complain(Stop("interrupted"))
        status = INTERRUPTED
    except click.UsageError as error:
        error.show()
        status = USAGE
    except Stop as stop:
        with suppress(OSError):
            sys.stdout.flush()
        complain(stop)
        status = stop.status
    except OSError as error:  # from flush()
        complain(Stop(words_for(error, "standard output")))
        status = FAULT
    if status:
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
    return status


def _leave(number: int, frame: FrameType | None) -> None:
    """End on a signal as on Ctrl-C: through every ``finally``, so that nothing half-written stays."""
    raise SystemExit(128 + number)


def _drop_output() -> None:
    """Keep the interpreter from flushing at its end what cannot be written."""
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
