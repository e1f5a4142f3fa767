"""Memory stays flat over many messages through every codec and session, and many sessions opened and dropped.

``LEAK_MESSAGES=1000000 LEAK_SESSIONS=10000 pytest tests/robustness/test_leaks.py`` is the full count.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from work import ERRORS, SESSIONS, UNITS, Unit

from asrproto.aws.eventstream import EventStreamDecoder, Message, MessageEncoder, encode_message
from asrproto.errors import RemoteProtocolError
from asrproto.volcengine.frames import Frame, decode_frame, encode_frame

MESSAGES = int(os.environ.get("LEAK_MESSAGES", "3000"))
OPENED = int(os.environ.get("LEAK_SESSIONS", "150"))
WARM_UP = 300
FEW_BLOCKS = 60  # of Python's allocator: caches of the interpreter
FEW_BYTES = 1 << 20  # of the process: the C allocator's granularity

pytestmark = pytest.mark.skipif("ASRPROTO_SANITIZE" in os.environ,
                                reason="AddressSanitizer keeps what was freed, to see who uses it still")
linux = sys.platform.startswith("linux")


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") if linux else 0


def assert_flat(unit: Unit, count: int) -> None:
    for i in range(min(WARM_UP, count)):
        unit(i)
    gc.collect()
    blocks, memory = sys.getallocatedblocks(), resident()
    for i in range(count):
        unit(i)
    gc.collect()
    assert sys.getallocatedblocks() - blocks < FEW_BLOCKS
    if count > WARM_UP:
        assert resident() - memory < FEW_BYTES


@pytest.mark.parametrize("name", [*UNITS, *ERRORS])
def test_messages(name: str) -> None:
    assert_flat((UNITS | ERRORS)[name](), MESSAGES)


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions_opened_and_dropped(name: str) -> None:
    assert_flat(SESSIONS[name](), OPENED)


def test_a_leak_is_seen() -> None:
    kept: list[bytes] = []
    with pytest.raises(AssertionError):
        assert_flat(lambda i: kept.append(bytes(100)), 1000)


def good(call: Callable[[], object]) -> Callable[[], object]:
    return call


def bad(call: Callable[[], object]) -> Callable[[], object]:
    def refused() -> None:
        with pytest.raises((RemoteProtocolError, ValueError, TypeError)):
            call()

    return refused


def test_reference_counts_of_what_the_kernels_are_given() -> None:
    name, text, blob, value = "-".join(("a", "name")), "-".join(("some", "text")), bytes(range(50)), 10**12 + 1
    payload = bytearray(b"payload")
    headers = {name: text, "blob": blob, "value": value}
    frame, volc = encode_message(headers, payload), Frame(9, payload=blob, sequence=value % 99, flags=1)
    wire, encoder, decoder = encode_frame(volc), MessageEncoder(headers), EventStreamDecoder()
    calls = [
        good(lambda: encode_message(headers, payload)), good(lambda: encoder.encode(payload)),
        good(lambda: Message(headers, payload).encode()), good(lambda: Message.decode(frame)),
        good(lambda: decoder.feed(frame)), good(lambda: encode_frame(volc)), good(lambda: decode_frame(wire)),
        bad(lambda: Message.decode(frame[:-1])), bad(lambda: encode_message({name: object()}, payload)),
        bad(lambda: encode_message({name: "x" * 40000}, payload)), bad(lambda: encode_message({text: 2**70}, payload)),
        bad(lambda: EventStreamDecoder().feed(blob)), bad(lambda: decode_frame(wire[:-1])),
        bad(lambda: encode_message(headers, name)), bad(lambda: Message.decode(blob)),
    ]
    given = (name, text, blob, value, payload, headers, frame, volc, wire, encoder, decoder, None, True, Message, b"")
    for call in calls:
        call()
    gc.collect()
    immortal = 1 << 28  # from Python 3.12 on, None and some others are not counted
    before = [sys.getrefcount(one) for one in given]
    for call in calls:
        for _ in range(200):
            call()
    gc.collect()
    after = [sys.getrefcount(one) for one in given]
    changed = [(one, b, a) for one, b, a in zip(given, before, after, strict=True) if abs(a - b) > 20 and b < immortal]
    assert not changed
    payload.append(0)  # no view of it is left


def test_in_development_mode() -> None:
    """With CPython's debugging allocator, which sees writes past the end of a block, and every warning an error."""
    done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-m", "fuzz", "--runs", "400", "aws_eventstream",
                           "volcengine_frames", "http_sse", "session_transcribe_http2", "session_volcengine_bigmodel"],
                          cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
