"""The tests of the kernels once more for each code path that this machine has, and the choice of the path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asrproto._kernels import cpu
from asrproto.audio import simd_level

FOLDER = Path(__file__).parent
OTHERS = [level for level in cpu.AVAILABLE if level != cpu.LEVEL_NAME]


def run(code: list[str], level: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ASRPROTO_SIMD": level}
    return subprocess.run([sys.executable, *code], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif("ASRPROTO_SIMD" in os.environ, reason="this is such a run")
@pytest.mark.parametrize("level", OTHERS)
def test_all_kernels_on(level: str) -> None:
    files = [str(FOLDER / f"test_{name}.py") for name in ("pcm", "quality", "resample", "encoder")]
    done = run(["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist",
                f"--rootdir={FOLDER.parent.parent}", *files], level)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout


def test_the_path_in_use() -> None:
    assert simd_level() == os.environ.get("ASRPROTO_SIMD", cpu.AVAILABLE[-1])


@pytest.mark.parametrize("level", cpu.AVAILABLE)
def test_a_path_can_be_forced(level: str) -> None:
    done = run(["-c", "import asrproto.audio; print(asrproto.audio.simd_level())"], level)
    assert done.stdout.strip() == level


@pytest.mark.parametrize("level", ["sse9", "AVX2", *(set(cpu.LEVELS) - set(cpu.AVAILABLE))])
def test_what_cannot_run_is_an_error(level: str) -> None:
    done = run(["-c", "import asrproto.audio"], level)
    assert done.returncode != 0
    assert f"ASRPROTO_SIMD={level}" in done.stderr


def test_the_package_itself_loads_no_numpy() -> None:
    done = run(["-c", "import sys, asrproto; print('numpy' in sys.modules)"], cpu.LEVEL_NAME)
    assert done.stdout.strip() == "False"
