"""A real recogniser for fake services: PocketSphinx, offline, with the English model that its wheel carries.

Two passes, as many services do it. While the audio arrives, a live decoder guesses the words so far; at the end the
whole is decoded once more with its level and channel (the cepstral mean) known, which a live pass has to estimate.

Needs the package ``pocketsphinx`` (extra ``demo``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pocketsphinx

from asrproto.events import Word

__all__ = ["SphinxRecogniser"]

_FRAMES_PER_SECOND = 100
_MODEL_RATE = 16000


class SphinxRecogniser:
    """Listens to one stream of 16 kHz speech.

    Parameters
    ----------
    sample_rate : int
        Must be 16000, the rate of the model.
    """

    def __init__(self, sample_rate: int = _MODEL_RATE) -> None:
        if sample_rate != _MODEL_RATE:
            raise ValueError(f"the PocketSphinx model wants 16000 Hz, not {sample_rate}")
        self._decoder = pocketsphinx.Decoder(loglevel="FATAL")
        self._decoder.start_utt()
        self._pcm = bytearray()

    def accept(self, pcm: bytes) -> Sequence[Word]:
        self._pcm += pcm
        self._decoder.process_raw(bytes(pcm), False, False)
        return list(self._words())

    def finish(self) -> Sequence[Word]:
        self._decoder.end_utt()
        if self._pcm:
            self._decoder.start_utt()
            self._decoder.process_raw(bytes(self._pcm), False, True)
            self._decoder.end_utt()
        return list(self._words())

    def _words(self) -> Iterator[Word]:
        for segment in self._decoder.seg() or ():
            if segment.word.startswith(("<", "[", "+")):  # silence and noise
                continue
            yield Word(segment.word.partition("(")[0],  # "read(2)" is the second pronunciation of "read"
                       start=segment.start_frame / _FRAMES_PER_SECOND,
                       end=(segment.end_frame + 1) / _FRAMES_PER_SECOND)
