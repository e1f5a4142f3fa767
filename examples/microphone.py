"""Transcribe what the microphone hears, until Ctrl-C, with Amazon Transcribe.

    export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...
    python examples/microphone.py

Needs ``pip install asrproto websockets sounddevice``.
"""

import asyncio
import os
import signal

import sounddevice
from drivers.websockets_asyncio import converse

from asrproto import SessionFailed, Transcript
from asrproto.audio import AudioEncoder
from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import TranscribeSession


async def microphone(stop, device=None):
    """The bytes that the service wants, until the event `stop` is set."""
    rate = int(sounddevice.query_devices(device, "input")["default_samplerate"])
    encoder = AudioEncoder(rate_in=rate, channels_in=1, dtype_in="float32", rate_out=16000)
    loop, blocks = asyncio.get_running_loop(), asyncio.Queue()

    def captured(block, frames, time, status):  # in a thread of the sound card's, which reuses the block
        loop.call_soon_threadsafe(blocks.put_nowait, block.copy())

    stopping = asyncio.ensure_future(stop.wait())
    stopping.add_done_callback(lambda _: blocks.put_nowait(None))
    with sounddevice.InputStream(samplerate=rate, channels=1, dtype="float32", device=device, callback=captured):
        while (block := await blocks.get()) is not None:
            for chunk in encoder.push(block):
                yield chunk
    for chunk in encoder.flush():
        yield chunk


def show(event):
    if isinstance(event, SessionFailed):
        print(event.error)
    elif isinstance(event, Transcript):
        print("\r\033[K" + event.text, end="\n" if event.is_final else "", flush=True)  # a partial line is overwritten


async def main(**settings):
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(stop.set))
    credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"],
                              os.environ.get("AWS_SESSION_TOKEN"))
    session = TranscribeSession(credentials, region="us-east-1", language_code="en-US", sample_rate=16000, **settings)
    try:
        await converse(session, microphone(stop), show)
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    asyncio.run(main())
