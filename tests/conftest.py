"""Shared by all tests: Hypothesis profiles and the recordings."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("sanitize", deadline=None, derandomize=True, max_examples=15, database=None,
                                     suppress_health_check=list(hypothesis.HealthCheck))  # all is many times slower
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))

SPEECH = Path(__file__).parent.parent / "examples" / "speech"


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder of real recordings, 16 kHz mono 16-bit WAV."""
    return SPEECH
