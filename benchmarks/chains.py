"""The whole way of one microphone: 20 ms blocks of 48 kHz stereo float32 in, signed Transcribe audio frames out.

Each chain is made for one stream and then called with one block after another; it gives the bytes that are ready for
the wire. Every 100 ms a frame is full, so four calls in five only fill it.

``asrproto``
    `AudioEncoder` and `TranscribeSession` with signed frames.
``numpy + soxr + amazon-transcribe``
    What a client composes today: numpy averages the channels and makes 16-bit samples, soxr resamples (its stream, at
    its default quality HQ), the vendor's own stream class frames and signs. Only its transport is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

RATE_IN, RATE_OUT, CHANNELS = 48000, 16000, 2
BLOCK_MS, CHUNK_MS = 20, 100
BLOCK_FRAMES = RATE_IN * BLOCK_MS // 1000
CHUNK_BYTES = 2 * RATE_OUT * CHUNK_MS // 1000
REGION = "eu-west-1"
KEYS = ("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0")

Block = Any  # ndarray of shape (frames, channels), float32
Chain = Callable[[Block], list[bytes]]


def blocks(seconds: float, seed: int = 1) -> list[Block]:
    """Noise at speech level, as a sound card hands it over."""
    generator = np.random.default_rng(seed)
    count = round(seconds * 1000 / BLOCK_MS)
    audio = 0.1 * generator.standard_normal((count, BLOCK_FRAMES, CHANNELS))
    return list(np.clip(audio, -1, 1).astype(np.float32))


def asrproto_chain(*, signed: bool = True, quality: str = "high") -> Chain:
    from asrproto.audio import AudioEncoder
    from asrproto.aws.transcribe import Credentials, TranscribeSession

    encoder = AudioEncoder(rate_in=RATE_IN, channels_in=CHANNELS, dtype_in="float32", rate_out=RATE_OUT,
                           chunk_ms=CHUNK_MS, quality=quality)
    session = TranscribeSession(Credentials(*KEYS), region=REGION, language_code="en-US", sample_rate=RATE_OUT,
                                sign_frames=signed, chunk_ms=CHUNK_MS)
    session.handshake()
    session.start()

    def take(block: Block) -> list[bytes]:
        return [frame for chunk in encoder.push(block) for frame in session.send_audio(chunk)]

    return take


def composed_chain() -> Chain:
    import soxr
    from amazon_transcribe.auth import StaticCredentialResolver
    from amazon_transcribe.eventstream import EventSigner, EventStreamMessageSerializer
    from amazon_transcribe.model import AudioStream
    from amazon_transcribe.serialize import AudioEventSerializer
    from amazon_transcribe.structures import BufferableByteStream

    wire = BufferableByteStream()
    stream = AudioStream(
        input_stream=wire, event_serializer=AudioEventSerializer(),
        eventstream_serializer=EventStreamMessageSerializer(), event_signer=EventSigner("transcribe", REGION),
        initial_signature=bytes(32), credential_resolver=StaticCredentialResolver(*KEYS))
    resampler = soxr.ResampleStream(RATE_IN, RATE_OUT, 1, dtype="float32")
    pending = bytearray()

    def take(block: Block) -> list[bytes]:
        mono = block.mean(axis=1, dtype=np.float32)
        speech = resampler.resample_chunk(mono)
        pending.extend((np.clip(speech, -1.0, 1.0) * 32767).astype(np.int16).tobytes())
        frames = []
        while len(pending) >= CHUNK_BYTES:
            sending = stream.send_audio_event(bytes(pending[:CHUNK_BYTES]))
            del pending[:CHUNK_BYTES]
            try:
                sending.send(None)  # nothing in it waits
            except StopIteration:
                frames.append(wire.read())
        return frames

    return take


CHAINS: dict[str, Callable[[], Chain]] = {
    "asrproto": asrproto_chain,
    "numpy + soxr + amazon-transcribe": composed_chain,
}
