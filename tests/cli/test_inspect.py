"""`asrproto inspect`: every format in every spelling, cut anywhere; faults, with what stands before them."""

from __future__ import annotations

import base64
import gzip
import json
import re
import struct
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("click")
pytest.importorskip("rich")

from asrproto.audio import wav
from asrproto.aws import eventstream
from asrproto.aws.eventstream import Int8, Timestamp, encode_message
from asrproto.aws.sigv4 import Credentials, EventSigner, SigV4Signer
from asrproto.cli.inspect import wav as inspected_wav
from asrproto.cli.inspect.formats import FORMATS, detect
from asrproto.cli.inspect.forms import FORMS
from asrproto.cli.inspect.meanings import MEANINGS
from asrproto.http import sse
from asrproto.volcengine import frames
from asrproto.volcengine.frames import Frame, encode_frame

from .conftest import Asrproto

# From a question on the web about Amazon Transcribe, with the English message for which its checksum holds.
PASTED = (r"""b'\x00\x00\x00\xa3\x00\x00\x00ah\x10k\xe1\x0f:exception-type\x07\x00\x13BadRequestException\r:content"""
          r"""-type\x07\x00\x10application/json\r:message-type\x07\x00\texception{"Message":"Unexpected WebSocket """
          r"""frame received."}\xbd\xceK\x8a'""")
EVENT = encode_message({":message-type": "event", ":event-type": "AudioEvent", "n": Int8(-3), "yes": True,
                        "at": Timestamp(1_700_000_000_123), "id": UUID(int=7), "raw": b"\x01\x02"}, bytes(range(100)))
KEY = Credentials("AKIDEXAMPLE", "made-up-secret-key")
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def frame(**fields: object) -> bytes:
    return encode_frame(Frame(**{"message_type": 9, "serialization": 1, "payload": b'{"a":[1]}', **fields}))


VOLC = frame(compression=1, flags=1, sequence=-2) + frame() + frame(
    message_type=15, error_code=45000001, payload=b'{"error":"no"}')
EVENTS = b": hello\n\ndata: {\"x\": 1}\n\nid: 7\nevent: end\nretry: 10\ndata: [DONE]\ndata: bye\n\n"
SOUND = wav.header(rate=8000, channels=1, data_size=20) + bytes(20)

SAMPLES = {"eventstream": EVENT * 3, "volcengine": VOLC, "sse": EVENTS, "wav": SOUND}
SPELLINGS = {
    "raw": lambda data: data,
    "python": lambda data: repr(data).encode(),
    "hex": lambda data: data.hex().encode(),
    "base64": base64.b64encode,
}


