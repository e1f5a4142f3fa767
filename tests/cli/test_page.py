"""The page about the command line: its console blocks are run, and print what they show.

A block is one shell session. ``$`` begins a command, the lines after it are its output; ``...`` stands for anything.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("soundfile")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S)
PASTED = re.search(r"^\$ cat pasted.txt\n(.*?)^\$ ", PAGE, re.M | re.S)
MARK = "-- next --"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the page is for a shell")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page is read: with the recordings, the file that it shows, and the command."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(ROOT / "examples" / "speech", folder / "examples" / "speech")
    assert PASTED is not None
    (folder / "pasted.txt").write_text(PASTED[1], encoding="utf-8")
    (folder / "asrproto").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m asrproto.cli "$@"\n')
    (folder / "asrproto").chmod(0o755)
    return folder


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_console_block(folder: Path, block: str) -> None:
    parts = re.split(r"^\$ (.*)\n", block, flags=re.M)
    commands, wanted = parts[1::2], parts[2::2]
    assert parts[0] == ""
    script = f"export PATH={folder}:$PATH; exec 2>&1\n" + "".join(f"{command}\necho '{MARK}'\n" for command in commands)
    done = subprocess.run(["bash", "-c", script], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=120, check=False)
    printed = done.stdout.decode().split(f"{MARK}\n")
    assert printed.pop() == ""
    for command, shown, real in zip(commands, wanted, printed, strict=True):
        pattern = re.escape(shown).replace(r"\.\.\.", "(?:.|\n)*")
        assert re.fullmatch(pattern.rstrip("\\\n"), real.rstrip("\n")), f"$ {command}\n{real}"
