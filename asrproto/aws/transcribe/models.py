"""What Transcribe sends, as typed values: the service's own structures under their own names, in snake case.

Everything is optional in the service's model, and so it is here: what does not come has the default, and so has what
comes as null. Fields that this version does not know are passed over here; they are in the JSON, which every
structure that becomes the ``raw`` of an event keeps as `payload`.

Fields stand in the order of the alphabet, as the service sends them: that is the fastest order to read them in.

Source: Amazon Transcribe API Reference, data types of the streaming service. Times in seconds are floats, offsets in
milliseconds ints, confidences 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import field

from asrproto._json import check_shape, read_json
from asrproto.aws.eventstream import Message

__all__ = [
    "Alternative",
    "CategoryEvent",
    "CharacterOffsets",
    "Entity",
    "IssueDetected",
    "Item",
    "LanguageWithScore",
    "OffsetEntity",
    "OffsetItem",
    "PointsOfInterest",
    "Result",
    "ScribeItem",
    "ScribeTranscriptEvent",
    "TimestampRange",
    "TranscriptEvent",
    "TranscriptResults",
    "TranscriptSegment",
    "UtteranceEvent",
    "decode_model",
]


class _Model(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """The base of all: JSON cannot hold cycles, so the garbage collector need not look."""


class _Event(_Model, frozen=True, kw_only=True):
    """What becomes the ``raw`` of an event: `payload` is the JSON in which it came, unknown fields and all."""

    payload: bytes = field(default=b"", name="(payload)")


# -- Standard and medical ---------------------------------------------------------------------------------------------


class Item(_Model, frozen=True, kw_only=True):
    """A word or punctuation mark; medical ones have neither `vocabulary_filter_match` nor `stable`."""

    confidence: float | None = None
    content: str = ""
    end_time: float | None = None
    speaker: str | None = None
    stable: bool | None = None
    start_time: float | None = None
    type: str | None = None  # "pronunciation" or "punctuation"
    vocabulary_filter_match: bool | None = None


class Entity(_Model, frozen=True, kw_only=True):
    """Personal information (medical: health information) that was found in the transcript."""

    category: str | None = None
    confidence: float | None = None
    content: str = ""
    end_time: float | None = None
    start_time: float | None = None
    type: str | None = None


class Alternative(_Model, frozen=True, kw_only=True):
    """One reading of the audio."""

    entities: tuple[Entity, ...] = ()
    items: tuple[Item, ...] = ()
    transcript: str = ""


class LanguageWithScore(_Model, frozen=True, kw_only=True):
    """A language that was identified."""

    language_code: str | None = None
    score: float | None = None


class Result(_Event, frozen=True, kw_only=True):
    """The transcript of one segment; partial ones are replaced by the next with the same `result_id`."""

    alternatives: tuple[Alternative, ...] = ()
    channel_id: str | None = None
    end_time: float | None = None
    is_partial: bool = False
    language_code: str | None = None
    language_identification: tuple[LanguageWithScore, ...] = ()
    result_id: str | None = None
    start_time: float | None = None


class TranscriptResults(_Model, frozen=True, kw_only=True):
    """The structure that the service calls Transcript."""

    results: tuple[Result, ...] = ()


class TranscriptEvent(_Model, frozen=True, kw_only=True):
    """TranscriptEvent, and MedicalTranscriptEvent, which is the same with fewer fields."""

    transcript: TranscriptResults = TranscriptResults()


# -- Call analytics ---------------------------------------------------------------------------------------------------


class OffsetItem(_Model, frozen=True, kw_only=True):
    """CallAnalyticsItem: a word or punctuation mark."""

    begin_offset_millis: int | None = None
    confidence: float | None = None
    content: str = ""
    end_offset_millis: int | None = None
    stable: bool | None = None
    type: str | None = None
    vocabulary_filter_match: bool | None = None


class OffsetEntity(_Model, frozen=True, kw_only=True):
    """CallAnalyticsEntity: personal information that was found."""

    begin_offset_millis: int | None = None
    category: str | None = None
    confidence: float | None = None
    content: str = ""
    end_offset_millis: int | None = None
    type: str | None = None


class CharacterOffsets(_Model, frozen=True, kw_only=True):
    """A part of a transcript, in characters."""

    begin: int | None = None
    end: int | None = None


class IssueDetected(_Model, frozen=True, kw_only=True):
    """Where in the utterance the customer names the reason of the call."""

    character_offsets: CharacterOffsets | None = None


class UtteranceEvent(_Event, frozen=True, kw_only=True):
    """What one participant of a call said; partial ones are replaced by the next with the same `utterance_id`."""

    begin_offset_millis: int | None = None
    end_offset_millis: int | None = None
    entities: tuple[OffsetEntity, ...] = ()
    is_partial: bool = False
    issues_detected: tuple[IssueDetected, ...] = ()
    items: tuple[OffsetItem, ...] = ()
    language_code: str | None = None
    language_identification: tuple[LanguageWithScore, ...] = ()
    participant_role: str | None = None
    sentiment: str | None = None
    transcript: str = ""
    utterance_id: str | None = None


class TimestampRange(_Model, frozen=True, kw_only=True):
    """A stretch of the call."""

    begin_offset_millis: int | None = None
    end_offset_millis: int | None = None


class PointsOfInterest(_Model, frozen=True, kw_only=True):
    """Where in the call a category matched."""

    timestamp_ranges: tuple[TimestampRange, ...] = ()


class CategoryEvent(_Event, frozen=True, kw_only=True):
    """Categories, as defined in the account, that the call matched."""

    matched_categories: tuple[str, ...] = ()
    matched_details: Mapping[str, PointsOfInterest] = {}


# -- HealthScribe -----------------------------------------------------------------------------------------------------


class ScribeItem(_Model, frozen=True, kw_only=True):
    """MedicalScribeTranscriptItem: a word or punctuation mark."""

    begin_audio_time: float | None = None
    confidence: float | None = None
    content: str = ""
    end_audio_time: float | None = None
    type: str | None = None
    vocabulary_filter_match: bool | None = None


class TranscriptSegment(_Event, frozen=True, kw_only=True):
    """MedicalScribeTranscriptSegment; partial ones are replaced by the next with the same `segment_id`."""

    begin_audio_time: float | None = None
    channel_id: str | None = None
    content: str = ""
    end_audio_time: float | None = None
    is_partial: bool = False
    items: tuple[ScribeItem, ...] = ()
    segment_id: str | None = None


class ScribeTranscriptEvent(_Model, frozen=True, kw_only=True):
    """MedicalScribeTranscriptEvent."""

    transcript_segment: TranscriptSegment | None = None


# -- Decoding ---------------------------------------------------------------------------------------------------------

M = TypeVar("M", bound=_Model)


def decode_model(message: Message, decoder: msgspec.json.Decoder[M]) -> M:
    """The payload of `message` as what `decoder` reads.

    Raises
    ------
    MalformedFrame
        With reason ``"not-json"`` or ``"wrong-shape"``.
    """
    try:
        return decoder.decode(message.payload)
    except (ValueError, RecursionError):
        # Slowly once more, with null for what does not come; or else with the error that says what is wrong.
        what = f"the payload of {message.headers.get(':event-type')!r}"
        document = _without_nulls(read_json(message.payload, what=what))
        shape: type[M] = decoder.type
        return check_shape(document, shape, what=what)


def _without_nulls(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: _without_nulls(value) for name, value in document.items() if value is not None}
    if isinstance(document, list):
        return [_without_nulls(value) for value in document if value is not None]
    return document
