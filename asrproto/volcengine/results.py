"""What the service has recognised, in the common shape.

Every interface answers with the same structure: a text, and under it utterances with their words, times in
milliseconds. ``result`` is a list in the vendor's tables and an object in its examples and on the wire: both are read;
of a list the first entry is the best reading and the rest are alternatives.

With ``result_type=full`` each response repeats all that was said before, finals included; with ``single`` a response
holds what has come since the last final. `Segments` tells either apart, so that a final is reported once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from asrproto.events import Alternative, Transcript, Word

__all__ = ["Reply", "Segments", "transcripts_of"]


class _WordShape(msgspec.Struct):
    text: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    confidence: float | None = None


class _UtteranceShape(msgspec.Struct):
    text: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    definite: bool | None = None
    confidence: float | None = None
    words: list[_WordShape] | None = None
    additions: Any = None


class _ResultShape(msgspec.Struct):
    text: str | None = None
    confidence: float | None = None
    utterances: list[_UtteranceShape] | None = None
    additions: Any = None


class _AudioShape(msgspec.Struct):
    duration: float | None = None


class Reply(msgspec.Struct):
    """The fields in use, of every interface's response."""

    result: _ResultShape | list[_ResultShape] | None = None
    audio_info: _AudioShape | None = None
    code: int | None = None
    message: str | None = None
    sequence: int | None = None
    addition: Any = None

    @property
    def results(self) -> Sequence[_ResultShape]:
        """Best first."""
        if self.result is None:
            return ()
        return self.result if isinstance(self.result, list) else (self.result,)

    @property
    def log_id(self) -> str | None:
        """What the service's support asks for, where the response says it."""
        for additions, name in ((self.addition, "logid"), *((result.additions, "log_id") for result in self.results)):
            log_id = additions.get(name) if isinstance(additions, dict) else None
            if log_id and isinstance(log_id, str):
                return log_id
        return None


def _seconds(milliseconds: float | None) -> float | None:
    """Not known is None or -1."""
    known = milliseconds is not None and math.isfinite(milliseconds) and milliseconds >= 0
    return milliseconds / 1000 if known and milliseconds is not None else None


def _share(confidence: float | None) -> float | None:
    """A confidence from 0 to 1; on any other scale it stays in ``raw`` alone."""
    return confidence if confidence is not None and 0 <= confidence <= 1 else None


def _mark(utterance: dict[str, Any], *names: str) -> str | None:
    """What the service notes about an utterance, beside its text or under ``additions``."""
    additions = utterance.get("additions")
    for notes in (additions if isinstance(additions, dict) else {}, utterance):
        for name in names:
            if isinstance(notes.get(name), str | int) and notes[name] != "":
                return str(notes[name])
    return None


def _utterance(shape: _UtteranceShape, raw: dict[str, Any], *, is_final: bool, segment: int) -> Transcript:
    words = tuple(Word(word.text or "", start=_seconds(word.start_time), end=_seconds(word.end_time),
                       confidence=_share(word.confidence)) for word in shape.words or ())
    return Transcript(shape.text or "", is_final, start=_seconds(shape.start_time), end=_seconds(shape.end_time),
                      words=words, channel=_mark(raw, "channel_id"), speaker=_mark(raw, "speaker", "speaker_id"),
                      language=_mark(raw, "lid_lang", "language"), confidence=_share(shape.confidence),
                      segment_id=str(segment), raw=raw)


def _whole(results: Sequence[_ResultShape], raw: dict[str, Any], *, is_final: bool) -> Transcript:
    alternatives = tuple(Alternative(other.text or "", confidence=_share(other.confidence)) for other in results[1:])
    return Transcript(results[0].text or "", is_final, alternatives=alternatives,
                      confidence=_share(results[0].confidence), segment_id="0", raw=raw)


def _best(reply: Reply, document: dict[str, Any]) -> tuple[_ResultShape, dict[str, Any]]:
    raw = document["result"]
    return reply.results[0], raw[0] if isinstance(raw, list) else raw


def transcripts_of(reply: Reply, document: dict[str, Any]) -> tuple[Transcript, ...]:
    """All of a finished recording: a Transcript for each utterance, or one for the whole where there are none."""
    if not reply.results:
        return ()
    best, raw = _best(reply, document)
    if best.utterances:
        return tuple(_utterance(shape, raw["utterances"][i], is_final=True, segment=i)
                     for i, shape in enumerate(best.utterances))
    return (_whole(reply.results, raw, is_final=True),) if best.text else ()


class Segments:
    """Turns the responses of one conversation into transcripts: finals once, partials when they change.

    Parameters
    ----------
    single : bool
        Whether the service was asked for ``result_type=single``. An utterance is then counted from the last final, and
        a final that comes again is known by its end time; otherwise its place in the list is its segment.
    """

    def __init__(self, *, single: bool) -> None:
        self._single = single
        self._first = 0  # the first segment that is not final; with result_type=full just a lower bound
        self._final: set[int] = set()  # finals from there on
        self._heard_until = -1.0  # end of the last final, in ms
        self._partial: dict[int, Transcript] = {}

    def hear(self, reply: Reply, document: dict[str, Any], *, last: bool) -> list[Transcript]:
        """What `reply` says that was not known; after the `last` one nothing stays partial."""
        heard: list[Transcript] = []
        if reply.results:
            best, raw = _best(reply, document)
            if best.utterances:
                heard = self._hear_utterances(best.utterances, raw["utterances"], last)
                if last and not self._single:
                    self._partial.clear()  # what the last list does not hold was withdrawn
            elif best.text and not self._first:
                heard = self._hear_segment(0, _whole(reply.results, raw, is_final=last))
        if last:
            heard += [msgspec.structs.replace(partial, is_final=True) for _, partial in sorted(self._partial.items())]
            self._partial.clear()
        return heard

    def _hear_utterances(self, shapes: list[_UtteranceShape], raws: list[dict[str, Any]],
                         last: bool) -> list[Transcript]:
        heard: list[Transcript] = []
        segment = self._first if self._single else 0
        for shape, raw in zip(shapes, raws, strict=True):
            if self._single and shape.definite and shape.end_time is not None and shape.end_time <= self._heard_until:
                continue
            if segment >= self._first and segment not in self._final:
                is_final = bool(shape.definite) or last
                heard += self._hear_segment(segment, _utterance(shape, raw, is_final=is_final, segment=segment))
                if is_final and shape.end_time is not None:
                    self._heard_until = max(self._heard_until, shape.end_time)
            segment += 1
        return heard

    def _hear_segment(self, segment: int, transcript: Transcript) -> list[Transcript]:
        before = self._partial.pop(segment, None)
        if transcript.is_final:
            self._final.add(segment)
            while self._first in self._final:
                self._final.remove(self._first)
                self._first += 1
        else:
            self._partial[segment] = transcript
            if before is not None and _same(before, transcript):
                return []
        return [transcript] if transcript.text or before is not None else []


def _same(one: Transcript, other: Transcript) -> bool:
    return one.text == other.text and one.words == other.words and one.end == other.end
