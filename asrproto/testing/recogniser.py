"""Who listens inside a fake service: anything that turns 16-bit PCM into words while it arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from asrproto.events import Word

__all__ = ["Recogniser", "RecogniserFactory", "ScriptedRecogniser", "hearing_with"]


class Recogniser(Protocol):
    """One stream of audio being listened to."""

    def accept(self, pcm: bytes) -> Sequence[Word]:
        """Hear more audio (s16le, mono); give the best words for all of it so far."""
        ...

    def finish(self) -> Sequence[Word]:
        """There is no more audio: give the final words, with their times in seconds."""
        ...


RecogniserFactory = Callable[[int], Recogniser]
"""Makes a recogniser for one stream with the given sample rate in Hz."""


class ScriptedRecogniser:
    """Says fixed words, one for each stretch of audio that has passed, whatever the audio holds.

    Parameters
    ----------
    text : str
        What it will have said once the audio is over.
    sample_rate : int
        In Hz.
    seconds_per_word : float
        How much audio each word takes before it is heard.
    """

    def __init__(self, text: str, sample_rate: int = 16000, *, seconds_per_word: float = 0.3) -> None:
        self._words = text.split()
        self._seconds_per_word = seconds_per_word
        self._bytes_per_second = 2 * sample_rate
        self._heard = 0

    def _said(self, count: int) -> list[Word]:
        step = self._seconds_per_word
        return [Word(word, start=i * step, end=(i + 1) * step) for i, word in enumerate(self._words[:count])]

    def accept(self, pcm: bytes) -> Sequence[Word]:
        self._heard += len(pcm)
        return self._said(int(self._heard / self._bytes_per_second / self._seconds_per_word))

    def finish(self) -> Sequence[Word]:
        return self._said(len(self._words))


def hearing_with(words_in: Callable[[bytes], str | Sequence[str | Word]], *,
                 every: float | None = None) -> RecogniserFactory:
    """Make a plain function the recogniser of a fake service.

    Parameters
    ----------
    words_in : callable
        Takes all the audio of a stream so far (s16le, mono); gives its words: a text, or a list of words, of which
        those that are `str` are given times evenly.
    every : float, optional
        Ask it after each so many seconds of audio too, for partial results; unless given, only at the end.
    """
    return lambda sample_rate: _Function(words_in, sample_rate, every)


class _Function:
    def __init__(self, words_in: Callable[[bytes], str | Sequence[str | Word]], sample_rate: int,
                 every: float | None) -> None:
        self._words_in = words_in
        self._bytes_per_second = 2 * sample_rate
        self._every = None if every is None else every * self._bytes_per_second
        self._pcm = bytearray()
        self._asked = 0
        self._words: Sequence[Word] = ()

    def accept(self, pcm: bytes) -> Sequence[Word]:
        self._pcm += pcm
        if self._every is not None and len(self._pcm) - self._asked >= self._every:
            return self.finish()
        return self._words

    def finish(self) -> Sequence[Word]:
        self._asked = len(self._pcm)
        said = self._words_in(bytes(self._pcm))
        words = said.split() if isinstance(said, str) else said
        step = self._asked / self._bytes_per_second / max(len(words), 1)
        self._words = [Word(word, start=i * step, end=(i + 1) * step) if isinstance(word, str) else word
                       for i, word in enumerate(words)]
        return self._words
