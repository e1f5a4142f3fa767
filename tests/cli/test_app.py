"""The program around the commands: help, completion, exit statuses, and what happens without the extra."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from asrproto.cli.app import COMMANDS

from .conftest import Asrproto

Start = Callable[..., subprocess.Popen[bytes]]
CALLS = [[], *[[name] for name in COMMANDS], ["sign", "transcribe"], ["sign", "volcengine"],
         ["sign", "volcengine", "openapi"], ["sign", "volcengine", "hmac256"], ["sign", "volcengine", "stream"],
         ["sign", "youdao"]]


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_help(asrproto: Asrproto, call: list[str]) -> None:
    done = asrproto(*call, "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {' '.join(['asrproto', *call])}")
    assert max(map(len, done.out.splitlines())) <= 80
    if len(call) < 2:
        assert f"  {' '.join(['asrproto', *call])} " in done.out.partition("Options:")[0]  # an example


def test_version(asrproto: Asrproto) -> None:
    import asrproto as package

    assert asrproto("--version").out == f"asrproto {package.__version__}\n"


@pytest.mark.parametrize(("arguments", "words"), [
    (["nonsense"], "No such command 'nonsense'"), (["--nonsense"], "No such option"),
    (["inspect", "a", "b"], "unexpected extra argument"), (["inspect", "--json", "missing"], "missing: no such file"),
])
def test_wrong_use(asrproto: Asrproto, arguments: list[str], words: str) -> None:
    done = asrproto(*arguments)
    assert (done.status, done.out) == (2, "")
    assert words in done.err


def test_a_file_in_place_of_a_command(asrproto: Asrproto, tmp_path: Path) -> None:
    (tmp_path / "response.bin").touch()
    assert f"asrproto inspect {tmp_path / 'response.bin'}" in asrproto(tmp_path / "response.bin").err


@pytest.mark.parametrize("module", ["click", "rich", "soundfile"])
def test_without_the_extra(module: str, speech: Path, tmp_path: Path) -> None:
    code = (f"import sys; sys.modules[{module!r}] = None\n"
            "from asrproto.cli.__main__ import main; sys.exit(main(sys.argv[1:]))")
    command = [sys.executable, "-c", code]
    command += ["convert", str(tmp_path / "in.mp3"), str(tmp_path / "out.wav")]
    (tmp_path / "in.mp3").write_bytes(b"ID3")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("asrproto: the command line needs a few more packages: pip install 'asrproto[cli]'\n")


def test_inspect_loads_no_samples(process: Start) -> None:
    code = ("import sys; from asrproto.cli.__main__ import main; main(['inspect', '--help']);"
            "sys.exit('soundfile' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(process: Start, shell: str) -> None:
    environment = {**os.environ, "_ASRPROTO_COMPLETE": f"{shell}_source"}
    with process(env=environment) as started:
        out, _ = started.communicate()
    assert b"_ASRPROTO_COMPLETE" in out
    environment = {**os.environ, "_ASRPROTO_COMPLETE": "bash_complete", "COMP_WORDS": "asrproto convert -e ul",
                   "COMP_CWORD": "3"}
    with process(env=environment) as started:
        out, _ = started.communicate()
    assert out == b"plain,ulaw\n"


@pytest.mark.parametrize(("redirection", "status", "words"), [
    ("<&-", 1, "standard input: closed"), (">&-", 1, ""), ("2>&-", 1, ""),
    (">/dev/full", 1, "standard output: no space left on device"),
])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_streams_that_are_closed_or_full(redirection: str, status: int, words: str) -> None:
    script = f"printf 'data: x\\n\\n' | {sys.executable} -m asrproto.cli inspect {redirection}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert done.stderr == (f"asrproto: {words}\n" if words else "")


def in_a_terminal(*arguments: object, columns: int = 80, before: str = "", **environment: str) -> str:
    """What the command shows in a terminal of so many columns; `before` is run before it."""
    pid, screen = pty.fork()
    if not pid:
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": str(columns), **environment})
        code = f"import sys; from asrproto.cli.__main__ import main\n{before}\nsys.exit(main())"
        os.execv(sys.executable, [sys.executable, "-c", code, *map(str, arguments)])
    shown = b""
    deadline = time.monotonic() + 30
    while select.select([screen], [], [], max(0, deadline - time.monotonic()))[0]:
        try:
            piece = os.read(screen, 1 << 16)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(screen)
    assert os.waitpid(pid, 0)[1] == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_is_filled_and_not_overrun(tmp_path: Path, columns: int) -> None:
    (tmp_path / "events").write_text('data: {"text": "' + "many words and 很多字 " * 20 + '"}\n\n', encoding="utf-8")
    shown = in_a_terminal("inspect", tmp_path / "events", columns=columns)
    assert "\x1b[36m" in shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    widths = [sum(2 if ord(character) > 0x2E80 else 1 for character in line) for line in lines[2:]]
    assert columns - 15 < max(widths) <= columns
    assert "\x1b" not in in_a_terminal("inspect", tmp_path / "events", NO_COLOR="1")


def test_no_colours_outside_a_terminal(asrproto: Asrproto, tmp_path: Path) -> None:
    done = asrproto("inspect", stdin=b"data: x\n\n")
    assert "\x1b" not in done.out + done.err
