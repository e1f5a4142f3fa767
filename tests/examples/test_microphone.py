"""The microphone example with a sound card that is none: blocks from a thread, until Ctrl-C."""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from examples_services import AWS, HEARD, TEXT

from asrproto.cli.loopback import Loopback
from asrproto.testing.transcribe import FakeTranscribe

RATE = 44100


class InputStream:
    """Gives two seconds of audio as fast as it is taken, always in the same array, then presses Ctrl-C."""

    open_ones = 0

    def __init__(self, *, samplerate: int, channels: int, dtype: str, device: object, callback: Any) -> None:
        assert (samplerate, channels, dtype) == (RATE, 1, "float32")
        self._callback = callback
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        block = np.zeros((RATE // 100, 1), np.float32)
        for i in range(200):
            block[:] = i / 1000
            self._callback(block, len(block), None, None)
        signal.raise_signal(signal.SIGINT)

    def __enter__(self) -> InputStream:
        InputStream.open_ones += 1
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.join(20)
        InputStream.open_ones -= 1


def test_it_transcribes_until_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(  # type: ignore[arg-type]
        InputStream=InputStream, query_devices=lambda device, kind: {"default_samplerate": float(RATE)}))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", AWS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", AWS.session_token or "")
    example = importlib.import_module("microphone")
    handler = signal.getsignal(signal.SIGINT)
    with Loopback(FakeTranscribe(HEARD, credentials=AWS)) as loopback:
        endpoint = "ws://{}:{}".format(*loopback.address)
        asyncio.run(asyncio.wait_for(example.main(endpoint=endpoint), 20))
    shown = capsys.readouterr().out
    assert shown.endswith(f"\r\033[K{TEXT}\n")
    assert shown.count("\r") > 2  # partial results
    assert InputStream.open_ones == 0
    assert signal.getsignal(signal.SIGINT) is handler
