"""Amazon Transcribe streaming: standard, medical, call analytics and HealthScribe, over a WebSocket or HTTP/2."""

from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe.events import CategoriesMatched
from asrproto.aws.transcribe.failures import handshake_error
from asrproto.aws.transcribe.models import (
    Alternative,
    CategoryEvent,
    CharacterOffsets,
    Entity,
    IssueDetected,
    Item,
    LanguageWithScore,
    OffsetEntity,
    OffsetItem,
    PointsOfInterest,
    Result,
    ScribeItem,
    ScribeTranscriptEvent,
    TimestampRange,
    TranscriptEvent,
    TranscriptResults,
    TranscriptSegment,
    UtteranceEvent,
)
from asrproto.aws.transcribe.session import (
    CallAnalyticsSession,
    MedicalScribeSession,
    MedicalSession,
    TranscribeSession,
)

__all__ = [
    "Alternative",
    "CallAnalyticsSession",
    "CategoriesMatched",
    "CategoryEvent",
    "CharacterOffsets",
    "Credentials",
    "Entity",
    "IssueDetected",
    "Item",
    "LanguageWithScore",
    "MedicalScribeSession",
    "MedicalSession",
    "OffsetEntity",
    "OffsetItem",
    "PointsOfInterest",
    "Result",
    "ScribeItem",
    "ScribeTranscriptEvent",
    "TimestampRange",
    "TranscribeSession",
    "TranscriptEvent",
    "TranscriptResults",
    "TranscriptSegment",
    "UtteranceEvent",
    "handshake_error",
]
