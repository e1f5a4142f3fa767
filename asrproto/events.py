"""What a session tells its caller: frozen values, the same for every service.

A service may add kinds of its own as further subclasses of :class:`Event`; a caller handles the kinds it knows and
passes over the rest. All times are seconds from the start of the audio, as floats.
"""

from __future__ import annotations

from typing import Any

import msgspec

from asrproto.errors import ServiceError

__all__ = [
    "Alternative",
    "Event",
    "SessionEnded",
    "SessionFailed",
    "SessionStarted",
    "Transcript",
    "UnknownEvent",
    "Word",
]


class Event(msgspec.Struct, frozen=True):
    """The base of all that a session's ``receive`` returns."""


class Word(msgspec.Struct, frozen=True):
    """One word or punctuation mark of a transcript."""

    text: str
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    speaker: str | None = None
    is_punctuation: bool = False


class Alternative(msgspec.Struct, frozen=True):
    """Another reading of the same stretch of audio."""

    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None


class SessionStarted(Event, frozen=True):
    """The service has accepted the conversation."""

    session_id: str | None = None
    raw: Any = None


class Transcript(Event, frozen=True):
    """What was said in one stretch of the audio.

    Attributes
    ----------
    text : str
        The best reading.
    is_final : bool
        False for a partial result, which the next `Transcript` with the same `segment_id` replaces.
    start, end : float or None
        Seconds from the start of the audio.
    words : tuple of Word
        The words of `text`, where the service gives them.
    alternatives : tuple of Alternative
        Further readings, best first, without the one in `text`.
    channel, speaker, language : str or None
        As the service names them.
    confidence : float or None
        0 to 1, where the service gives one for the whole.
    segment_id : str or None
        What partial results and the final one that replaces them have in common.
    raw : object
        The service's own typed message, so that nothing is lost by the common shape.
    """

    text: str
    is_final: bool
    start: float | None = None
    end: float | None = None
    words: tuple[Word, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    channel: str | None = None
    speaker: str | None = None
    language: str | None = None
    confidence: float | None = None
    segment_id: str | None = None
    raw: Any = None


class SessionEnded(Event, frozen=True):
    """The conversation is over and everything in it has been reported."""

    raw: Any = None


class SessionFailed(Event, frozen=True):
    """The service refused to go on; transcripts reported before this stay good."""

    error: ServiceError


class UnknownEvent(Event, frozen=True):
    """A well-formed message of a kind that this version does not know, kept whole in `raw`."""

    raw: Any
