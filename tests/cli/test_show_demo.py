"""`asrproto demo`: the demo itself, with recordings of any kind; and the progress bar of long work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("soundfile")

import soundfile

from .conftest import Asrproto
from .test_app import in_a_terminal


def test_the_demo_hears_flac(speech: Path, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    samples, rate = soundfile.read(speech / "goforward.wav", dtype="int16")
    soundfile.write(tmp_path / "talk.flac", samples, rate)
    command = [sys.executable, "-m", "asrproto.cli", "demo", "talk.flac", "--service", "transcribe"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "talk.flac: 2.79 s" in done.stdout
    assert "go forward ten meters" in done.stdout


def test_without_the_packages_of_the_demo(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pocketsphinx'] = None; from asrproto.cli.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, "demo", "x.wav"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "asrproto: the demo needs more packages: pip install 'asrproto[cli,demo]'\n"


@pytest.mark.parametrize(("arguments", "words"), [
    (["demo", "missing.wav"], "missing.wav: no such file"), (["demo", "x.wav", "-s", "nobody"], "not 'nobody'"),
    (["demo"], "say which recording"),
])
def test_wrong_use(asrproto: Asrproto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str],
                   words: str) -> None:
    pytest.importorskip("pocketsphinx")
    monkeypatch.chdir(tmp_path)
    done = asrproto(*arguments)
    assert done.status == 2
    assert words in done.err


def test_long_work_shows_how_far_it_is(tmp_path: Path) -> None:
    with (tmp_path / "long.raw").open("wb") as file:
        file.truncate(1 << 24)  # of no size on the disk
    arguments = ("convert", tmp_path / "long.raw", "/dev/null", "--raw", "s16le", "-r", 8000)
    impatient = "import asrproto.cli.convert as convert; convert.PATIENCE = 0"
    shown = in_a_terminal(*arguments, before=impatient)
    assert "long.raw" in shown
    assert "━" in shown
    assert "long.raw" not in in_a_terminal(*arguments, "--quiet", before=impatient)
