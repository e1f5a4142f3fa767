"""`asrproto encode`: the messages of the sessions themselves, which `asrproto inspect` and a fake read back."""

from __future__ import annotations

import json
import os
import wave
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from asrproto.audio import int16_to_float, int16_to_ulaw, resample
from asrproto.aws.transcribe import Credentials, TranscribeSession
from asrproto.cli.encode import SERVICES
from asrproto.session import StreamingSession
from asrproto.testing.recording import ReplayService, read_recording
from asrproto.volcengine.credentials import AppCredentials
from asrproto.volcengine.streaming import BigModelSession
from asrproto.youdao.streaming import YoudaoSession

from .conftest import Asrproto

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
OPTIONS = {
    "transcribe-call-analytics": ["-o", 'channel_roles=["AGENT","CUSTOMER"]'],
    "transcribe-scribe": ["-o", "resource_access_role_arn=arn:aws:iam::1:role/x", "-o", "output_bucket_name=bucket"],
}


@pytest.fixture
def goforward(speech: Path) -> Path:
    return speech / "goforward.wav"


@pytest.fixture
def pcm(goforward: Path) -> bytes:
    with wave.open(str(goforward)) as file:
        return file.readframes(file.getnframes())


def messages(session: StreamingSession, audio: bytes) -> list[bytes | str]:
    session.handshake()
    return [*session.start(), *session.send_audio(audio), *session.end_audio()]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service(asrproto: Asrproto, goforward: Path, tmp_path: Path, service: str) -> None:
    out = tmp_path / "out.jsonl"
    done = asrproto("encode", goforward, out, "--service", service, *OPTIONS.get(service, []))
    assert (done.status, done.err) == (0, "")
    records = list(read_recording(out))
    assert records[0].kind == "handshake"
    assert {record.sender for record in records} == {"client"}
    assert records[-1].time == pytest.approx(2.786, abs=0.05)
    assert [record.time for record in records] == sorted(record.time for record in records)
    shown = asrproto("inspect", "--json", out)
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert (shown.status, len(rows)) == (0, len(records))
    if SERVICES[service].frames_tell_their_length:
        assert all(row["inner"] for row in rows[1:])
        assert not any("notes" in row for row in rows)
    ReplayService(out)


SESSIONS: dict[str, Callable[[], StreamingSession]] = {
    "transcribe": lambda: TranscribeSession(Credentials("A", "b"), region="us-east-1", language_code="en-US"),
    "volcengine": lambda: BigModelSession(AppCredentials("1", "t")),
    "youdao": lambda: YoudaoSession("key", "secret", language="zh-CHS"),
}


@pytest.mark.parametrize("service", SESSIONS)
def test_the_messages_are_the_sessions(asrproto: Asrproto, goforward: Path, pcm: bytes, tmp_path: Path,
                                       service: str) -> None:
    assert asrproto("encode", goforward, tmp_path / "out.jsonl", "-s", service).status == 0
    sent = [record.message for record in read_recording(tmp_path / "out.jsonl") if record.kind != "handshake"]
    assert sent == messages(SESSIONS[service](), pcm)


@pytest.mark.parametrize("service", ["transcribe", "volcengine"])
def test_frames_alone(asrproto: Asrproto, goforward: Path, pcm: bytes, tmp_path: Path, service: str) -> None:
    assert asrproto("encode", goforward, tmp_path / "out.bin", "-s", service, "--frames").status == 0
    wanted = messages(SESSIONS[service](), pcm)
    assert (tmp_path / "out.bin").read_bytes() == b"".join(wanted)  # type: ignore[arg-type]
    shown = asrproto("inspect", "--json", tmp_path / "out.bin")
    assert [json.loads(line)["size"] for line in shown.out.splitlines()] == list(map(len, wanted))


def test_audio_is_brought_to_what_the_session_takes(asrproto: Asrproto, goforward: Path, pcm: bytes,
                                                    tmp_path: Path) -> None:
    import numpy as np

    from asrproto.audio import float_to_int16
    from asrproto.aws.eventstream import EventStreamDecoder

    assert asrproto("encode", goforward, tmp_path / "out.bin", "-s", "transcribe", "--frames", "-o",
                    "media_encoding=g711-ulaw", "-o", "sample-rate=8000").status == 0
    sent = b"".join(message.payload for message in EventStreamDecoder().feed((tmp_path / "out.bin").read_bytes()))
    samples = resample(int16_to_float(np.frombuffer(pcm, "<i2")), 16000, 8000)
    assert sent == int16_to_ulaw(float_to_int16(samples))


def test_own_credentials_sign_and_do_not_show(asrproto: Asrproto, goforward: Path, pcm: bytes, tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    own = Credentials("AKIDOWN", "my-own-secret-key", "my-own-token")
    for name, value in zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
                           (own.access_key_id, own.secret_access_key, own.session_token), strict=True):
        monkeypatch.setenv(name, str(value))
    out = tmp_path / "out.jsonl"
    assert asrproto("encode", goforward, out, "-s", "transcribe", "--credentials", "--at", AT.isoformat(), "-o",
                    "sign_frames=true").status == 0
    session = TranscribeSession(own, region="us-east-1", language_code="en-US", sign_frames=True, clock=lambda: AT)
    sent = [record.message for record in read_recording(out) if record.kind != "handshake"]
    assert sent == messages(session, pcm)
    assert "my-own" not in out.read_text()
    assert out.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("arguments", "words"), [
    (["-s", "nobody"], "'nobody' is not one of"),
    ([], "Missing option '-s'"),
    (["-s", "youdao", "--frames"], "--frames is for services"),
    (["-s", "transcribe", "-o", "langauge_code=en-US"], "langauge_code"),
    (["-s", "transcribe", "-o", "sample_rate=1"], "sample_rate"),
    (["-s", "transcribe", "-o", "region=nowhere"], "region must be"),
    (["-s", "volcengine", "-o", "no_such_option=1"], "no_such_option"),
    (["-s", "youdao", "-o", "nothing=1"], "nothing"),
    (["-s", "youdao", "-o", "language=xx"], "xx"),
    (["-s", "openai-realtime", "-o", "audio_format=mp3"], "audio_format"),
    (["-s", "transcribe", "-o", "nothing"], "-o takes name=value"),
])
def test_wrong_use(asrproto: Asrproto, goforward: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    done = asrproto("encode", goforward, tmp_path / "out.jsonl", *arguments)
    assert done.status == 2, done.err
    assert words in done.err
    assert "Traceback" not in done.err
    assert os.listdir(tmp_path) == []
