"""A peer that never stops gets an error, not the memory: every hostile stream, in a process under a memory cap."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import STREAMS

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="caps address space by RLIMIT_AS and reads /proc"),
    pytest.mark.skipif("ASRPROTO_SANITIZE" in os.environ, reason="AddressSanitizer reserves terabytes of addresses"),
]


@pytest.mark.parametrize("name", STREAMS)
def test_hostile_stream(name: str) -> None:
    done = subprocess.run([sys.executable, str(Path(__file__).parent / "hostile.py"), name],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == STREAMS[name].end
