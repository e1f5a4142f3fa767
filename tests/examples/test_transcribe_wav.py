"""The example in the README is a file that runs: here against the fake, over a real socket."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from asrproto.aws.sigv4 import Credentials
from asrproto.cli.loopback import Loopback
from asrproto.errors import ServiceError
from asrproto.testing import ScriptedRecogniser
from asrproto.testing.transcribe import FakeTranscribe

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "transcribe_wav.py"
RECORDING = ROOT / "examples" / "speech" / "goforward.wav"
KEY, SECRET = "AKIDEXAMPLE", "made-up/secret+key"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    fake = FakeTranscribe(lambda rate: ScriptedRecogniser("go forward ten meters", rate),
                          credentials=Credentials(KEY, SECRET))
    with Loopback(fake) as loopback:
        yield "ws://{}:{}".format(*loopback.address)


def test_it_transcribes(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLE))["main"](str(RECORDING), endpoint=endpoint)
    assert capsys.readouterr().out == "go forward ten meters\n"


def test_it_raises_what_the_service_says(endpoint: str) -> None:
    with pytest.raises(ServiceError, match="BadRequestException"):
        runpy.run_path(str(EXAMPLE))["main"](str(RECORDING), endpoint=endpoint, media_encoding="flac")


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_it_as_it_is(readme: str) -> None:
    shown = (ROOT / readme).read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    source = EXAMPLE.read_text(encoding="utf-8")
    assert len(shown.splitlines()) > 20
    for part in shown.strip().split("\n\n\n"):
        assert part in source
