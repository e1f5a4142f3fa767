"""The demo as a newcomer runs it: a process of its own, its output, its exit status, and nothing left behind."""

from __future__ import annotations

import re
import subprocess
import sys
import wave
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from asrproto import Event, ServiceError, Transcript
from asrproto.aws.eventstream import encode_message
from asrproto.cli.demo import Run, read_capture, run_service, table
from asrproto.cli.loopback import Loopback
from asrproto.cli.services import NAMES, RequestService, load
from asrproto.http import HttpRequest, HttpResponse
from asrproto.testing import ScriptedRecogniser

pytest.importorskip("pocketsphinx")
WORDS = "go forward ten meters"


def run_demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Its output is read until every process that could write to it has gone, so a fake left running would show."""
    return subprocess.run([sys.executable, "-m", "asrproto.cli.demo", *map(str, arguments)], capture_output=True,
                          text=True, timeout=120, check=False)


def write_wav(path: Path, samples: np.ndarray, *, rate: int = 16000, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture(scope="module")
def shown(speech: Path) -> str:
    """What the demo prints of its own recording."""
    done = run_demo(speech / "goforward.wav")
    assert done.stderr == ""
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_the_words_come_out(shown: str, name: str) -> None:
    service = load(name).name
    transcripts, _, rows = shown.rpartition("\n\n")
    transcripts = transcripts.partition(f"\n{service}\n")[2].partition("\n\n")[0]
    assert re.search(rf"^ +[0-9.]+ s  final +{WORDS}$", transcripts, re.M), shown
    [row] = [line for line in rows.splitlines() if line.startswith(f"{service}  ")]
    figures = re.fullmatch(rf"{service} +{WORDS} +2\.79 s +(\d+) / (\d+) +(\d+) / (\d+) +(\d+) us", row)
    assert figures, row
    assert all(int(figure) > 0 for figure in figures.groups())


def test_transcribe(shown: str, speech: Path) -> None:
    """A wrong key is refused, partial results come, and the figures are those of the wire."""
    shown = shown.partition(f"\n{load('transcribe').name}\n")[2]
    assert shown.startswith("  a wrong key is refused: InvalidSignatureException: The request signature we calculated")
    partials = re.findall(r"^ +[0-9.]+ s  partial  (.+)$", shown, re.M)
    assert len(partials) > 3
    assert "go forward" in partials
    with wave.open(str(speech / "goforward.wav")) as file:
        frames = file.getnframes()
    messages = -(-frames // 1600) + 1  # 100 ms each at 16 kHz, and one without audio at the end
    empty = encode_message({":message-type": "event", ":event-type": "AudioEvent",
                            ":content-type": "application/octet-stream"})
    assert f" {2 * frames + messages * len(empty)} / " in shown
    assert f" {messages} / " in shown


def test_nothing_is_recognised_in_silence(tmp_path: Path) -> None:
    done = run_demo(write_wav(tmp_path / "silence.wav", np.zeros((8000, 1), np.int16)), "--service", "transcribe")
    assert done.returncode == 1
    assert "(none)" in done.stdout


@pytest.mark.parametrize(("samples", "width", "complaint"), [
    (np.zeros((100, 1), np.uint8), 1, "8 bits a sample"), (np.zeros((0, 1), np.int16), 2, "empty")])
def test_recordings_it_cannot_read(tmp_path: Path, samples: np.ndarray, width: int, complaint: str) -> None:
    done = run_demo(write_wav(tmp_path / "bad.wav", samples, width=width))
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_such_recording(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not a recording")
    for name in ("missing.wav", "text.wav"):
        done = run_demo(tmp_path / name)
        assert (done.returncode, done.stdout) == (2, "")
        assert name in done.stderr


def test_what_the_sound_card_gives(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for rate, channels, frames in ((16000, 1, 320), (48000, 2, 960), (44100, 1, 441), (8000, 3, 80)):
        samples = rng.integers(-32768, 32768, (frames, channels)).astype("<i2")
        capture = read_capture(write_wav(tmp_path / "x.wav", samples, rate=rate))
        assert capture.shape == (-(-frames * 48000 // rate), 2)
        assert capture.dtype == np.float32
        if channels == 1:
            assert np.array_equal(capture[:, 0], capture[:, 1])
        if rate == 48000:
            assert np.array_equal(capture, samples / np.float32(32768))


class Repeater:
    """A service that hears nothing and repeats how much there was of it, for those who have the key."""

    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        if request.header("X-Key") != "right":
            return HttpResponse(401, (), b"who are you?")
        return HttpResponse(200, (), f"{len(request.body)} bytes".encode())


def repeating(key: str) -> Callable[[bytes], Generator[HttpRequest, HttpResponse, list[Event]]]:
    def exchange(recording: bytes) -> Generator[HttpRequest, HttpResponse, list[Event]]:
        response = yield HttpRequest("POST", "https://repeat.example.com/", [("X-Key", key)], recording)
        if response.status != 200:
            raise ServiceError(response.body.decode(), code=str(response.status))
        return [Transcript(response.body.decode(), is_final=True)]

    return exchange


def test_a_service_of_plain_requests(capsys: pytest.CaptureFixture[str]) -> None:
    service = RequestService(name="Repeater", exchange=repeating("right"), stranger=repeating("wrong"),
                             fake=lambda recogniser: Repeater(), rate=8000)
    with Loopback(service.fake(ScriptedRecogniser)) as loopback:
        run = run_service(service, np.zeros((48000, 2), np.float32), loopback.address, pace=0)
    assert (run.transcript, run.failures) == ("16000 bytes", [])
    assert (run.meter.sent_bytes, run.meter.received_bytes) == (16000, len("16000 bytes"))
    assert "a wrong key is refused: 401: who are you?" in capsys.readouterr().out


def test_a_service_that_fails_does_not_end_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    service = RequestService(name="Repeater", exchange=repeating("wrong"), fake=lambda recogniser: Repeater())
    with Loopback(service.fake(ScriptedRecogniser)) as loopback:
        run = run_service(service, np.zeros((480, 2), np.float32), loopback.address, pace=0)
    assert [failure.code for failure in run.failures] == ["401"]
    gone = run_service(service, np.zeros((480, 2), np.float32), loopback.address, pace=0)
    assert [failure.code for failure in gone.failures] == ["ConnectionRefusedError"]
    assert "failed   401: who are you?" in capsys.readouterr().out


def test_a_long_transcript_does_not_break_the_table() -> None:
    run = Run("A service")
    run.finals += ["word " * 100, "end"]
    lines = table([run], 1.0)
    assert max(map(len, lines)) < 160
    assert "..." in lines[1]
