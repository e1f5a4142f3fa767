"""Transcribe a 16-bit WAV file of any rate with Amazon Transcribe.

    export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...
    python examples/transcribe_wav.py examples/speech/goforward.wav

Needs ``pip install asrproto websockets``.
"""

import asyncio
import os
import sys
import wave

import numpy as np
from websockets.asyncio.client import connect

from asrproto import SessionFailed, Transcript
from asrproto.audio import AudioEncoder
from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import TranscribeSession


def outgoing(session, encoder, blocks):
    yield from session.start()
    for block in blocks:
        for chunk in encoder.push(block):
            yield from session.send_audio(chunk)
    for chunk in encoder.flush():
        yield from session.send_audio(chunk)
    yield from session.end_audio()


async def transcribe(session, encoder, blocks):
    request = session.handshake()
    async with connect(request.url, additional_headers=request.headers) as socket:
        async def speak():
            for message in outgoing(session, encoder, blocks):
                await socket.send(message)
        speaking = asyncio.create_task(speak())
        async for message in socket:
            for event in session.receive(message):
                if isinstance(event, SessionFailed):
                    raise event.error
                if isinstance(event, Transcript) and event.is_final:
                    print(event.text)
        await speaking


def main(path, **settings):
    credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"],
                              os.environ.get("AWS_SESSION_TOKEN"))
    session = TranscribeSession(credentials, region="us-east-1", language_code="en-US", sample_rate=16000, **settings)
    with wave.open(path) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        encoder = AudioEncoder(rate_in=rate, channels_in=channels, dtype_in="int16", rate_out=16000)
        pieces = iter(lambda: file.readframes(rate // 10), b"")
        blocks = (np.frombuffer(piece, "<i2").reshape(-1, channels) for piece in pieces)
        asyncio.run(transcribe(session, encoder, blocks))


if __name__ == "__main__":
    main(sys.argv[1])
