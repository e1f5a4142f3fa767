"""Every field of the requests, by its place in them.

Source: the vendor's pages on big-model streaming, big-model recorded files and the older streaming interface. Where
those give a range or a choice it is part of the type and checked. `hotwords` and `dialog` are this package's: they are
written into ``corpus.context``, which the service wants as JSON inside a string.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta

from asrproto.errors import LocalProtocolError
from asrproto.volcengine._options import OptionTable, Values, json_text

__all__ = [
    "BIG_MODEL",
    "FLASH",
    "LEGACY",
    "RECORDING",
    "BigModelOptions",
    "FlashOptions",
    "LegacyOptions",
    "RecordingOptions",
    "with_json_texts",
]

JsonText = str | dict[str, Any]


class Corpus(TypedDict, total=False):
    boosting_table_name: str
    boosting_table_id: str
    correct_table_name: str
    correct_table_id: str
    context: JsonText
    hotwords: list[str | dict[str, Any]]
    dialog: list[str | dict[str, Any]]  # the newest turn first


class Recognition(TypedDict, total=False):
    """What streaming and recorded files have in common."""

    model_name: str
    enable_itn: bool
    enable_punc: bool
    enable_ddc: bool
    enable_speaker_info: bool
    ssd_version: str
    show_utterances: bool
    show_speech_rate: bool
    show_volume: bool
    enable_lid: bool
    enable_emotion_detection: bool
    enable_gender_detection: bool
    sensitive_words_filter: JsonText
    enable_poi_fc: bool
    enable_music_fc: bool


class AudioFormat(TypedDict, total=False):
    """Of recorded files and of the older streaming."""

    format: Literal["raw", "wav", "mp3", "ogg"]
    codec: Literal["raw", "opus"]
    rate: Annotated[int, Meta(ge=1)]
    bits: Literal[16]
    channel: Literal[1, 2]
    language: str


class BigModelUser(TypedDict, total=False):
    uid: str
    did: str
    platform: str
    sdk_version: str
    app_version: str


class BigModelAudio(TypedDict, total=False):
    format: Literal["pcm", "wav", "ogg", "mp3"]
    codec: Literal["raw", "opus"]
    rate: Literal[16000]
    bits: Literal[16]
    channel: Literal[1, 2]
    language: str


class BigModelRequest(Recognition, total=False):
    enable_nonstream: bool
    enable_auto_lang: bool
    output_zh_variant: Literal["traditional", "tw", "hk"]
    result_type: Literal["full", "single"]
    enable_accelerate_text: bool
    accelerate_score: Annotated[int, Meta(ge=0, le=20)]
    vad_segment_duration: Annotated[int, Meta(ge=1)]  # ms
    end_window_size: Annotated[int, Meta(ge=200)]  # ms
    force_to_speech_time: Annotated[int, Meta(ge=1)]  # ms


class BigModelOptions(BigModelUser, BigModelAudio, BigModelRequest, Corpus, total=False):
    user: BigModelUser
    audio: BigModelAudio
    request: dict[str, Any]
    corpus: Corpus


class RecordingTop(TypedDict, total=False):
    callback: str
    callback_data: str


class RecordingUser(TypedDict, total=False):
    uid: str


class RecordingAudio(AudioFormat, total=False):
    url: str


class RecordingRequest(Recognition, total=False):
    model_version: str
    enable_channel_split: bool
    vad_segment: bool
    end_window_size: Annotated[int, Meta(ge=300, le=5000)]  # ms


class RecordingOptions(RecordingTop, RecordingUser, RecordingAudio, RecordingRequest, Corpus, total=False):
    user: RecordingUser
    audio: RecordingAudio
    request: dict[str, Any]
    corpus: Corpus


class FlashAudio(RecordingAudio, total=False):
    data: str  # base64


class FlashOptions(RecordingUser, FlashAudio, RecordingRequest, Corpus, total=False):
    user: RecordingUser
    audio: FlashAudio
    request: dict[str, Any]
    corpus: Corpus


class LegacyUser(TypedDict, total=False):
    uid: str
    device: str
    platform: str
    network: str
    nation: str
    province: str
    city: str


class LegacyRequest(TypedDict, total=False):
    nbest: Annotated[int, Meta(ge=1)]
    confidence: bool | int | float
    workflow: str | list[str]
    show_utterances: bool
    result_type: Literal["full", "single"]
    boosting_table_name: str
    correct_table_name: str


class LegacyOptions(LegacyUser, AudioFormat, LegacyRequest, total=False):
    user: LegacyUser
    audio: AudioFormat
    request: LegacyRequest


BIG_MODEL = OptionTable({"user": BigModelUser, "audio": BigModelAudio, "request": BigModelRequest,
                         "request.corpus": Corpus})
RECORDING = OptionTable({"user": RecordingUser, "audio": RecordingAudio, "request": RecordingRequest,
                         "request.corpus": Corpus, "": RecordingTop})
FLASH = OptionTable({"user": RecordingUser, "audio": FlashAudio, "request": RecordingRequest,
                     "request.corpus": Corpus})
LEGACY = OptionTable({"user": LegacyUser, "audio": AudioFormat, "request": LegacyRequest})


def with_json_texts(values: Values) -> Values:
    """Write what the service wants as JSON inside a string: the word filter, and the corpus's context."""
    request, corpus = values.get("request", {}), values.get("request.corpus", {})
    if "sensitive_words_filter" in request:
        request["sensitive_words_filter"] = json_text(request["sensitive_words_filter"])
    given = [name for name in ("context", "hotwords", "dialog") if name in corpus]
    if len(given) > 1:
        raise LocalProtocolError(f"{given[0]} and {given[1]} both make corpus.context: give one of them")
    if "hotwords" in corpus:
        corpus["context"] = {"hotwords": _entries(corpus.pop("hotwords"), "word")}
    elif "dialog" in corpus:
        corpus["context"] = {"context_type": "dialog_ctx", "context_data": _entries(corpus.pop("dialog"), "text")}
    if "context" in corpus:
        corpus["context"] = json_text(corpus["context"])
    return values


def _entries(items: list[str | dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [{name: item} if isinstance(item, str) else item for item in items]
