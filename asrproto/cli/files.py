"""Files as the commands want them: input that says in words why it cannot be read, output that is whole or not there.

A new file is written under another name beside its place and moved there when it is complete, so that an error, a full
disk or Ctrl-C leaves nothing behind. What is no regular file (a pipe, a device) is written to directly.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from asrproto.cli.terminal import USAGE, Stop, words_for

__all__ = ["STANDARD", "Input", "new_file", "open_input"]

STANDARD = "-"
"""In place of a file name: standard input or output."""

CHUNK = 1 << 16


class Input:
    """A file, or standard input, that is read once from its beginning."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        self.seen_ascii = True
        """Whether all that was read so far is ASCII."""

    @property
    def size(self) -> int | None:
        """In bytes, where that can be known."""
        with suppress(OSError, ValueError):
            found = os.fstat(self._file.fileno())
            if stat.S_ISREG(found.st_mode):
                return found.st_size
        return None

    def read(self, size: int = CHUNK) -> bytes:
        """Up to `size` bytes, as soon as there are any; nothing at the end."""
        try:
            piece: bytes = getattr(self._file, "read1", self._file.read)(size)
        except OSError as error:
            raise Stop(words_for(error, self.name)) from None
        self.seen_ascii = self.seen_ascii and piece.isascii()
        return piece

    def head(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end."""
        pieces, there = [], 0
        while there < size and (piece := self.read(size - there)):
            pieces.append(piece)
            there += len(piece)
        return b"".join(pieces)

    def chunks(self) -> Iterator[bytes]:
        """The rest, in pieces."""
        while piece := self.read():
            yield piece


@contextmanager
def open_input(name: str) -> Iterator[Input]:
    """The file `name`, or standard input for ``-``."""
    if name == STANDARD:
        if sys.stdin is None:
            raise Stop("standard input: closed")
        yield Input(sys.stdin.buffer, "standard input")
        return
    try:
        file = open(name, "rb")  # noqa: SIM115
    except OSError as error:
        raise Stop(words_for(error, name), status=USAGE) from None
    except ValueError:  # a null character
        raise Stop(f"{name}: not a possible name of a file", status=USAGE) from None
    with file:
        yield Input(file, name)


@contextmanager
def new_file(name: str, *, force: bool = False, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write, which appears under `name` if and only if the block is left without an error.

    Parameters
    ----------
    name : str
        ``-`` is standard output.
    force : bool
        Replace a file that is there; without it that is an error, also if it appears in the meantime.
    private : bool
        Nobody but its owner may read it.
    """
    if name == STANDARD:
        with _named(name="standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    with _named(name, USAGE):
        mode = os.stat(name).st_mode if os.path.exists(name) else None
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "", name)
    if mode is not None and not stat.S_ISREG(mode):
        with _named(name), open(name, "wb") as file:
            yield file
        return
    path = Path(os.path.realpath(name))  # a link stays a link
    if mode is not None and not force:
        raise _exists(name)
    with _named(name, USAGE):
        descriptor, part = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    try:
        with _named(name):
            with os.fdopen(descriptor, "w+b") as file:
                yield file
            os.chmod(part, 0o600 if private else stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
            _move(part, path, name, force)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


def _move(part: str, path: Path, name: str, force: bool) -> None:
    if force:
        os.replace(part, path)
        return
    try:
        os.link(part, path)  # which, unlike a rename, never replaces
    except FileExistsError:
        raise _exists(name) from None
    except OSError:  # a file system without links
        if path.exists():
            raise _exists(name) from None
        os.replace(part, path)
        return
    os.unlink(part)


def _exists(name: str) -> Stop:
    return Stop(f"{name}: there is such a file already; --force replaces it", status=USAGE)


@contextmanager
def _named(name: str, status: int = 1) -> Iterator[None]:
    """Say of which file an error of the system speaks."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Stop(words_for(error, name), status=status) from None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
