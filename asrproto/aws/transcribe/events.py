"""The service's messages as the events that all services share, and the one kind that only Transcribe has.

What each operation can send is a table: the ``:event-type`` of a message, what its payload is, and how that becomes
events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from asrproto.aws.eventstream import Message
from asrproto.aws.transcribe.models import (
    CategoryEvent,
    Item,
    OffsetItem,
    PointsOfInterest,
    Result,
    ScribeItem,
    ScribeTranscriptEvent,
    TranscriptEvent,
    TranscriptSegment,
    UtteranceEvent,
    decode_model,
)
from asrproto.events import Alternative, Event, Transcript, UnknownEvent, Word

__all__ = ["CALL_ANALYTICS_EVENTS", "SCRIBE_EVENTS", "TRANSCRIPT_EVENTS", "CategoriesMatched", "EventTable",
           "read_event"]

PUNCTUATION = "punctuation"


class CategoriesMatched(Event, frozen=True):
    """The call matched categories that are defined in the account (call analytics only).

    Attributes
    ----------
    categories : tuple of str
    details : mapping of str to PointsOfInterest
        Where in the call each one matched.
    """

    categories: tuple[str, ...]
    details: Mapping[str, PointsOfInterest]
    raw: CategoryEvent


class EventReader(NamedTuple):
    """How the payload of one event type is read."""

    decoder: msgspec.json.Decoder[Any]
    events: Callable[[Any, bytes], list[Event]]  # takes the decoded payload, and the payload itself


EventTable = Mapping[str, EventReader]


def read_event(message: Message, table: EventTable) -> list[Event]:
    """The events in a message of the type ``event``.

    A message of a type that is not in `table` is an `UnknownEvent`; MalformedFrame is raised for a payload that is not
    JSON or not of the right shape.
    """
    reader = table.get(message.headers.get(":event-type"))  # type: ignore[arg-type]
    if reader is None:
        return [UnknownEvent(message)]
    return reader.events(decode_model(message, reader.decoder), message.payload)


def _keep(raw: Any, payload: bytes) -> Any:
    """`raw` with the JSON in which it came; it was made a moment ago and nobody else has it."""
    msgspec.structs.force_setattr(raw, "payload", payload)
    return raw


def _seconds(millis: int | None) -> float | None:
    return None if millis is None else millis / 1000


def _common(values: Iterable[str | None]) -> str | None:
    """The one value that all have, if they do."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


# -- Standard and medical ---------------------------------------------------------------------------------------------


def _words(items: Iterable[Item]) -> tuple[Word, ...]:
    return tuple([Word(item.content, item.start_time, item.end_time, item.confidence, item.speaker,
                       item.type == PUNCTUATION) for item in items])


def _from_result(result: Result) -> Transcript:
    best, *others = result.alternatives or (None,)
    words = _words(best.items) if best else ()
    return Transcript(
        best.transcript if best else "",
        not result.is_partial,
        start=result.start_time,
        end=result.end_time,
        words=words,
        alternatives=tuple(Alternative(other.transcript, _words(other.items)) for other in others if other),
        channel=result.channel_id,
        speaker=_common([word.speaker for word in words if not word.is_punctuation]),
        language=result.language_code,
        segment_id=result.result_id,
        raw=result,
    )


def _transcript_events(event: TranscriptEvent, payload: bytes) -> list[Event]:
    return [_from_result(_keep(result, payload)) for result in event.transcript.results]


TRANSCRIPT_EVENTS: EventTable = {
    "TranscriptEvent": EventReader(msgspec.json.Decoder(TranscriptEvent), _transcript_events),
}


# -- Call analytics ---------------------------------------------------------------------------------------------------


def _offset_words(items: Iterable[OffsetItem]) -> tuple[Word, ...]:
    return tuple([Word(item.content, _seconds(item.begin_offset_millis), _seconds(item.end_offset_millis),
                       item.confidence, None, item.type == PUNCTUATION) for item in items])


def _utterance_events(event: UtteranceEvent, payload: bytes) -> list[Event]:
    return [Transcript(
        event.transcript,
        not event.is_partial,
        start=_seconds(event.begin_offset_millis),
        end=_seconds(event.end_offset_millis),
        words=_offset_words(event.items),
        speaker=event.participant_role,
        language=event.language_code,
        segment_id=event.utterance_id,
        raw=_keep(event, payload),
    )]


def _category_events(event: CategoryEvent, payload: bytes) -> list[Event]:
    return [CategoriesMatched(event.matched_categories, event.matched_details, _keep(event, payload))]


CALL_ANALYTICS_EVENTS: EventTable = {
    "UtteranceEvent": EventReader(msgspec.json.Decoder(UtteranceEvent), _utterance_events),
    "CategoryEvent": EventReader(msgspec.json.Decoder(CategoryEvent), _category_events),
}


# -- HealthScribe -----------------------------------------------------------------------------------------------------


def _scribe_words(items: Iterable[ScribeItem]) -> tuple[Word, ...]:
    return tuple([Word(item.content, item.begin_audio_time, item.end_audio_time, item.confidence, None,
                       item.type == PUNCTUATION) for item in items])


def _segment_events(event: ScribeTranscriptEvent, payload: bytes) -> list[Event]:
    segment: TranscriptSegment | None = event.transcript_segment
    if segment is None:
        return []
    return [Transcript(
        segment.content,
        not segment.is_partial,
        start=segment.begin_audio_time,
        end=segment.end_audio_time,
        words=_scribe_words(segment.items),
        channel=segment.channel_id,
        segment_id=segment.segment_id,
        raw=_keep(segment, payload),
    )]


SCRIBE_EVENTS: EventTable = {
    "TranscriptEvent": EventReader(msgspec.json.Decoder(ScribeTranscriptEvent), _segment_events),
}
