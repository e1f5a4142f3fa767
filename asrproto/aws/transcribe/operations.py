"""The four operations of Transcribe streaming and their options, in the terms of `asrproto.aws.transcribe.options`.

The enumerations, bounds and patterns are those of the API Reference. Languages are checked by shape only, so that a new
one needs no new version of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asrproto.aws.transcribe.options import (
    ChannelRoles,
    Choice,
    Flag,
    Integer,
    Operation,
    Option,
    Several,
    StringMap,
    Text,
    keyword,
    listed,
)

__all__ = ["CALL_ANALYTICS", "FRAMES", "MEDICAL", "MEDICAL_SCRIBE", "STANDARD"]

# How each media encoding divides into frames that may not be cut, where it does so evenly: bytes a frame and channel,
# frames a second (None: the sample rate). The others are containers, cut anywhere.
FRAMES: Mapping[str, tuple[int, int | None]] = {
    "pcm": (2, None),
    "g711-alaw": (1, None),
    "g711-ulaw": (1, None),
    "g729": (10, 100),  # ITU-T G.729: 80 bits for 10 ms
}
TELEPHONE = ("g711-alaw", "g711-ulaw", "g729")  # 8000 Hz by definition (ITU-T G.711, G.729)

ENCODINGS = Choice(("pcm", "ogg-opus", "flac", *TELEPHONE))
SCRIBE_ENCODINGS = Choice(("pcm", "ogg-opus", "flac"))
LANGUAGE = Text(r"[a-z]{2,3}-[A-Z]{2}", "a language code such as 'en-US'")
RESOURCE = Text(r"[0-9a-zA-Z._-]{1,200}", "a name of 1 to 200 letters, digits, '.', '_' and '-'")
UUID = Text(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "a UUID of 36 characters")
ROLE = Text(r"arn:(aws|aws-cn|aws-us-gov|aws-iso|aws-iso-b):iam::[0-9]{0,63}:role/[A-Za-z0-9:_/+=,@.-]{0,1024}",
            "the ARN of an IAM role")
KEY = Text(r"[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]{0,2047}", "a KMS key id, alias or ARN")
PII_TYPES = Choice((
    "ALL", "ADDRESS", "BANK_ACCOUNT_NUMBER", "BANK_ROUTING", "CREDIT_DEBIT_CVV", "CREDIT_DEBIT_EXPIRY",
    "CREDIT_DEBIT_NUMBER", "EMAIL", "NAME", "PHONE", "PIN", "SSN"))
PII, PHI = Choice(("PII",)), Choice(("PHI",))

IDENTIFY = ("identify-language", "identify-multiple-languages")
CHANNELS = ("enable-channel-identification", "number-of-channels")


def audio(low: int = 8000, encodings: Choice = ENCODINGS) -> tuple[Option, ...]:
    return (Option("sample-rate", Integer(low, 48000), required=True),
            Option("media-encoding", encodings, required=True),
            Option("session-id", UUID))


def rate_fits_encoding(given: Mapping[str, Any]) -> str | None:
    encoding, rate = given.get("media-encoding"), given.get("sample-rate")
    if encoding in TELEPHONE and rate not in (8000, None):
        return f"sample_rate must be 8000 with media_encoding {encoding!r}, not {rate}"
    return None


def exactly_one(*names: str) -> Callable[[Mapping[str, Any]], str | None]:
    def rule(given: Mapping[str, Any]) -> str | None:
        found = [keyword(name) for name in names if name in given]
        if not found:
            return f"one of {listed(map(keyword, names), 'and')} must be given"
        return f"{listed(found, 'and')} exclude each other" if len(found) > 1 else None

    return rule


def languages_fit(given: Mapping[str, Any]) -> str | None:
    """The options hold one dialect of each language, and the preferred one is among them."""
    options: Sequence[str] = given.get("language-options", ())
    seen: dict[str, str] = {}
    for code in options:
        language = code.partition("-")[0]
        if language in seen:
            return f"language_options may hold one dialect of each language, not both {seen[language]!r} and {code!r}"
        seen[language] = code
    preferred = given.get("preferred-language")
    if preferred is not None and options and preferred not in options:
        return f"preferred_language {preferred!r} must be one of language_options"
    return None


def language(identify: tuple[str, ...]) -> tuple[Option, ...]:
    """The options that say which language is spoken, or have it found out."""
    return (
        Option("language-code", LANGUAGE),
        *(Option(name, Flag(), needs=("language-options",)) for name in identify),
        Option("language-options", Several(LANGUAGE, at_least=2, longest=200), needs=identify),
        Option("preferred-language", LANGUAGE, needs=("identify-language",)),
    )


def vocabulary(identify: tuple[str, ...]) -> tuple[Option, ...]:
    """Custom vocabularies, their filters and language models; the plural forms go with language identification."""
    return (
        Option("vocabulary-name", RESOURCE, excludes=identify),
        Option("vocabulary-names", Several(RESOURCE), needs=identify),
        Option("vocabulary-filter-name", RESOURCE, excludes=identify),
        Option("vocabulary-filter-names", Several(RESOURCE), needs=identify),
        Option("vocabulary-filter-method", Choice(("remove", "mask", "tag")),
               needs=("vocabulary-filter-name", "vocabulary-filter-names")),
        Option("language-model-name", RESOURCE, excludes=identify),
    )


STABILITY = (
    Option("enable-partial-results-stabilization", Flag()),
    Option("partial-results-stability", Choice(("high", "medium", "low")),
           needs=("enable-partial-results-stabilization",)),
)
CHANNEL_OPTIONS = (
    Option(CHANNELS[0], Flag(), needs=(CHANNELS[1],)),
    Option(CHANNELS[1], Integer(2, 2), needs=(CHANNELS[0],)),
)


def redaction(identify: tuple[str, ...]) -> tuple[Option, ...]:
    return (
        Option("content-identification-type", PII, excludes=("content-redaction-type",)),
        Option("content-redaction-type", PII, excludes=identify),
        Option("pii-entity-types", Several(PII_TYPES, longest=300),
               needs=("content-identification-type", "content-redaction-type")),
    )


STANDARD = Operation(
    "StartStreamTranscription",
    "/stream-transcription",
    (
        *language(IDENTIFY),
        *audio(),
        Option("session-resume-window", Integer(1, 300)),
        Option("transcript-format", Choice(("written", "spoken"))),
        *vocabulary(IDENTIFY),
        Option("show-speaker-label", Flag()),
        *CHANNEL_OPTIONS,
        *STABILITY,
        *redaction(IDENTIFY),
    ),
    rules=(exactly_one("language-code", *IDENTIFY), languages_fit, rate_fits_encoding),
    elsewhere={
        "specialty": "it belongs to MedicalSession",
        "channel_roles": "it belongs to CallAnalyticsSession",
        "media_sample_rate_hz": "it is called sample_rate here",
        "media_sample_rate_hertz": "it is called sample_rate here",
        "vocab_filter_name": "it is called vocabulary_filter_name here",
        "vocab_filter_method": "it is called vocabulary_filter_method here",
    },
)

MEDICAL = Operation(
    "StartMedicalStreamTranscription",
    "/medical-stream-transcription",
    (
        Option("language-code", LANGUAGE, required=True),
        *audio(low=16000),
        Option("specialty", Choice(("PRIMARYCARE", "CARDIOLOGY", "NEUROLOGY", "ONCOLOGY", "RADIOLOGY", "UROLOGY")),
               required=True),
        Option("type", Choice(("CONVERSATION", "DICTATION")), required=True),
        Option("vocabulary-name", RESOURCE),
        Option("show-speaker-label", Flag()),
        *CHANNEL_OPTIONS,
        Option("content-identification-type", PHI),
    ),
    rules=(rate_fits_encoding,),
)

POST_CALL = "PostCallAnalyticsSettings"
CALL_ANALYTICS = Operation(
    "StartCallAnalyticsStreamTranscription",
    "/call-analytics-stream-transcription",
    (
        *language(IDENTIFY[:1]),
        *audio(),
        *vocabulary(IDENTIFY[:1]),
        *STABILITY,
        *redaction(IDENTIFY[:1]),
        Option("channel-roles", ChannelRoles(("AGENT", "CUSTOMER")), place=("ChannelDefinitions",)),
        Option("output-location", Text(r"s3://[^/]{3,63}(/.*)?", "an S3 location such as 's3://bucket/folder/'"),
               needs=("data-access-role-arn",), place=(POST_CALL, "OutputLocation")),
        Option("data-access-role-arn", ROLE, needs=("output-location",), place=(POST_CALL, "DataAccessRoleArn")),
        Option("content-redaction-output", Choice(("redacted", "redacted_and_unredacted")),
               needs=("output-location",), place=(POST_CALL, "ContentRedactionOutput")),
        Option("output-encryption-kms-key-id", KEY, needs=("output-location",),
               place=(POST_CALL, "OutputEncryptionKMSKeyId")),
    ),
    rules=(exactly_one("language-code", IDENTIFY[0]), languages_fit, rate_fits_encoding),
    configured=True,
)

NOTES = ("PostStreamAnalyticsSettings", "ClinicalNoteGenerationSettings")
MEDICAL_SCRIBE = Operation(
    "StartMedicalScribeStream",
    "/medical-scribe-stream",
    (
        Option("language-code", Choice(("en-US",)), required=True),
        *audio(low=16000, encodings=SCRIBE_ENCODINGS),
        Option("resource-access-role-arn", ROLE, required=True, place=("ResourceAccessRoleArn",)),
        Option("output-bucket-name",
               Text(r"[a-z0-9][.a-z0-9-]{1,61}[a-z0-9]", "the name of an S3 bucket"),
               required=True, place=(*NOTES, "OutputBucketName")),
        Option("note-template",
               Choice(("HISTORY_AND_PHYSICAL", "GIRPP", "BIRP", "SIRP", "DAP", "BEHAVIORAL_SOAP", "PHYSICAL_SOAP")),
               place=(*NOTES, "NoteTemplate")),
        Option("vocabulary-name", RESOURCE, place=("VocabularyName",)),
        Option("vocabulary-filter-name", RESOURCE, needs=("vocabulary-filter-method",),
               place=("VocabularyFilterName",)),
        Option("vocabulary-filter-method", Choice(("remove", "mask", "tag")), needs=("vocabulary-filter-name",),
               place=("VocabularyFilterMethod",)),
        Option("channel-roles", ChannelRoles(("CLINICIAN", "PATIENT")), place=("ChannelDefinitions",)),
        Option("kms-key-id", KEY, place=("EncryptionSettings", "KmsKeyId")),
        Option("kms-encryption-context", StringMap(), needs=("kms-key-id",),
               place=("EncryptionSettings", "KmsEncryptionContext")),
        Option("pronouns", Choice(("HE_HIM", "SHE_HER", "THEY_THEM")),
               place=("MedicalScribeContext", "PatientContext", "Pronouns")),
    ),
    websocket=False,
    configured=True,
)
