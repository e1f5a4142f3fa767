"""The keyword arguments of the sessions, for editors and type checkers.

What each value may be is said, and held to, in `asrproto.aws.transcribe.operations`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from asrproto.session import Clock

__all__ = ["CallAnalyticsOptions", "MedicalOptions", "MedicalScribeOptions", "TranscribeOptions"]

Names = str | Sequence[str]
Encoding = Literal["pcm", "ogg-opus", "flac", "g711-alaw", "g711-ulaw", "g729"]
FilterMethod = Literal["remove", "mask", "tag"]
Stability = Literal["high", "medium", "low"]


class Http2Settings(TypedDict, total=False):
    """How a session is held over HTTP/2."""

    endpoint: str | None
    chunk_ms: int
    clock: Clock


class Settings(Http2Settings, total=False):
    """How a session is held over either transport."""

    transport: Literal["websocket", "http2"]
    sign_frames: bool
    expires: int


class _Spoken(TypedDict, total=False):
    language_code: str | None
    sample_rate: int
    session_id: str | None


class _Shared(_Spoken, Settings, total=False):
    """What standard and call analytics have in common."""

    media_encoding: Encoding
    identify_language: bool | None
    language_options: Names | None
    preferred_language: str | None
    vocabulary_name: str | None
    vocabulary_names: Names | None
    vocabulary_filter_name: str | None
    vocabulary_filter_names: Names | None
    vocabulary_filter_method: FilterMethod | None
    language_model_name: str | None
    enable_partial_results_stabilization: bool | None
    partial_results_stability: Stability | None
    content_identification_type: Literal["PII"] | None
    content_redaction_type: Literal["PII"] | None
    pii_entity_types: Names | None


class TranscribeOptions(_Shared, total=False):
    """Of `TranscribeSession`."""

    identify_multiple_languages: bool | None
    session_resume_window: int | None
    transcript_format: Literal["written", "spoken"] | None
    show_speaker_label: bool | None
    enable_channel_identification: bool | None
    number_of_channels: int | None


class MedicalOptions(_Spoken, Settings, total=False):
    """Of `MedicalSession`."""

    media_encoding: Encoding
    specialty: Literal["PRIMARYCARE", "CARDIOLOGY", "NEUROLOGY", "ONCOLOGY", "RADIOLOGY", "UROLOGY"]
    type: Literal["CONVERSATION", "DICTATION"]
    vocabulary_name: str | None
    show_speaker_label: bool | None
    enable_channel_identification: bool | None
    number_of_channels: int | None
    content_identification_type: Literal["PHI"] | None


class CallAnalyticsOptions(_Shared, total=False):
    """Of `CallAnalyticsSession`."""

    channel_roles: Sequence[Literal["AGENT", "CUSTOMER"]] | None
    output_location: str | None
    data_access_role_arn: str | None
    content_redaction_output: Literal["redacted", "redacted_and_unredacted"] | None
    output_encryption_kms_key_id: str | None


class MedicalScribeOptions(_Spoken, Http2Settings, total=False):
    """Of `MedicalScribeSession`."""

    media_encoding: Literal["pcm", "ogg-opus", "flac"]
    resource_access_role_arn: str
    output_bucket_name: str
    note_template: (
        Literal["HISTORY_AND_PHYSICAL", "GIRPP", "BIRP", "SIRP", "DAP", "BEHAVIORAL_SOAP", "PHYSICAL_SOAP"] | None)
    vocabulary_name: str | None
    vocabulary_filter_name: str | None
    vocabulary_filter_method: FilterMethod | None
    channel_roles: Sequence[Literal["CLINICIAN", "PATIENT"]] | None
    kms_key_id: str | None
    kms_encryption_context: Mapping[str, str] | None
    pronouns: Literal["HE_HIM", "SHE_HER", "THEY_THEM"] | None
