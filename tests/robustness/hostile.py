"""Hostile streams, each driven in a process whose memory is capped: ``python hostile.py NAME`` prints how it ended.

A stream is endless for what it is meant to exhaust: it is fed until the decoder refuses it or `ENOUGH` bytes have gone
in, many times what the cap leaves. The end is the error's reason, or "flat" where everything was digested.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parents[2]))

from asrproto.audio import wav
from asrproto.audio.wav import WavDecoder
from asrproto.aws.eventstream import EventStreamDecoder, encode_message
from asrproto.errors import RemoteProtocolError
from asrproto.http import SSEDecoder
from asrproto.openai.stream import TranscriptionStream
from asrproto.volcengine.frames import Frame, MessageType, Serialization, decode_frame, encode_frame, gzip
from fuzz.conversations import CONVERSATIONS
from fuzz.targets.aws_eventstream import frame

MIB = 1 << 20
CAP = 192 * MIB  # of address space, beyond what is in use when the stream begins
ENOUGH = 512 * MIB
ITEMS = 200_000

Feed = Callable[[Any], object]


class Stream(NamedTuple):
    """What is fed to what, and how that must end."""

    feed: Callable[[], Feed]
    pieces: Callable[[], Iterator[Any]]
    end: str
    cap: int = CAP


def again(piece: Any) -> Iterator[Any]:
    while True:
        yield piece


def after(first: bytes, piece: bytes) -> Iterator[bytes]:
    yield first
    yield from again(piece)


def session(name: str) -> Callable[[], Feed]:
    def feed() -> Feed:
        one = CONVERSATIONS[name].session()
        one.handshake()
        one.start()
        return one.receive

    return feed


def texts(*documents: Callable[[int], dict[str, Any]]) -> Callable[[], Iterator[str]]:
    """JSON messages numbered on; each document in turn."""

    def messages() -> Iterator[str]:
        for number in range(ITEMS):
            for document in documents:
                yield json.dumps(document(number))

    return messages


def transcribe_results() -> Iterator[bytes]:
    headers = {":message-type": "event", ":event-type": "TranscriptEvent", ":content-type": "application/json"}
    for number in range(ITEMS // 2):
        result = {"ResultId": f"r-{number}", "IsPartial": True, "Alternatives": [{"Transcript": "x" * 100}]}
        yield encode_message(headers, json.dumps({"Transcript": {"Results": [result]}}).encode())


def volcengine_results() -> Iterator[bytes]:
    for number in range(ITEMS // 2):
        utterance = {"text": "x" * 100, "definite": True, "start_time": number, "end_time": number + 1}
        yield encode_frame(Frame(MessageType.FULL_SERVER_RESPONSE, serialization=Serialization.JSON, payload=json.dumps(
            {"result": {"text": "", "utterances": [utterance]}}).encode()))


ITEM = "conversation.item.input_audio_transcription."
KIB = b"x" * 1024

STREAMS = {
    "event stream: a frame of 4 GiB": Stream(
        lambda: EventStreamDecoder().feed, lambda: after(frame(b"", b"", total=2**32 - 1)[:12], bytes(MIB)),
        "message-too-large", 16 * MIB),
    "event stream: 24 MiB that are no frame": Stream(
        lambda: EventStreamDecoder().feed, lambda: after(frame(b"", b"", total=24 * MIB)[:12], bytes(MIB)),
        "message-checksum", 96 * MIB),
    "event stream: 24 MiB in pieces of a byte": Stream(
        lambda: EventStreamDecoder(max_message_size=MIB).feed,
        lambda: after(frame(b"", b"", total=MIB)[:12], b"\0"), "message-checksum", 16 * MIB),
    "event stream: good frames without end": Stream(
        lambda: EventStreamDecoder().feed, lambda: again(encode_message({"a": "b"}, KIB) * 1000), "flat", 32 * MIB),
    "event stream: every frame with other headers": Stream(
        lambda: EventStreamDecoder().feed, lambda: (encode_message({f"n{i}": KIB}, b"") * 50 for i in range(20_000)),
        "flat", 32 * MIB),
    "SSE: a line without end": Stream(lambda: SSEDecoder().feed, lambda: after(b"data: ", KIB), "line-too-long"),
    "SSE: a line without end, byte by byte": Stream(
        lambda: SSEDecoder(max_line_size=MIB).feed, lambda: after(b"data: ", b"x"), "line-too-long"),
    "SSE: an event without end": Stream(
        lambda: SSEDecoder().feed, lambda: again(b"data: " + KIB + b"\n"), "event-too-large"),
    "SSE: an event of short lines": Stream(
        lambda: SSEDecoder().feed, lambda: again("data:语\n".encode() * 1000), "event-too-large"),
    "SSE: an event of empty lines": Stream(
        lambda: SSEDecoder().feed, lambda: again(b"data\n" * 1000), "event-too-large"),
    "SSE: comments without end": Stream(lambda: SSEDecoder().feed, lambda: again(b":" + KIB + b"\n"), "flat", 32 * MIB),
    "SSE: new ids without end": Stream(
        lambda: SSEDecoder().feed, lambda: (b"id: %d\n\n" % i * 100 for i in range(50_000)), "flat", 32 * MIB),
    "WAV: a format of 4 GiB": Stream(
        lambda: WavDecoder().feed, lambda: after(b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff", bytes(MIB)),
        "fmt-fields", 16 * MIB),
    "WAV: chunks without end": Stream(
        lambda: WavDecoder().feed, lambda: after(b"RIFF\xff\xff\xff\xffWAVE", b"junk\0\4\0\0" + KIB), "flat", 16 * MIB),
    "WAV: samples without end": Stream(
        lambda: WavDecoder().feed, lambda: after(wav.header(rate=8000, channels=1), KIB), "flat", 16 * MIB),
    "Volcengine: a gzip bomb of 16 GiB": Stream(
        lambda: decode_frame, lambda: iter([bytes.fromhex("11901100") + (16 * MIB).to_bytes(4, "big")
                                            + (gzip(bytes(64 * MIB), 9) * 300)[:16 * MIB]]), "payload-bomb", 128 * MIB),
    "Transcribe: new partial results without end": Stream(
        session("transcribe_websocket"), transcribe_results, "flat", 32 * MIB),
    "Volcengine: final utterances without end": Stream(
        session("volcengine_bigmodel"), volcengine_results, "flat", 32 * MIB),
    "Volcengine: final utterances without end, single": Stream(
        session("volcengine_single"), volcengine_results, "flat", 32 * MIB),
    "OpenAI realtime: items without end": Stream(
        session("openai_realtime"),
        texts(lambda i: {"type": "input_audio_buffer.committed", "item_id": f"item-{i}"}), "too-much-open", 128 * MIB),
    "OpenAI realtime: text without end": Stream(
        session("openai_realtime"), texts(lambda i: {"type": ITEM + "delta", "item_id": "one", "delta": "x" * 1000}),
        "too-much-open", 128 * MIB),
    "OpenAI realtime: segments without end": Stream(
        session("openai_realtime"), texts(lambda i: {"type": ITEM + "segment", "item_id": f"item-{i}", "id": "s",
                                                     "text": "x"}), "too-much-open", 128 * MIB),
    "OpenAI stream: deltas of ever new segments": Stream(
        lambda: TranscriptionStream().feed,
        lambda: (f'data: {{"type":"transcript.text.delta","delta":"x","segment_id":"{i}"}}\n\n'.encode()
                 for i in count()), "too-much-open", 128 * MIB),
    "OpenAI stream: text without end": Stream(
        lambda: TranscriptionStream().feed,
        lambda: again(b'data: {"type":"transcript.text.delta","delta":"%b"}\n\n' % KIB), "too-much-open", 128 * MIB),
}


def drive(stream: Stream) -> str:
    feed, pieces, fed = stream.feed(), stream.pieces(), 0
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + stream.cap, resource.RLIM_INFINITY))
    try:
        for piece in pieces:
            feed(piece)
            fed += len(piece)
            if fed > ENOUGH:
                break
    except RemoteProtocolError as error:
        return error.reason
    except MemoryError:
        return f"out of memory after {fed} bytes"
    return "flat"


if __name__ == "__main__":
    print(drive(STREAMS[sys.argv[1]]))
