"""Fixtures for pytest: every fake service, as an object and served on 127.0.0.1. Loaded wherever asrproto is installed.

==========================  ================================================  ======================================
fixture                     makes                                             from
==========================  ================================================  ======================================
``fake_transcribe``         `asrproto.testing.transcribe.FakeTranscribe`      ``credentials=...``
``fake_volcengine``         `asrproto.testing.volcengine.BigModelService`     ``credentials=...``
``fake_volcengine_legacy``  `asrproto.testing.volcengine.LegacyService`       ``credentials=..., cluster=...``
``fake_volcengine_files``   `asrproto.testing.volcengine.RecordingService`    ``credentials=..., recordings=...``
``fake_youdao``             `asrproto.testing.youdao.StreamingService`        ``app_key=..., app_secret=...``
``fake_youdao_short``       `asrproto.testing.youdao.ShortService`            ``app_key=..., app_secret=...``
``fake_youdao_long``        `asrproto.testing.youdao.LongService`             ``app_key=..., app_secret=...``
``fake_openai``             `asrproto.testing.openai.TranscriptionService`    ``api_key=...``
``fake_openai_realtime``    `asrproto.testing.openai.RealtimeService`         ``api_key=...``
==========================  ================================================  ======================================

Each gives a function that makes the fake; besides what the table names, it takes all that the fake takes, and instead
of a recogniser the text that is to be heard::

    def test_my_client(fake_transcribe, served):
        address = served(fake_transcribe("go forward", credentials=KEYS))
        assert my_client(f"ws://{address}") == "go forward"

``served`` serves any fake, also one in a wrapper of `asrproto.testing.faults`, until the test is over, and gives its
``host:port``; it needs ``websockets``. Nothing of the fakes is imported before a test asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asrproto.cli.loopback import FakeService

__all__ = ["FAKES", "served"]

FAKES = {
    "fake_transcribe": ("transcribe", "FakeTranscribe"),
    "fake_volcengine": ("volcengine", "BigModelService"),
    "fake_volcengine_legacy": ("volcengine", "LegacyService"),
    "fake_volcengine_files": ("volcengine", "RecordingService"),
    "fake_youdao": ("youdao", "StreamingService"),
    "fake_youdao_short": ("youdao", "ShortService"),
    "fake_youdao_long": ("youdao", "LongService"),
    "fake_openai": ("openai", "TranscriptionService"),
    "fake_openai_realtime": ("openai", "RealtimeService"),
}
"""Module and class of each fake, by the name of its fixture."""


def _fixture(name: str, module: str, kind: str) -> Any:
    def make(heard: Any = "", **settings: Any) -> Any:
        """The fake; `heard` is the text that it hears, or what makes its recognisers."""
        from asrproto.testing import ScriptedRecogniser

        recognisers = partial(ScriptedRecogniser, heard) if isinstance(heard, str) else heard
        return getattr(import_module(f"asrproto.testing.{module}"), kind)(recognisers, **settings)

    def fixture() -> Callable[..., Any]:
        return make

    fixture.__doc__ = f"Makes an asrproto.testing.{module}.{kind}, which hears the text that it is given."
    return pytest.fixture(name=name)(fixture)


for _name, (_module, _kind) in FAKES.items():
    globals()[_name] = _fixture(_name, _module, _kind)


@pytest.fixture
def served() -> Iterator[Callable[[FakeService], str]]:
    """Serves a fake on 127.0.0.1 until the test is over, and gives its ``host:port``."""
    from asrproto.cli.loopback import Loopback

    with ExitStack() as open_ones:
        def serve(service: FakeService) -> str:
            host, port = open_ones.enter_context(Loopback(service)).address
            return f"{host}:{port}"

        yield serve
