"""The corpus example: the same results in one process and on a cluster, progress, and no stop for errors."""

from __future__ import annotations

import importlib
import shutil
import wave
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from examples_services import AWS

from asrproto.cli.loopback import Loopback
from asrproto.testing import hearing_with
from asrproto.testing.transcribe import FakeTranscribe

# What Dask's own dependencies do in its workers and at its end is not ours to mend.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"),
              pytest.mark.filterwarnings("ignore::ResourceWarning"),
              pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@pytest.fixture
def example() -> ModuleType:
    return importlib.import_module("corpus")


@pytest.fixture
def corpus(tmp_path: Path, speech: Path) -> Path:
    """Speech, a stereo recording at another rate, one in a folder, and one that is broken."""
    folder = tmp_path / "corpus"
    (folder / "more").mkdir(parents=True)
    for path in speech.glob("*.wav"):
        shutil.copy(path, folder)
    noise = np.random.default_rng(1).integers(-9000, 9000, (44100, 2)).astype("<i2")
    with wave.open(str(folder / "more" / "stereo.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(noise.tobytes())
    (folder / "broken.wav").write_bytes(b"RIFF????WAVEno")
    return folder


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a service that says something else to each recording, down to the last bit of it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", AWS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", AWS.session_token or "")
    fake = FakeTranscribe(hearing_with(lambda pcm: sha256(pcm).hexdigest()[:16]), credentials=AWS)
    with Loopback(fake) as loopback:
        yield "ws://{}:{}".format(*loopback.address)


def test_a_cluster_gives_what_one_process_gives(example: ModuleType, corpus: Path, endpoint: str) -> None:
    distributed = pytest.importorskip("distributed")
    make_session = partial(example.session_from_environment, endpoint=endpoint)
    alone, together = [], []
    expected = example.transcribe_folder(corpus, make_session, show=alone.append)
    assert len(expected) == 5
    broken = expected.pop(corpus / "broken.wav")
    assert isinstance(broken, wave.Error)
    assert len(set(expected.values())) == 4

    with (distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                                   host="127.0.0.1") as cluster, distributed.Client(cluster) as client):
        processes = client.run(lambda: __import__("os").getpid())
        found = example.transcribe_folder(corpus, make_session, client, show=together.append)
    assert len(set(processes.values())) == 2
    assert isinstance(found.pop(corpus / "broken.wav"), wave.Error)
    assert found == expected
    assert list(found) == list(expected)
    for lines in (alone, together):
        assert [line.partition(" ")[0] for line in lines] == ["1/5", "2/5", "3/5", "4/5", "5/5"]
        assert {line.partition(" ")[2] for line in lines} == {line.partition(" ")[2] for line in alone}


def test_keys_stay_where_they_are(example: ModuleType) -> None:
    """What travels to the workers is the name of a function, not a session with its keys."""
    import pickle

    assert AWS.secret_access_key.encode() not in pickle.dumps(example.session_from_environment)


def test_a_refusal_is_a_result(example: ModuleType, corpus: Path, endpoint: str,
                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    results = example.transcribe_folder(corpus, partial(example.session_from_environment, endpoint=endpoint),
                                        show=lambda line: None)
    assert [result.code for result in results.values()] == ["InvalidSignatureException"] * 5
