"""From a frame to a typed TranscriptEvent, from samples to frames, and a session's whole way to the common Transcript.

The peer is the amazon-transcribe SDK: its EventStreamBuffer and its event parser, driven as its own stream drives them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest

from asrproto.aws.eventstream import EventStreamDecoder, encode_message
from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import TranscribeSession
from asrproto.aws.transcribe.events import TRANSCRIPT_EVENTS
from asrproto.aws.transcribe.models import decode_model

PEERS = ("asrproto", "amazon-transcribe")
KEYS = Credentials("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0")
NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone.utc)

ITEMS = [{"Confidence": 0.9481, "Content": f"word{number}", "EndTime": 0.31 * number + 0.28, "Stable": True,
          "StartTime": 0.31 * number, "Type": "pronunciation", "VocabularyFilterMatch": False} for number in range(9)]
DOCUMENT = {"Transcript": {"Results": [{
    "Alternatives": [{"Entities": [], "Items": ITEMS, "Transcript": " ".join(item["Content"] for item in ITEMS)}],
    "ChannelId": "ch_0", "EndTime": 3.41, "IsPartial": True, "LanguageCode": "en-US",
    "ResultId": "f5d6a1c2-8e47-4b6a-9a51-0c1d2e3f4a5b", "StartTime": 0.0}]}}
FRAME = encode_message({":message-type": "event", ":event-type": "TranscriptEvent",
                        ":content-type": "application/json"}, msgspec.json.encode(DOCUMENT))
FRAMES = [FRAME] * 100
READER = TRANSCRIPT_EVENTS["TranscriptEvent"]


def sdk_events() -> Callable[[], Any]:
    eventstream = pytest.importorskip("amazon_transcribe.eventstream")
    parser = pytest.importorskip("amazon_transcribe.deserialize").TranscribeStreamingEventParser()
    buffer = eventstream.EventStreamBuffer()

    def read() -> Any:
        for frame in FRAMES:
            buffer.add_data(frame)
            event = parser.parse(next(buffer))
        return event

    return read


def our_events() -> Callable[[], Any]:
    stream, decoder = EventStreamDecoder(), READER.decoder

    def read() -> Any:
        for frame in FRAMES:
            for message in stream.feed(frame):
                event = decode_model(message, decoder)
        return event

    return read


def session(**options: Any) -> TranscribeSession:
    one = TranscribeSession(KEYS, region="us-east-1", language_code="en-US", clock=lambda: NOW, **options)
    one.handshake()
    one.start()
    return one


def our_session(transport: str) -> Callable[[], Any]:
    receive = session(transport=transport).receive

    def read() -> Any:
        for frame in FRAMES:
            events = receive(frame)
        return events

    return read


SIZE = f"{len(FRAMES)} frames of {len(FRAME)} B"


def test_both_read_the_same() -> None:
    theirs, ours = sdk_events()().transcript.results[0], our_events()().transcript.results[0]
    assert ours.result_id == theirs.result_id
    assert [item.content for item in ours.alternatives[0].items] == [
        item.content for item in theirs.alternatives[0].items]


@pytest.mark.parametrize("who", PEERS)
def test_frame_to_event(contest: Any, who: str) -> None:
    contest(f"{SIZE} to typed TranscriptEvents", who, our_events() if who == "asrproto" else sdk_events(),
            at_least={"amazon-transcribe": 9})


@pytest.mark.parametrize("transport", ["websocket", "http2"])
@pytest.mark.parametrize("who", PEERS)
def test_session_receive(contest: Any, who: str, transport: str) -> None:
    contest(f"{SIZE} to the common Transcript, by receive() over {transport}", who,
            our_session(transport) if who == "asrproto" else sdk_events())


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
def test_send_audio(contest: Any, signed: bool) -> None:
    """The session's own share: 100 ms of PCM in ten blocks of 10 ms become one frame."""
    send, block = session(sign_frames=signed).send_audio, bytes(320)

    def ten_blocks() -> None:
        for _ in range(10):
            send(block)

    contest(f"send_audio(), ten blocks to one {'signed' if signed else 'plain'} frame", "asrproto", ten_blocks)
