"""What a recogniser hears, as the service words it."""

from __future__ import annotations

import io
import uuid
import wave
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from asrproto.events import Word
from asrproto.testing.recogniser import Recogniser, RecogniserFactory
from asrproto.volcengine.codes import LEGACY_OK, OK, PENDING, SILENCE

__all__ = ["EPOCH", "NO_ERRORS", "Hearing", "Refusal", "hear_wav", "new_log_id"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NO_ERRORS = {OK, SILENCE, LEGACY_OK, *PENDING}


class Refusal(Exception):
    """A request that the service answers with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def new_log_id(at: datetime) -> str:
    """A log id of the service's form: the time, and something random."""
    return f"{at:%Y%m%d%H%M%S}{uuid.uuid4().hex[:18].upper()}"


def _milliseconds(seconds: float | None) -> int:
    return -1 if seconds is None else round(seconds * 1000)


class Hearing:
    """One stream of audio, cut into utterances.

    Parameters
    ----------
    recogniser : Recogniser
    window : float
        Seconds of silence after a word that end an utterance.
    words_per_utterance : int, optional
        End it after so many words too.
    """

    def __init__(self, recogniser: Recogniser, *, window: float, words_per_utterance: int | None = None) -> None:
        self._recogniser = recogniser
        self._window = window
        self._most = words_per_utterance
        self._definite: list[list[Word]] = []
        self._open: list[Word] = []
        self.bytes_heard = 0

    def accept(self, pcm: bytes) -> bool:
        """Hear more; tell whether that changed anything."""
        self.bytes_heard += len(pcm)
        before = [word.text for word in self._open]
        self._hear(self._recogniser.accept(pcm))
        return before != [word.text for word in self._open]

    def finish(self) -> None:
        """There is no more: all is definite."""
        self._hear(self._recogniser.finish())
        if self._open:
            self._definite.append(self._open)
            self._open = []

    def _hear(self, words: Sequence[Word]) -> None:
        """Cut off what is definite; it does not change again, whatever the recogniser thinks later."""
        until = (self._definite[-1][-1].end or 0.0) if self._definite else 0.0
        rest = [word for word in words if word.start is None or word.start >= until - 1e-9]
        begin = 0
        for i in range(1, len(rest)):
            pause = (rest[i].start or 0.0) - (rest[i - 1].end or 0.0)
            if pause >= self._window or i - begin == self._most:
                self._definite.append(rest[begin:i])
                begin = i
        self._open = rest[begin:]

    @property
    def definite_count(self) -> int:
        return len(self._definite)

    def result(self, *, utterances: bool, since: int = 0) -> dict[str, Any]:
        """The ``result`` of a response, from the utterance number `since` on."""
        heard = [(words, True) for words in self._definite] + ([(self._open, False)] if self._open else [])
        heard = heard[since:]
        result: dict[str, Any] = {"text": " ".join(word.text for words, _ in heard for word in words)}
        if utterances:
            result["utterances"] = [_utterance(words, definite) for words, definite in heard]
        return result


def _utterance(words: Sequence[Word], definite: bool) -> dict[str, Any]:
    return {
        "definite": definite,
        "start_time": _milliseconds(words[0].start),
        "end_time": _milliseconds(words[-1].end),
        "text": " ".join(word.text for word in words),
        "words": [{"blank_duration": 0, "start_time": _milliseconds(word.start), "end_time": _milliseconds(word.end),
                   "text": word.text} for word in words],
    }


def hear_wav(content: bytes, factory: RecogniserFactory, *, utterances: bool) -> dict[str, Any] | None:
    """The body of a response for a whole WAV file; None where it holds only silence."""
    if not content:
        raise Refusal(45000002, "empty audio")
    try:
        with wave.open(io.BytesIO(content)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise Refusal(45000151, f"not a WAV file: {error}") from None
    if (channels, width) != (1, 2):
        raise Refusal(45000151, "this fake hears mono 16-bit audio")
    if not pcm.strip(b"\0"):
        return None
    hearing = Hearing(factory(rate), window=3.0)
    hearing.accept(pcm)
    hearing.finish()
    return {"audio_info": {"duration": len(pcm) * 1000 // (2 * rate)}, "result": hearing.result(utterances=utterances)}
