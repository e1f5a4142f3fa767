"""The pytest plugin: loaded without being asked for, free until used, every fake at hand."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import TranscribeSession
from asrproto.openai.transcription import parse_transcription, transcription_request
from asrproto.pytest_plugin import FAKES
from asrproto.session import utc_now
from asrproto.testing import ScriptedRecogniser, hearing_with
from asrproto.volcengine.credentials import AppCredentials

KEYS = Credentials("AKIDEXAMPLE", "made-up-secret")
SETTINGS: dict[str, dict[str, Any]] = {
    "transcribe": {"credentials": KEYS},
    "volcengine": {"credentials": AppCredentials("1", "t")},
    "volcengine_legacy": {"credentials": AppCredentials("1", "t"), "cluster": "c"},
    "volcengine_files": {"credentials": AppCredentials("1", "t"), "recordings": {}},
    "youdao": {"app_key": "k", "app_secret": "s"},
    "youdao_short": {"app_key": "k", "app_secret": "s"},
    "youdao_long": {"app_key": "k", "app_secret": "s"},
    "openai": {"api_key": "k"},
    "openai_realtime": {"api_key": "k"},
}


@pytest.mark.parametrize("name", FAKES)
def test_every_fake(name: str, request: pytest.FixtureRequest) -> None:
    make = request.getfixturevalue(name)
    fake = make("go forward", **SETTINGS[name.removeprefix("fake_")])
    assert type(fake).__name__ == FAKES[name][1]
    assert hasattr(fake, "accept") or hasattr(fake, "respond")


def test_the_text_is_heard(fake_transcribe: Callable[..., Any]) -> None:
    for heard in ("go forward", partial(ScriptedRecogniser, "go forward"), hearing_with(lambda _: "go forward")):
        session = TranscribeSession(KEYS, region="us-east-1", language_code="en-US")
        fake = fake_transcribe(heard, credentials=KEYS).accept(session.handshake(), at=utc_now())
        messages = [*session.start(), *session.send_audio(bytes(32000)), *session.end_audio()]
        answers = [answer for message in messages for answer in fake.receive(message)]
        events = [event for answer in answers for event in session.receive(answer)]
        assert events[-1].text == "go forward"  # type: ignore[attr-defined]


def test_one_is_served(fake_openai: Callable[..., Any], served: Callable[[Any], str], speech: Path) -> None:
    from http.client import HTTPConnection

    address = served(fake_openai("go forward", api_key="k"))
    request = transcription_request((speech / "goforward.wav").read_bytes(), filename="a.wav", api_key="k", model="m")
    connection = HTTPConnection(address, timeout=20)
    connection.request(request.method, "/v1/audio/transcriptions", request.body, dict(request.headers))
    answer = connection.getresponse()
    [transcript] = parse_transcription(answer.read(), status=answer.status, response_format="json")
    connection.close()
    assert transcript.text == "go forward"


def run_pytest(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           "-p", "asrproto.pytest_plugin", *arguments],
                          cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_costs_nothing_until_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(textwrap.dedent("""
        import sys

        def test_nothing_is_imported():
            heavy = {"numpy", "websockets", "asrproto.testing", "asrproto.cli", "asrproto.aws"}
            assert "asrproto.pytest_plugin" in sys.modules
            assert not heavy & sys.modules.keys()

        def test_a_fake(fake_youdao):
            fake_youdao(app_key="k", app_secret="s")
            assert "websockets" not in sys.modules
    """))
    assert "2 passed" in run_pytest(tmp_path)


def test_it_is_registered() -> None:
    declared = (Path(__file__).parent.parent.parent / "pyproject.toml").read_text("utf-8")
    assert '[project.entry-points.pytest11]\n"asrproto.pytest_plugin" = "asrproto.pytest_plugin"' in declared


def test_its_fixtures_are_listed(tmp_path: Path) -> None:
    listed = run_pytest(tmp_path, "--fixtures")
    for name in (*FAKES, "served"):
        assert f"\n{name}" in listed
    assert "Makes an asrproto.testing.youdao.LongService" in listed
