"""The least that an installed asrproto must do: import without numpy, and take speech to frames and back."""

import sys

import asrproto

assert "numpy" not in sys.modules, "import asrproto must not import numpy"

import numpy as np  # noqa: E402

from asrproto.audio import AudioEncoder  # noqa: E402
from asrproto.aws.eventstream import EventStreamDecoder, MessageEncoder  # noqa: E402

encoder = AudioEncoder(rate_in=48000, channels_in=2, dtype_in="float32", rate_out=16000)
block = np.zeros((480, 2), np.float32)
chunks = [chunk for _ in range(50) for chunk in encoder.push(block)] + encoder.flush()
assert b"".join(chunks) == bytes(2 * 8000), "half a second of silence must stay half a second of silence"

frames = MessageEncoder({":event-type": "AudioEvent"})
decoder = EventStreamDecoder()
messages = decoder.feed(b"".join(map(frames.encode, chunks)))
decoder.close()
assert [message.payload for message in messages] == chunks
assert asrproto.__version__
