"""The public API as a client would use it: checked by mypy --strict and pyright, never run."""

from __future__ import annotations

import array
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

import asrproto
from asrproto import (
    Event,
    RemoteProtocolError,
    ServiceError,
    SessionEnded,
    SessionFailed,
    StreamingSession,
    Transcript,
    UnknownEvent,
    Word,
)
from asrproto.audio import (
    AudioEncoder,
    PcmFramer,
    Resampler,
    float_to_int16,
    int16_to_float,
    int16_to_ulaw,
    resample,
    simd_level,
    to_mono,
    ulaw_to_int16,
    wav,
)
from asrproto.aws.eventstream import EventStreamDecoder, Message, MessageEncoder, Timestamp, encode_message
from asrproto.aws.sigv4 import Credentials, EventSigner, SigV4Signer, signature_of
from asrproto.aws.transcribe import CallAnalyticsSession, MedicalScribeSession, MedicalSession, TranscribeSession
from asrproto.http import FilePart, HttpRequest, HttpResponse, ServerSentEvent, SSEDecoder, encode_multipart
from asrproto.openai.realtime import RealtimeSession
from asrproto.openai.transcription import parse_transcription, transcription_request
from asrproto.session import HearsHandshake, WireMessage, utc_now
from asrproto.testing import FakeHttpService, FakeStreamingService, ScriptedRecogniser
from asrproto.testing.openai import RealtimeService, TranscriptionService
from asrproto.testing.transcribe import FakeTranscribe
from asrproto.testing.volcengine import BigModelService, LegacyService, RecordingService
from asrproto.testing.youdao import LongService, ShortService, StreamingService
from asrproto.volcengine.credentials import AppCredentials
from asrproto.volcengine.frames import Frame, MessageType, decode_frame, encode_frame
from asrproto.volcengine.openapi import OpenApiSigner
from asrproto.volcengine.streaming import BigModelSession, LegacySession
from asrproto.youdao.signing import sign, truncate
from asrproto.youdao.streaming import YoudaoSession

KEYS = Credentials("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0")
APP = AppCredentials("1234567890", "made-up-token")
AT = datetime(2024, 5, 6, tzinfo=timezone.utc)


class Socket(Protocol):
    """What the client's WebSocket library offers."""

    async def send(self, message: bytes | str) -> None: ...
    def __aiter__(self) -> AsyncIterator[bytes | str]: ...


async def talk(socket: Socket, session: StreamingSession, encoder: AudioEncoder,
               blocks: Sequence[npt.NDArray[np.float32]], report: Callable[[str], None]) -> None:
    """One driver for every service."""
    request = session.handshake()
    assert_type(request, HttpRequest)
    assert_type(request.header("Host"), str | None)
    for message in session.start():
        await socket.send(message)
    for block in blocks:
        for chunk in encoder.push(block):
            for message in session.send_audio(chunk):
                await socket.send(message)
    for chunk in encoder.flush():
        for message in session.send_audio(memoryview(chunk)):
            await socket.send(message)
    for message in session.end_audio():
        await socket.send(message)
    async for message in socket:
        for event in session.receive(message):
            handle(event, report)
    for event in session.receive_eof():
        handle(event, report)


def handle(event: Event, report: Callable[[str], None]) -> None:
    if isinstance(event, Transcript):
        assert_type(event.text, str)
        assert_type(event.start, float | None)
        assert_type(event.words, tuple[Word, ...])
        report(event.text)
    elif isinstance(event, SessionFailed):
        assert_type(event.error, ServiceError)
        assert_type(event.error.retryable, bool)
        raise event.error
    elif isinstance(event, UnknownEvent):
        report(repr(event.raw))
    elif isinstance(event, SessionEnded):
        report("the end")


def every_session() -> list[StreamingSession]:
    """Each of them is a StreamingSession to a type checker."""
    return [
        TranscribeSession(KEYS, region="eu-west-1", language_code="en-GB", show_speaker_label=True, sample_rate=16000,
                          vocabulary_names=["one", "two"], transport="http2", clock=utc_now),
        MedicalSession(KEYS, region="us-east-1", specialty="PRIMARYCARE", type="DICTATION"),
        CallAnalyticsSession(KEYS, region="us-east-1", language_code="en-US", channel_roles=("AGENT", "CUSTOMER")),
        MedicalScribeSession(KEYS, region="us-east-1", session_id="0c1d2e3f-0000-4000-8000-000000000000",
                             resource_access_role_arn="arn:aws:iam::123456789012:role/scribe",
                             output_bucket_name="notes", note_template="HISTORY_AND_PHYSICAL"),
        BigModelSession(APP, enable_punc=True, hotwords=["asrproto"]),
        LegacySession(APP, cluster="volcengine_streaming_common"),
        YoudaoSession("app", "secret", language="zh-CHS"),
        RealtimeSession(api_key="sk-made-up", model="gpt-4o-transcribe"),
    ]


