"""The command line in the tests' own process, and as a process of its own where signals, pipes or limits matter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest


@dataclass
class Done:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that says what is wrong; help may follow it."""
        first = self.err.partition("\n")[0]
        assert first.startswith("asrproto: "), self.err
        assert "Traceback" not in self.err
        return first.removeprefix("asrproto: ")


Asrproto = Callable[..., Done]


@pytest.fixture
def asrproto(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Asrproto:
    """Call the command with arguments and, as `stdin`, bytes for its standard input."""
    pytest.importorskip("click")
    pytest.importorskip("rich")
    from asrproto.cli.__main__ import main

    def call(*arguments: object, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Done(status, out, err)

    return call


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start the command as a process of its own, in an empty folder, as a shell starts one in the foreground."""
    pytest.importorskip("click")
    pytest.importorskip("rich")

    def start(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "asrproto.cli", *map(str, arguments)]
        pipe = subprocess.PIPE
        defaults: dict[str, object] = {"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe, "cwd": tmp_path}
        if os.name == "posix":  # what runs in the background ignores Ctrl-C, and so would its children
            defaults["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(command, **{**defaults, **options})  # type: ignore[call-overload, no-any-return]

    return start
