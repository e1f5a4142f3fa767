"""A recogniser of 16 kHz PCM behind whatever a fake service is sent."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from asrproto.audio import Resampler, alaw_to_int16, ulaw_to_int16
from asrproto.events import Word
from asrproto.testing.recogniser import RecogniserFactory

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ear", "hear_wav"]

HEARD_RATE = 16000

_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "pcm": lambda data: np.frombuffer(data, "<i2").astype(np.int16),
    "ulaw": ulaw_to_int16,
    "alaw": alaw_to_int16,
}


class Ear:
    """Hears one stream of mono audio.

    Parameters
    ----------
    recognisers : callable
        Makes the recogniser.
    rate : int
        Samples a second of what comes.
    encoding : {"pcm", "ulaw", "alaw"}
        16-bit little-endian PCM, or G.711.
    """

    def __init__(self, recognisers: RecogniserFactory, rate: int, encoding: str = "pcm") -> None:
        self._recogniser = recognisers(HEARD_RATE)
        self._decode = _DECODERS[encoding]
        self._resampler = None if rate == HEARD_RATE else Resampler(rate, HEARD_RATE, dtype="int16")
        self._sample_size = 2 if encoding == "pcm" else 1
        self._bytes_per_second = rate * self._sample_size
        self._rest = b""
        self._heard = 0

    @property
    def seconds(self) -> float:
        """How much audio came so far."""
        return self._heard / self._bytes_per_second

    def accept(self, data: bytes) -> Sequence[Word]:
        """Hear more; give the words so far."""
        self._heard += len(data)
        data = self._rest + data
        whole = len(data) // self._sample_size * self._sample_size
        self._rest = data[whole:]
        samples = self._decode(data[:whole])
        return self._recogniser.accept(_pcm(self._resampler.push(samples) if self._resampler else samples))

    def finish(self) -> Sequence[Word]:
        """There is no more: give the final words."""
        if self._resampler:
            self._recogniser.accept(_pcm(self._resampler.flush()))
        return self._recogniser.finish()


def _pcm(samples: NDArray[np.int16]) -> bytes:
    return samples.astype("<i2", copy=False).tobytes()


def hear_wav(content: bytes, recognisers: RecogniserFactory) -> tuple[Sequence[Word], float]:
    """The words in a WAV file and its seconds; a ValueError where it is none of 16-bit mono PCM."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a WAV file: {error}") from None
    if (channels, width) != (1, 2):
        raise ValueError("this fake hears mono 16-bit audio")
    ear = Ear(recognisers, rate)
    ear.accept(pcm)
    return ear.finish(), ear.seconds
