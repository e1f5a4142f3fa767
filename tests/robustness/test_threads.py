"""Many threads at once: on separate objects nothing is shared, and one object used by many gives what is documented."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from work import ERRORS, UNITS

from asrproto.audio import AudioEncoder, Resampler
from asrproto.aws.eventstream import EventStreamDecoder, Message, MessageEncoder, encode_message
from asrproto.errors import LocalProtocolError
from asrproto.volcengine.frames import Frame, decode_frame, encode_frame
from fuzz.conversations import CONVERSATIONS, recorded

THREADS = 8
ROUNDS = 200


@pytest.fixture(autouse=True)
def switch_often() -> Any:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def together(work: Callable[[int], Any]) -> list[Any]:
    """What `work` gives in each of many threads, which begin at the same moment."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def told(call: Callable[[], object]) -> str:
    """What a call gives, or how it was refused."""
    try:
        return str(call())
    except LocalProtocolError as error:
        return str(error)


@pytest.mark.parametrize("name", [*UNITS, *ERRORS])
def test_separate_objects(name: str) -> None:
    maker = (UNITS | ERRORS)[name]

    def work(number: int) -> list[Any]:
        unit = maker()
        return [unit(i) for i in range(ROUNDS)]

    expected = work(0)
    assert all(result == expected for result in together(work))


def test_one_message_encoder() -> None:
    """Encoders are immutable: share them."""
    encoder = MessageEncoder({"a": "b"})
    expected = [encode_message({"a": "b"}, bytes(size)) for size in range(ROUNDS)]
    assert all(made == expected for made in together(lambda _: [encoder.encode(bytes(n)) for n in range(ROUNDS)]))


def test_one_message_and_one_frame() -> None:
    """Decoded values are immutable, though a payload is copied out of the stream when it is first asked for."""
    for size in (10, 100_000):
        for message in (*EventStreamDecoder().feed(encode_message({"a": "b"}, bytes(size)) * 50),
                        *[decode_frame(encode_frame(Frame(9, payload=bytes(size))))] * 5):
            assert together(lambda _, message=message: message.payload) == [bytes(size)] * THREADS


def test_one_event_stream_decoder() -> None:
    """A decoder serves one thread: whoever comes while another is in it gets an error, and nothing is corrupted."""
    wire = encode_message({"a": "b"}, bytes(300_000))  # large enough that the GIL is released within
    decoder = EventStreamDecoder()

    def feed(number: int) -> list[str]:
        return [told(lambda: [len(message.payload) for message in decoder.feed(wire)]) for _ in range(20)]

    outcomes = {outcome for one in together(feed) for outcome in one}
    assert "[300000]" in outcomes
    assert outcomes <= {"[300000]", "the decoder is in use by another call; it serves one thread"}
    assert decoder.feed(wire)[0] == Message({"a": "b"}, bytes(300_000))
    decoder.close()


@pytest.mark.parametrize("make", [
    lambda: Resampler(48000, 16000),
    lambda: AudioEncoder(rate_in=48000, dtype_in="float32"),
], ids=["Resampler", "AudioEncoder"])
def test_one_resampler(make: Callable[[], Any]) -> None:
    """Each push is whole, or refused; which order the pushes take is the callers' affair."""
    one = make()
    block = np.zeros(48_000, np.float32)

    def push(number: int) -> list[str]:
        return [told(lambda: len(one.push(block)) > 0) for _ in range(10)]

    outcomes = {outcome for one in together(push) for outcome in one}
    assert "True" in outcomes
    assert all(outcome == "True" or "in use" in outcome for outcome in outcomes), outcomes
    one.push(block)
    one.flush()


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_one_session_speaks_in_one_thread_and_hears_in_another(name: str) -> None:
    """The two halves of a conversation are independent of each other."""
    message = recorded(name)[0][1]

    def talk() -> tuple[Any, Callable[[], Any], Callable[[], Any]]:
        session: Any = CONVERSATIONS[name].session()
        session.handshake()
        session.start()
        speak = lambda: [session.send_audio(bytes(700)) for _ in range(ROUNDS)]  # noqa: E731
        hear = lambda: [repr(session.receive(message)) for _ in range(ROUNDS)]  # noqa: E731
        return session, speak, hear

    _, speak, hear = talk()
    spoken, heard = speak(), hear()
    session, speak, hear = talk()
    outcomes = together(lambda number: speak() if number == 0 else hear() if number == 1 else None)
    assert (outcomes[0], outcomes[1]) == (spoken, heard)
    session.end_audio()


SUBINTERPRETER = """
import asrproto._kernels.{name} as kernel
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = f'''
from importlib.util import module_from_spec, spec_from_file_location
try:
    {work}
except ImportError as error:
    answer = str(error)
else:
    answer = "imported"
with open({file!r}, "w") as file:
    file.write(answer)
'''
interpreters.{run}(interpreters.create(), code)
"""
WORK = {
    "the package": "import asrproto",
    "a kernel alone": "module_from_spec(spec_from_file_location('x.{name}', {{kernel.__file__!r}}))",
}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before Python 3.12 an extension cannot say what it supports")
@pytest.mark.parametrize("what", WORK)
@pytest.mark.parametrize("name", ["cpu", "crc32", "volcframe"])
def test_sub_interpreters_are_refused(name: str, what: str, tmp_path: Path) -> None:
    run = "exec" if sys.version_info >= (3, 13) else "run_string"
    answer = tmp_path / "answer"
    code = SUBINTERPRETER.format(name=name, work=WORK[what].format(name=name), file=str(answer), run=run)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
    assert "does not support loading in subinterpreters" in answer.read_text()