def rows(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def fields(row: dict[str, object]) -> dict[str, object]:
    return {field["name"]: field["value"] for field in row["fields"]}


def test_the_pasted_frame_is_explained(asrproto: Asrproto) -> None:
    done = asrproto("inspect", stdin=f"I get this response:\n{PASTED}\nwhat is wrong?\n".encode())
    assert done.status == 0
    assert done.err == ""
    assert "BadRequestException" in done.out
    assert "prelude 68106be1 holds, message bdce4b8a holds" in done.out
    [advice] = [line for line in done.out.splitlines() if line.strip().startswith("advice")]
    assert "takes binary messages in event-stream encoding and got text, such as JSON" in advice


def test_a_translated_frame_is_recognised_as_such(asrproto: Asrproto) -> None:
    done = asrproto("inspect", stdin=PASTED.replace("Unexpected WebSocket frame received.", "收到意外的帧").encode())
    assert done.status == 1
    assert "translated or retyped" in done.err


@pytest.mark.parametrize("key", SAMPLES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_format_in_every_spelling(asrproto: Asrproto, key: str, spelling: str) -> None:
    plain = asrproto("inspect", "--json", stdin=SAMPLES[key])
    assert (plain.status, plain.err) == (0, "")
    assert asrproto("inspect", "--json", stdin=SPELLINGS[spelling](SAMPLES[key])) == plain
    table = asrproto("inspect", stdin=SPELLINGS[spelling](SAMPLES[key]))
    assert table.status == 0
    assert len(re.findall(r"  offset \d+, \d+ bytes$", table.out, re.M)) == len(rows(plain.out))


DUMPS = {
    "xxd": "00000000: 3a20 6869 0a0a 6461 7461 3a20 310a 0a    : hi..data: 1..\n",
    "hexdump -C": "00000000  3a 20 68 69 0a 0a 64 61  74 61 3a 20 31 0a 0a     |: hi..data: 1..|\n0000000f\n",
    "colons": "3a:20:68:69:0a:0a:64:61:74:61:3a:20:31:0a:0a",
    "C": "{0x3a, 0x20, 0x68, 0x69, 0x0a, 0x0a, 0x64, 0x61, 0x74, 0x61, 0x3a, 0x20, 0x31, 0x0a, 0x0a}",
    "escapes": r"\x3a\x20\x68\x69\x0a\x0a\x64\x61\x74\x61\x3a\x20\x31\x0a\x0a",
}


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_dumps_of_other_tools(asrproto: Asrproto, dump: str) -> None:
    done = asrproto("inspect", "--json", stdin=dump.encode())
    assert [row["offset"] for row in rows(done.out)] == [0, 6]
    assert rows(done.out)[1]["payload"]["value"] == "1"


def test_repeated_lines_of_a_dump(asrproto: Asrproto) -> None:
    head = SOUND[:44].replace(struct.pack("<I", 20), struct.pack("<I", 84))
    dump = "\n".join(f"{at:08x}: {(head + bytes(4))[at:at + 16].hex(' ')}  x" for at in (0, 16, 32))
    dump += f"\n00000030: {bytes(16).hex(' ')}  x\n*\n00000080\n"
    done = asrproto("inspect", "--json", stdin=dump.encode())
    assert fields(rows(done.out)[-1])["samples"] == 84


@pytest.mark.parametrize("key", SAMPLES)
@given(data=st.data())
def test_pieces_do_not_depend_on_the_cuts(key: str, data: st.DataObject) -> None:
    whole = SAMPLES[key]
    row = next(row for row in FORMATS if row.key == key)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert list(row.read(pieces)) == list(row.read([whole]))


@pytest.mark.parametrize("form", [form for form in FORMS if form.key in SPELLINGS], ids=lambda form: form.key)
@given(content=st.binary(min_size=1), data=st.data())
def test_spellings_are_undone_however_they_are_cut(form, content: bytes, data: st.DataObject) -> None:
    text = SPELLINGS[form.key](content)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert b"".join(form.undo(pieces)) == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(min_size=1, max_size=400), key=st.sampled_from(list(SAMPLES)), at=st.integers(0, 500),
       cut=st.integers(1, 500), as_json=st.booleans())
def test_no_bytes_break_it(asrproto: Asrproto, noise: bytes, key: str, at: int, cut: int, as_json: bool) -> None:
    sample = SAMPLES[key]
    for content in (noise, sample[:at] + noise + sample[at:], sample[:cut]):
        done = asrproto("inspect", *["--json"] * as_json, stdin=content)
        assert done.status in (0, 1)
        assert done.status == 0 or done.complaint.startswith("standard input: ")


def test_typed_headers(asrproto: Asrproto) -> None:
    [row] = rows(asrproto("inspect", "--json", stdin=EVENT).out)
    assert {field["name"]: (field["type"], field["value"]) for field in row["fields"]} == {
        ":message-type": ("string", "event"), ":event-type": ("string", "AudioEvent"), "n": ("byte", -3),
        "yes": ("bool", True), "at": ("timestamp", 1_700_000_000_123), "id": ("uuid", str(UUID(int=7))),
        "raw": ("bytes", {"base64": "AQI="})}
    assert row["checksums"] == {"prelude": EVENT[8:12].hex(), "message": EVENT[-4:].hex()}
    assert row["payload"] == {"kind": "bytes", "size": 100, "value": {
        "base64": base64.b64encode(bytes(range(100))).decode()}}


def test_signed_frames_are_unwrapped(asrproto: Asrproto) -> None:
    signer = EventSigner(SigV4Signer(KEY, service="transcribe", region="us-east-1"), prior_signature="0" * 64)
    signed = signer.sign(EVENT, at=AT)
    first, last = rows(asrproto("inspect", "--json", stdin=signed + signer.sign_end(at=AT)).out)
    assert first["title"] == "signed"
    [inner] = first["inner"]
    assert inner["title"] == "AudioEvent"
    assert signed[inner["offset"]:inner["offset"] + inner["size"]] == EVENT
    assert last["notes"] == ["signed and empty: the end of the stream"]
    assert "wrapped frame" in asrproto("inspect", stdin=signed).out


def test_a_fault_in_a_wrapped_frame_is_placed_in_the_whole(asrproto: Asrproto) -> None:
    outer = encode_message({":date": Timestamp(1), ":chunk-signature": bytes(32)}, EVENT[:-1] + b"\xff")
    done = asrproto("inspect", "--json", stdin=EVENT + outer)
    fault = rows(done.out)[-1]["fault"]
    assert (done.status, fault["reason"]) == (1, "message-checksum")
    assert fault["offset"] >= len(EVENT) + len(outer) - 4 - len(EVENT)


def test_frames_before_a_fault_are_shown(asrproto: Asrproto) -> None:
    damaged = bytearray(EVENT)
    damaged[40] ^= 1
    done = asrproto("inspect", "--json", stdin=EVENT + EVENT + bytes(damaged))
    *good, last = rows(done.out)
    assert [row["offset"] for row in good] == [0, len(EVENT)]
    assert last["fault"]["reason"] == "message-checksum"
    assert last["fault"]["meaning"]
    assert done.status == 1
    assert f"byte {last['fault']['offset']}: " in done.complaint
    assert "[message-checksum]" in done.complaint


def test_volcengine_frames(asrproto: Asrproto) -> None:
    packed, plain, refusal = rows(asrproto("inspect", "--json", stdin=VOLC).out)
    assert packed["payload"] == {"kind": "json", "size": 9, "packing": "gzip", "value": {"a": [1]}}
    assert fields(packed)["sequence"] == -2
    assert plain["offset"] == packed["size"]
    assert fields(refusal)["error_code"] == 45000001
    assert refusal["advice"].startswith("45000001: bad parameters")


def test_a_payload_that_is_packed_and_does_not_say_so(asrproto: Asrproto) -> None:
    [row] = rows(asrproto("inspect", "--json", stdin=frame(payload=gzip.compress(b"{}"))).out)
    assert any("begins like gzip" in note for note in row["notes"])


def test_server_sent_events(asrproto: Asrproto) -> None:
    comment, first, last = rows(asrproto("inspect", "--json", stdin=EVENTS).out)
    assert comment["payload"]["value"] == ": hello"
    assert (first["offset"], first["size"], first["payload"]["value"]) == (9, 16, {"x": 1})
    assert (last["title"], fields(last)) == ("end", {"id": "7", "retry": 10})
    assert last["payload"]["value"] == "[DONE]\nbye"


def test_a_wav_file(asrproto: Asrproto, speech: Path) -> None:
    content = (speech / "goforward.wav").read_bytes()
    done = asrproto("inspect", "--json", speech / "goforward.wav")
    chunks = {row["title"]: row for row in rows(done.out)}
    assert fields(chunks["fmt"])["rate"] == 16000
    assert fields(chunks["data"])["samples"] == len(content) - 44
    assert sum(row["size"] for row in chunks.values()) == len(content)
    cut = asrproto("inspect", stdin=content[:-100])
    assert (cut.status, "[truncated-data]" in cut.complaint) == (1, True)


@pytest.mark.parametrize("options", [{}, {"extensible": True}, {"data_size": 0}, {"data_size": 6 << 30},
                                     {"sample_format": "f32le", "channels": 3, "data_size": 24}])
def test_headers_of_wav_files(asrproto: Asrproto, options: dict[str, object]) -> None:
    described = {"rate": 8000, "channels": 1, **options}
    size = int(described.get("data_size") or 0) % 1000
    done = asrproto("inspect", "--json", stdin=wav.header(**described) + bytes(size))
    found = next(row for row in rows(done.out) if row.get("title") == "fmt")
    assert fields(found)["channels"] == described["channels"]
    assert done.status == (1 if int(described.get("data_size") or 0) > size else 0)


def test_every_reason_has_a_meaning() -> None:
    assert {reason for _, reason, _ in eventstream._FAULTS.values()} == set(MEANINGS["AWS event stream"])
    named = {reason for _, reason, _ in frames._DECODING_ERRORS.values()}
    named |= set(re.findall(r'reason="([a-z-]+)"', Path(frames.__file__).read_text()))
    assert named == set(MEANINGS["Volcengine frames"])
    assert set(re.findall(r'reason="([a-z-]+)"', Path(sse.__file__).read_text())) == set(MEANINGS["Server-Sent Events"])
    source = Path(inspected_wav.__file__).read_text()
    assert set(re.findall(r'reason="([a-z-]+)"', source)) == set(MEANINGS["WAV"])
    assert set(MEANINGS) == {row.name for row in FORMATS}


def test_long_payloads_are_cut_unless_all_is_wanted(asrproto: Asrproto) -> None:
    content = b'data: {"audio": ["%s"]}\n\n' % (b"A" * 5000) + b"data: %s\n\n" % (b"B" * 5000)
    short, full = asrproto("inspect", stdin=content).out, asrproto("inspect", "--full", stdin=content).out
    assert short.count("... (5000 characters)") == 2
    assert ("A" * 5000 in full, "B" * 5000 in full, len(short) < 500) == (True, True, True)
    frame = asrproto("inspect", "--full", stdin=EVENT).out
    assert bytes(range(100)).hex(" ") in frame


@pytest.mark.parametrize("depth", [10, 100, 101, 990, 5000, 1_000_000])
@pytest.mark.parametrize("as_json", [False, True])
def test_deep_json(asrproto: Asrproto, depth: int, as_json: bool) -> None:
    done = asrproto("inspect", *["--json"] * as_json, stdin=b"data: " + b"[" * depth + b"]" * depth + b"\n\n")
    assert (done.status, done.err) == (0, "")
    if as_json:
        assert json.loads(done.out)["payload"]["kind"] == ("json" if depth <= 100 else "text")


def test_terminals_are_not_commanded(asrproto: Asrproto) -> None:
    done = asrproto("inspect", stdin=b"event: \x1b]0;mine\x07\ndata: \x1b[2J \xe2\x80\xae\n\n")
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert r"\x1b[2J" in done.out


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b"\x01\x02\x03\x04", "not a format that is known"), (b'{"a": 1}', "JSON text"),
    (b"fLaC" + bytes(40), "`asrproto convert` reads"), (b"<html>", "a web server's answer"),
    (b"hello hello", "text"), (b"deadbeef0", "hexadecimal digits"), (b'b"abc"', "Python bytes literal"),
])
def test_what_is_not_recognised(asrproto: Asrproto, content: bytes, words: str) -> None:
    done = asrproto("inspect", stdin=content)
    assert done.status == 1
    assert words in done.complaint


@pytest.mark.parametrize(("text", "words"), [
    (EVENT.hex() * 40 + "x y z", "this began as hexadecimal digits, and goes on as something else"),
    (EVENT.hex() * 40 + "0", "an odd number of hexadecimal digits: one is missing"),
    (base64.b64encode(EVENT * 40).decode() + "?", "this began as base64, and goes on as something else"),
    (base64.b64encode(EVENT * 40).decode() + "A", "the base64 is cut: its last character stands alone"),
])
def test_a_spelling_that_breaks_off(asrproto: Asrproto, text: str, words: str) -> None:
    done = asrproto("inspect", "--json", stdin=text.encode())
    assert (done.status, len(rows(done.out))) == (1, 40)
    assert done.complaint == f"standard input: {words}"


def test_a_format_may_be_forced(asrproto: Asrproto) -> None:
    done = asrproto("inspect", "--format", "eventstream", stdin=b"not a frame at all")
    assert "[prelude-checksum]" in done.complaint
    assert detect(b"not a frame at all") is None
