"""Shared by all tests: Hypothesis profiles and the recordings."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")

SPEECH = Path(__file__).parent.parent / "examples" / "speech"


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder of real recordings, 16 kHz mono 16-bit WAV."""
    return SPEECH
