"""Units of work, one for each codec, kernel and session: what the tests of leaks and threads repeat.

Each maker sets up objects of its own and gives a function that handles one message; its result depends on the number of
the message alone, so that runs can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np

from asrproto.audio import (
    AudioEncoder,
    Resampler,
    alaw_to_int16,
    float_to_int16,
    int16_to_alaw,
    int16_to_float,
    int16_to_ulaw,
    to_mono,
    ulaw_to_int16,
)
from asrproto.aws.eventstream import EventStreamDecoder, Int8, Message, MessageEncoder, Timestamp, encode_message
from asrproto.aws.sigv4 import Credentials, EventSigner, SigV4Signer, verify_presigned
from asrproto.errors import RemoteProtocolError
from asrproto.http import FilePart, HttpRequest, SSEDecoder, encode_multipart
from asrproto.openai.replies import parse_transcription
from asrproto.volcengine.frames import Compression, Flags, Frame, MessageType, decode_frame, encode_frame
from asrproto.volcengine.openapi import OpenApiSigner
from asrproto.youdao.short import parse_short
from asrproto.youdao.signing import sign as youdao_sign
from fuzz.conversations import AT, CONVERSATIONS, recorded

__all__ = ["ERRORS", "SESSIONS", "UNITS", "Unit"]

Unit = Callable[[int], Any]

HEADERS = {":event-type": "AudioEvent", "n": Int8(3), "at": Timestamp(10**12), "b": b"abc", "t": True}
PAYLOADS = [bytes([i % 256]) * (100 + 37 * i) for i in range(40)]
CREDENTIALS = Credentials("AKIDEXAMPLE", "made-up-secret-key-0123", "made-up-token-0123")
REQUEST = HttpRequest("GET", "https://example.com:8443/stream?b=2&a=1", [("Host", "example.com:8443")])
BLOCK = np.random.default_rng(7).uniform(-1, 1, (480, 2)).astype(np.float32)


def _payload(i: int) -> bytes:
    return PAYLOADS[i % len(PAYLOADS)]


def feeding() -> Unit:
    """A stream that is fed in pieces that end inside frames; the answer is told for whole rounds."""
    frames = b"".join(encode_message(HEADERS | {"i": i}, payload) for i, payload in enumerate(PAYLOADS))
    decoder = EventStreamDecoder()

    def feed(i: int) -> Any:
        at = i % 10
        size = len(frames) // 10 + 1
        messages = decoder.feed(frames[at * size:(at + 1) * size])
        return [(message.headers["i"], len(message.payload)) for message in messages]

    return feed


def volcengine() -> Unit:
    def work(i: int) -> Any:
        compression = Compression.GZIP if i % 8 == 0 else Compression.NONE
        frame = Frame(MessageType.FULL_SERVER_RESPONSE, flags=Flags.SEQUENCE, sequence=i, compression=compression,
                      payload=_payload(i))
        return decode_frame(encode_frame(frame)).payload == frame.payload

    return work


def server_sent() -> Unit:
    decoder = SSEDecoder()
    return lambda i: [event.data for event in decoder.feed(f"id: {i}\ndata: {i}\ndata: more\n\n: comment\n".encode())]


def multipart() -> Unit:
    return lambda i: len(bytes(encode_multipart([("a", "b"), FilePart("file", "a.wav", _payload(i))])))


def signer(make: Callable[..., Any]) -> Callable[[], Unit]:
    def maker() -> Unit:
        one = make(service="transcribe", region="us-east-1")
        return lambda i: one.sign(REQUEST, at=AT + timedelta(seconds=i % 10**6)).header("Authorization")

    return maker


def presign() -> Unit:
    one = SigV4Signer(CREDENTIALS, service="transcribe", region="us-east-1")

    def work(i: int) -> Any:
        request = one.presign(REQUEST, at=AT, expires=1 + i % 300)
        return verify_presigned(request, credentials_for={CREDENTIALS.access_key_id: CREDENTIALS}.get, at=AT).signature

    return work


def event_signer() -> Unit:
    one = EventSigner(SigV4Signer(CREDENTIALS, service="transcribe", region="us-east-1"), prior_signature="0" * 64)
    return lambda i: len(one.sign(_payload(i), at=AT))


def resampler() -> Unit:
    one = Resampler(48000, 16000, channels=2)
    return lambda i: one.push(BLOCK[:100 + i % 7]).shape[1]


def encoder() -> Unit:
    one = AudioEncoder(rate_in=48000, channels_in=2, dtype_in="float32", rate_out=16000, chunk_ms=20)
    return lambda i: {len(chunk) for chunk in one.push(BLOCK)} <= {640}


def samples(convert: Callable[[Any], Any], block: Any) -> Callable[[], Unit]:
    return lambda: lambda i: convert(block[:10 + i % 400]).tobytes()[:64]


def hearing(name: str) -> Callable[[], Unit]:
    """A session that hears the same partial transcript again and again; one that is an addition adds nothing."""
    def maker() -> Unit:
        said, _ = recorded(name)
        session: Any = CONVERSATIONS[name].session()
        session.handshake()
        session.start()
        message = said[len(said) // 2 - 1]
        session.receive(message)
        if isinstance(message, str) and "delta" in (document := json.loads(message)):
            message = json.dumps(document | {"delta": ""})
        return lambda i: [type(event).__name__ for event in session.receive(message)]

    return maker


def speaking(name: str) -> Callable[[], Unit]:
    def maker() -> Unit:
        session: Any = CONVERSATIONS[name].session()
        session.handshake()
        session.start()
        audio = bytes(1000)
        return lambda i: [len(message) for message in session.send_audio(audio)][:0]

    return maker


def talk(name: str) -> Unit:
    """A session from its beginning to its end, then dropped."""
    return lambda i: len(recorded(name, refused=i % 4 == 3)[1])


def refused(feed: Callable[[bytes], Any], data: bytes) -> Callable[[], Unit]:
    def work(i: int) -> Any:
        with suppress(RemoteProtocolError):
            return feed(data)
        return "refused"

    return lambda: work


INT16 = np.arange(-500, 500, dtype=np.int16)
FLOAT = np.linspace(-1, 1, 1000, dtype=np.float32)

UNITS: dict[str, Callable[[], Unit]] = {
    "event stream: encode": lambda: lambda i: encode_message(HEADERS, _payload(i)),
    "event stream: one encoder": lambda: (lambda one: lambda i: one.encode(_payload(i)))(MessageEncoder(HEADERS)),
    "event stream: decode": lambda: lambda i: Message.decode(encode_message(HEADERS, _payload(i))).payload,
    "event stream: feed": feeding,
    "Volcengine frames": volcengine,
    "Server-Sent Events": server_sent,
    "multipart": multipart,
    "SigV4": signer(partial(SigV4Signer, CREDENTIALS)),
    "SigV4: presign and verify": presign,
    "SigV4: events": event_signer,
    "Volcengine OpenAPI": signer(partial(OpenApiSigner, "AKEXAMPLE", "made-up-secret-key-0123")),
    "Youdao: sign": lambda: lambda i: youdao_sign("app", "secret", salt=str(i), curtime=i, q="q" * (i % 40),
                                                  sign_type="v3"),
    "float to int16": samples(float_to_int16, FLOAT),
    "int16 to float": samples(int16_to_float, INT16),
    "mono": samples(to_mono, BLOCK),
    "mu-law": samples(lambda block: ulaw_to_int16(int16_to_ulaw(block)), INT16),
    "A-law": samples(lambda block: alaw_to_int16(int16_to_alaw(block)), INT16),
    "resampler": resampler,
    "audio encoder": encoder,
    "OpenAI replies": lambda: lambda i: parse_transcription(b'{"text":"go","segments":[{"text":"go","start":0}]}'),
    "Youdao replies": lambda: lambda i: parse_short(b'{"errorCode":"0","result":["go","oh"]}'),
    **{f"hear {name}": hearing(name) for name in CONVERSATIONS},
    **{f"speak {name}": speaking(name) for name in CONVERSATIONS},
}

ERRORS: dict[str, Callable[[], Unit]] = {
    "event stream: a header of type 10": refused(Message.decode, encode_message({"x": b"1"}).replace(b"x\6", b"x\x0a")),
    "event stream: half a frame": refused(Message.decode, encode_message(HEADERS, b"payload")[:-5]),
    "event stream: decoder": refused(lambda data: EventStreamDecoder().feed(data), bytes(12)),
    "Volcengine: half a frame": refused(decode_frame, bytes.fromhex("119110000000")),
    "Volcengine: not gzip": refused(decode_frame, bytes.fromhex("11901100000000027b7d")),
}

SESSIONS: dict[str, Callable[[], Unit]] = {name: partial(talk, name) for name in CONVERSATIONS}
