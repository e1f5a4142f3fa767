"""Cost is linear: counted in instructions by Valgrind, since time would tell of the machine instead."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from linear_work import WORK

SCRIPT = Path(__file__).parent / "linear_work.py"


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_the_work_is_done(work: object) -> None:
    work(1)  # type: ignore[operator]


def instructions(scale: int, *names: str) -> int:
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("ASRPROTO_SIMD", None)
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable,
                           str(SCRIPT), str(scale), *names], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found, done.stderr[-2000:]
    return int(found[1])


@pytest.mark.skipif(not shutil.which("valgrind"), reason="counts instructions with Valgrind, which is not installed")
@pytest.mark.skipif("ASRPROTO_SANITIZE" in os.environ, reason="Valgrind and AddressSanitizer exclude each other")
def test_twice_the_input_costs_twice_the_instructions() -> None:
    """Each step twice as long as the one before, so that what does not depend on the input falls out."""
    one, two, four = (instructions(scale) for scale in (1, 2, 4))
    ratio = (four - two) / (two - one)
    assert 1.85 < ratio < 2.2, f"twice the input costs {ratio:.2f} times the instructions"
