"""`asrproto convert`: what comes out is what the audio rooms make; what goes wrong leaves nothing behind."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("soundfile")
pytest.importorskip("click")
pytest.importorskip("rich")

import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from asrproto.audio import AudioEncoder, float_to_int16, int16_to_float, pcm_to_float, resample, to_mono, wav
from asrproto.audio.pcm import SAMPLE_FORMATS
from asrproto.cli.samples import ENCODERS

from .conftest import Asrproto

Start = Callable[..., subprocess.Popen[bytes]]
DEV_FULL = Path("/dev/full")


@pytest.fixture(scope="module")
def recording(speech: Path) -> np.ndarray:
    with wave.open(str(speech / "goforward.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.fixture
def goforward(speech: Path) -> Path:
    return speech / "goforward.wav"


@pytest.mark.parametrize("encoding", SAMPLE_FORMATS)
def test_each_encoding_reads_back(asrproto: Asrproto, goforward: Path, recording: np.ndarray, tmp_path: Path,
                                  encoding: str) -> None:
    out = tmp_path / "out.raw"
    assert asrproto("convert", goforward, out, "-e", encoding).status == 0
    read = pcm_to_float(out.read_bytes(), encoding)
    error = np.abs(read - int16_to_float(recording)).max()
    assert error <= {"u8": 2**-8, "ulaw": 2**-5, "alaw": 2**-5}.get(encoding, 0)


@given(block=arrays.arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32)))
def test_encoders_round_and_clip_alike(block: np.ndarray) -> None:
    for encoding, encode in ENCODERS.items():
        data = encode(block)
        assert len(data) == len(block) * SAMPLE_FORMATS[encoding]
        read = pcm_to_float(data, encoding)
        if encoding[0] == "s":
            step = 2.0 ** (1 - int(encoding[1:3]))
            wanted = np.clip(np.nan_to_num(block.astype(float), nan=0, posinf=2, neginf=-2), -1, 1 - step)
            assert np.abs(read - wanted).max(initial=0) <= step / 2 + 2**-24


@pytest.mark.parametrize(("encoding", "rate"), [("s16le", 8000), ("ulaw", 8000), ("alaw", 16000), ("s16le", 48000)])
def test_it_is_what_the_encoder_makes(asrproto: Asrproto, tmp_path: Path, recording: np.ndarray, encoding: str,
                                      rate: int) -> None:
    stereo = np.stack([recording, recording[::-1]], axis=1)
    source, out = tmp_path / "in.wav", tmp_path / "out.raw"
    source.write_bytes(wav.header(rate=16000, channels=2, data_size=stereo.nbytes) + stereo.tobytes())
    assert asrproto("convert", source, out, "-e", encoding, "-r", rate).status == 0
    names = {"s16le": "pcm_s16le"}
    encoder = AudioEncoder(rate_in=16000, channels_in=2, dtype_in="int16", rate_out=rate,
                           encoding=names.get(encoding, encoding))
    assert out.read_bytes() == b"".join(encoder.push(stereo) + encoder.flush())


@pytest.mark.parametrize(("name", "kind"), [("in.wav", "WAV"), ("in.flac", "FLAC"), ("in.ogg", "OGG"),
                                            ("in.mp3", "MP3"), ("in.aiff", "AIFF")])
def test_every_container_is_read(asrproto: Asrproto, tmp_path: Path, name: str, kind: str) -> None:
    seconds = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * 440 * seconds).astype(np.float32) / 2
    soundfile.write(tmp_path / name, tone, 16000, format=kind)
    assert asrproto("convert", tmp_path / name, tmp_path / "out.wav", "-r", 8000).status == 0
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        read = int16_to_float(np.frombuffer(file.readframes(file.getnframes()), "<i2"))
    wanted = resample(tone, 16000, 8000)
    assert abs(len(read) - len(wanted)) <= 1200  # MP3 pads
    spectrum = np.abs(np.fft.rfft(read[2000:6000]))
    assert np.argmax(spectrum) == 220
    if kind in ("WAV", "FLAC", "AIFF"):
        np.testing.assert_allclose(read, wanted, atol=2**-14)


def test_raw_samples(asrproto: Asrproto, tmp_path: Path, recording: np.ndarray) -> None:
    (tmp_path / "in.raw").write_bytes(np.stack([recording, -recording], axis=1).astype(">i2").tobytes())
    arguments = ("--raw", "s16be", "--raw-rate", 16000, "--raw-channels", 2)
    assert asrproto("convert", tmp_path / "in.raw", tmp_path / "out.pcm", *arguments, "--channel", 2).status == 0
    np.testing.assert_array_equal(np.frombuffer((tmp_path / "out.pcm").read_bytes(), "<i2"),
                                  float_to_int16(int16_to_float(-recording)))
    assert asrproto("convert", tmp_path / "in.raw", tmp_path / "mix.pcm", *arguments).status == 0
    mixed = to_mono(int16_to_float(np.stack([recording, -recording], axis=1)))
    assert (tmp_path / "mix.pcm").read_bytes() == float_to_int16(mixed).tobytes()


@pytest.mark.parametrize("encoding", ["u8", "s16le", "s24le", "s32le", "f32le", "f64le", "ulaw", "alaw"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_wav_headers_are_right(asrproto: Asrproto, tmp_path: Path, encoding: str, channels: int) -> None:
    samples = (np.arange(3 * 333).reshape(-1, 3) - 500).astype(np.int16)[:, :channels]
    (tmp_path / "in.raw").write_bytes(samples.tobytes())
    out = tmp_path / "out.wav"
    done = asrproto("convert", tmp_path / "in.raw", out, "--raw", "s16le", "--raw-channels", channels, "-c", channels,
                    "-e", encoding)
    assert (done.status, done.err) == (0, "")
    with soundfile.SoundFile(out) as file:
        assert (file.frames, file.channels, file.samplerate) == (333, channels, 16000)
        read = file.read(dtype="float32", always_2d=True)
    np.testing.assert_allclose(read, int16_to_float(samples), atol=2**-8)
    assert wav.decode(out.read_bytes())[0].frames == 333


def test_through_pipes(asrproto: Asrproto, process: Start, goforward: Path, tmp_path: Path) -> None:
    """A WAV that does not know its own length, in and out; beside what files give."""
    streamed = wav.header(rate=16000, channels=1) + goforward.read_bytes()[44:]
    with process("convert", "-", "-", "--container", "wav", "-r", 8000, stdin=subprocess.PIPE) as started:
        out, err = started.communicate(streamed)
    assert (started.returncode, err) == (0, b"")
    assert asrproto("convert", goforward, tmp_path / "out.wav", "-r", 8000).status == 0
    assert wav.decode(out)[1] == wav.decode((tmp_path / "out.wav").read_bytes())[1]
    (tmp_path / "stream.wav").write_bytes(streamed)
    assert asrproto("convert", tmp_path / "stream.wav", tmp_path / "again.wav", "-r", 8000).status == 0
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "out.wav").read_bytes()


def test_a_device_is_written_to(process: Start, goforward: Path) -> None:
    """It is not replaced by a file, as root could do; and a pipe has no other name to be moved to."""
    with process("convert", goforward, "/dev/stdout") as started:
        out, err = started.communicate()
    assert (started.returncode, err) == (0, b"")
    assert out == goforward.read_bytes()[44:]


def test_nothing_is_overwritten(asrproto: Asrproto, goforward: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    out.write_bytes(b"precious")
    out.chmod(0o640)
    done = asrproto("convert", goforward, out)
    assert (done.status, out.read_bytes()) == (2, b"precious")
    assert "--force" in done.complaint
    assert asrproto("convert", goforward, out, "--force").status == 0
    assert out.read_bytes()[:4] == b"RIFF"
    assert out.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["out.wav"]


def test_a_link_stays_a_link(asrproto: Asrproto, goforward: Path, tmp_path: Path) -> None:
    (tmp_path / "real.wav").write_bytes(b"old")
    (tmp_path / "link.wav").symlink_to(tmp_path / "real.wav")
    assert asrproto("convert", goforward, tmp_path / "link.wav", "-f").status == 0
    assert (tmp_path / "link.wav").is_symlink()
    assert (tmp_path / "real.wav").read_bytes()[:4] == b"RIFF"


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
def test_a_recording_cut_short(asrproto: Asrproto, tmp_path: Path, goforward: Path, recording: np.ndarray,
                               kind: str) -> None:
    content = io.BytesIO()
    soundfile.write(content, recording, 16000, format=kind)
    source = tmp_path / f"in.{kind.lower()}"
    source.write_bytes(content.getvalue()[:len(content.getvalue()) * 2 // 3 + 1])
    done = asrproto("convert", source, tmp_path / "out.wav")
    assert done.status == 1
    assert source.name in done.complaint
    assert os.listdir(tmp_path) == [source.name]
    assert asrproto("convert", source, tmp_path / "out.wav", "--salvage").status == 0
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert 0.3 * len(recording) < file.getnframes() < len(recording)


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b"no recording at all", "no recording in a format that can be read"),
    (b"RIFF\0\0\0\0WAVE", "truncated-header"), (b"RIFF\0\0\0\0AVI ", "not-wav"), (b"fLaC", "no recording"),
])
def test_what_is_no_recording(asrproto: Asrproto, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "in").write_bytes(content)
    done = asrproto("convert", tmp_path / "in", tmp_path / "out.wav")
    assert done.status == 1
    assert words in done.complaint
    assert os.listdir(tmp_path) == ["in"]


@pytest.mark.parametrize(("arguments", "words"), [
    (["missing.wav", "out.wav"], "missing.wav: no such file or directory"),
    ([".", "out.wav"], ".: is a directory"),
    (["{wav}", "."], ".: is a directory"),
    (["{wav}", "no/such/folder/out.wav"], "no/such/folder/out.wav: no such file or directory"),
    (["{wav}", "out.wav", "-e", "s16be"], "WAV files have no s16be"),
    (["{wav}", "out.wav", "-e", "mp3"], "'mp3' is not one of"),
    (["{wav}", "out.wav", "--channel", "3"], "has 1 channels"),
    (["{wav}", "out.wav", "--rate", "1"], "1 is not in the range"),
    (["{wav}"], "Missing argument 'OUT'"),
])
def test_wrong_use(asrproto: Asrproto, goforward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                   arguments: list[str], words: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = asrproto("convert", *[argument.replace("{wav}", str(goforward)) for argument in arguments])
    assert done.status == 2
    assert words in done.err
    assert "Traceback" not in done.err
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(asrproto: Asrproto, tmp_path: Path) -> None:
    (tmp_path / "in.wav").touch(0o000)
    done = asrproto("convert", tmp_path / "in.wav", tmp_path / "out.wav")
    assert (done.status, "permission denied" in done.complaint) == (2, True)


@pytest.mark.skipif(not DEV_FULL.exists(), reason="no /dev/full here")
def test_a_full_disk(asrproto: Asrproto, process: Start, goforward: Path) -> None:
    done = asrproto("convert", goforward, DEV_FULL)
    assert (done.status, done.complaint) == (1, "/dev/full: no space left on device")
    with DEV_FULL.open("wb") as full, process("convert", goforward, "-", stdout=full) as started:
        _, err = started.communicate()
    assert started.returncode == 1
    assert err == b"asrproto: standard output: no space left on device\n"


def test_a_full_disk_leaves_nothing_behind(process: Start, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the end of the disk."""
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    with open("/dev/zero", "rb") as zeros, process("convert", "-", "out.wav", "--raw", "s16le", stdin=zeros,
                                                   preexec_fn=limit) as started:
        _, err = started.communicate()
    assert started.returncode == 1
    assert err == b"asrproto: out.wav: file too large\n"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(process: Start, tmp_path: Path, number: int, status: int) -> None:
    with process("convert", "-", "out.wav", "--raw", "s16le", stdin=subprocess.PIPE) as started:
        assert started.stdin is not None
        started.stdin.write(bytes(1 << 18))
        started.stdin.flush()
        deadline = time.monotonic() + 20
        while not os.listdir(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [name for name in os.listdir(tmp_path) if name.endswith(".part")]
        started.send_signal(number)
        assert started.wait(20) == status
        assert b"Traceback" not in started.stderr.read()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", ["convert", "inspect"])
def test_a_closed_pipe(process: Start, goforward: Path, command: str, tmp_path: Path) -> None:
    if command == "convert":
        arguments = ["convert", "-", "-", "--raw", "s16le"]
    else:
        arguments = ["inspect", "--json"]
    events = b"data: x\n\n" * 100_000
    (tmp_path / "in").write_bytes(events)
    with (tmp_path / "in").open("rb") as source, process(*arguments, stdin=source) as started:
        assert started.stdout is not None
        started.stdout.read(10)
        started.stdout.close()
        assert started.wait(20) == 141
        assert started.stderr.read() == b""


def peak_memory(*arguments: object, stdin: int) -> int:
    """Kilobytes at most, of a process of its own."""
    command = [sys.executable, "-c", "import resource, sys\nfrom asrproto.cli.__main__ import main\n"
               "assert main(sys.argv[1:]) == 0\n"
               "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)", *map(str, arguments)]
    done = subprocess.run(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in KB, sparse files")
@pytest.mark.parametrize("arguments", [
    ["convert", "-", "-", "--container", "wav", "-r", 8000, "--quality", "fast"], ["inspect"]], ids=lambda a: a[0])
def test_memory_does_not_grow_with_the_length(tmp_path: Path, arguments: list[object]) -> None:
    """A hundred times the length, in a file that takes no room on the disk, for at most two megabytes more."""
    peaks = []
    for size in (1 << 20, 100 << 20):
        source = tmp_path / f"{size}.wav"
        with source.open("wb") as file:
            file.write(wav.header(rate=48000, channels=1, data_size=size))
            file.truncate(44 + size)
        with source.open("rb") as file:
            peaks.append(peak_memory(*arguments, stdin=file.fileno()))
    assert peaks[1] - peaks[0] < 2048, peaks