def every_fake() -> tuple[list[FakeStreamingService], list[FakeHttpService]]:
    def listen(sample_rate: int) -> ScriptedRecogniser:
        return ScriptedRecogniser("go forward", sample_rate)

    return ([FakeTranscribe(listen, credentials=KEYS), BigModelService(listen, credentials=APP),
             LegacyService(listen, credentials=APP, cluster="volcengine_streaming_common"),
             StreamingService(listen, app_key="app", app_secret="secret"), RealtimeService(listen, api_key=None)],
            [RecordingService(listen, recordings={}, credentials=APP),
             ShortService(listen, app_key="app", app_secret="secret"),
             LongService(listen, app_key="app", app_secret="secret"), TranscriptionService(listen, api_key=None)])


def hear(session: StreamingSession, response: HttpResponse) -> Sequence[Event]:
    if isinstance(session, HearsHandshake):
        return session.receive_handshake(response.status, response.headers, response.body)
    return []


def audio() -> None:
    samples = np.zeros(480, np.float32)
    assert_type(float_to_int16(samples), npt.NDArray[np.int16])
    assert_type(int16_to_float(np.zeros(480, np.int16)), npt.NDArray[np.float32])
    assert_type(ulaw_to_int16(b"\xff" * 160), npt.NDArray[np.int16])
    assert_type(int16_to_ulaw(np.zeros(160, np.int16)), bytes)
    mono: npt.NDArray[Any] = to_mono(np.zeros((480, 2), np.float32))
    speech: npt.NDArray[Any] = resample(mono, 48000, 16000, quality="high")
    resampler = Resampler(44100, 16000, channels=2, dtype="int16")
    assert_type(resampler.latency, float)
    tail: npt.NDArray[Any] = resampler.flush()
    encoder = AudioEncoder(rate_in=48000, channels_in=2, dtype_in="float32", rate_out=8000, encoding="ulaw",
                           chunk_ms=20)
    assert_type(encoder.push(speech) + encoder.flush(), list[bytes])
    assert_type(PcmFramer(2).push(array.array("h", [1, 2])), list[bytes])
    assert_type(wav.header(rate=16000, channels=1), bytes)
    assert_type(simd_level(), str)
    del tail


def frames(data: bytes) -> None:
    encoder = MessageEncoder({":event-type": "AudioEvent"})
    assert_type(encoder.encode(bytearray(3200)), bytes)
    assert_type(encode_message([(":date", Timestamp(0)), ("flag", True)], b""), bytes)
    decoder = EventStreamDecoder(max_message_size=1 << 20)
    try:
        for message in decoder.feed(data):
            assert_type(message, Message)
            assert_type(message.payload, bytes)
        decoder.close()
    except RemoteProtocolError as error:
        assert_type(error.reason, str)
        assert_type(error.offset, int | None)
    assert_type(Message.decode(data).encode(), bytes)

    frame = decode_frame(data, max_payload_size=1 << 20)
    assert_type(frame, Frame)
    if frame.message_type == MessageType.FULL_SERVER_RESPONSE:
        assert_type(encode_frame(frame), bytes)


def signing() -> None:
    request = HttpRequest("GET", "wss://example.org/", {"X-One": "1"})
    signer = SigV4Signer(KEYS, service="transcribe", region="eu-west-1")
    signed = signer.sign(request, at=AT)
    assert_type(signer.presign(request, at=AT, expires=300), HttpRequest)
    assert_type(signer.canonical_request(request, at=AT), str)
    events = EventSigner(signer, prior_signature=signature_of(signed))
    assert_type(events.sign(b"", at=AT), bytes)
    assert_type(OpenApiSigner("id", "secret", service="speech", region="cn-north-1").sign(request, at=AT), HttpRequest)
    assert_type(truncate("q"), str)
    assert_type(sign("app", "secret", salt="salt", curtime="1", q="q", sign_type="v3"), str)


def http(body: bytes, path: Path) -> None:
    decoder = SSEDecoder()
    assert_type(decoder.feed(body), list[ServerSentEvent])
    form = encode_multipart([("model", "whisper-1"), FilePart("file", "a.wav", body, "audio/wav")])
    assert_type(form.content_type, str)
    assert_type(transcription_request(path, api_key="sk-made-up", model="whisper-1", language="en"), HttpRequest)
    assert_type(transcription_request(body, api_key=None, model="whisper-1", response_format="srt"), HttpRequest)
    assert_type(parse_transcription(body, response_format="json"), list[Transcript])


def names() -> None:
    assert_type(asrproto.__version__, str)
    message: WireMessage = "text"
    message = b"bytes"
    del message
