"""How the servers that speak OpenAI's interface differ, as data.

A dialect says where a server is, which fields of the transcription request it knows, and how its realtime conversation
runs. Another server is another value; nothing else in this package asks for a server's name::

    mine = msgspec.structs.replace(VLLM, name="mine", base_url="https://asr.example.org/v1", key_required=True)

Sources: openai-python 3.51 (``types/audio/transcription_create_params.py``), vLLM (``entrypoints/speech_to_text``),
and the API references of speaches, LocalAI, Groq and SiliconFlow.
"""

from __future__ import annotations

import msgspec

__all__ = ["DIALECTS", "FIELDS", "GROQ", "LOCALAI", "OPENAI", "RESPONSE_FORMATS", "SILICONFLOW", "SPEACHES", "VLLM",
           "Dialect", "RealtimeDialect"]

FIELDS = ("chunking_strategy", "include", "keywords", "known_speaker_names", "known_speaker_references", "language",
          "languages", "prompt", "response_format", "stream", "temperature", "timestamp_granularities")
"""The optional fields of a transcription request, in the order in which the openai client sends them."""

RESPONSE_FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
"""Every form a transcription can be asked for in."""


class RealtimeDialect(msgspec.Struct, frozen=True):
    """How a server's realtime conversation differs.

    Attributes
    ----------
    query : str
        Of the handshake's URL.
    audio_formats : dict of str to int
        The name of each audio encoding it takes, and its sampling rate in Hz.
    nested_session : bool
        Whether ``session.update`` has the settings in a ``session`` object, or only the model beside its type.
    commit_first : bool
        Whether an empty commit opens the recognition, before any audio.
    final_commit : bool
        Whether the last commit says ``final: true``; recognition ends with it.
    max_append : int
        Bytes of audio that one ``input_audio_buffer.append`` may carry.
    """

    query: str = ""
    audio_formats: dict[str, int] = {}
    nested_session: bool = True
    commit_first: bool = False
    final_commit: bool = False
    max_append: int = 15 << 20


class Dialect(msgspec.Struct, frozen=True):
    """How a server differs.

    Attributes
    ----------
    name, base_url : str
    key_required : bool
        Whether a request without an API key is a mistake.
    fields : frozenset of str
        Which of `FIELDS` the server knows; another one is refused before anything is sent.
    response_formats : frozenset of str
        Which of `RESPONSE_FORMATS` it can answer in.
    url_field : str or None
        The field that names a recording on the web in place of an uploaded file.
    max_file_size : int or None
        Bytes that the file may have.
    realtime : RealtimeDialect or None
        None where it has no realtime conversation.
    """

    name: str
    base_url: str
    key_required: bool = True
    fields: frozenset[str] = frozenset(FIELDS)
    response_formats: frozenset[str] = frozenset(RESPONSE_FORMATS)
    url_field: str | None = None
    max_file_size: int | None = None
    realtime: RealtimeDialect | None = None


_WHISPER = frozenset({"language", "prompt", "response_format", "temperature", "timestamp_granularities"})
_SUBTITLES = frozenset({"json", "text", "srt", "verbose_json", "vtt"})

OPENAI = Dialect(
    "OpenAI", "https://api.openai.com/v1", max_file_size=25 << 20,
    realtime=RealtimeDialect(query="intent=transcription",
                             audio_formats={"audio/pcm": 24000, "audio/pcmu": 8000, "audio/pcma": 8000}))
VLLM = Dialect(
    "vLLM", "http://localhost:8000/v1", key_required=False, fields=_WHISPER | {"stream"}, response_formats=_SUBTITLES,
    realtime=RealtimeDialect(audio_formats={"audio/pcm": 16000}, nested_session=False, commit_first=True,
                             final_commit=True))
SPEACHES = Dialect(
    "speaches", "http://localhost:8000/v1", key_required=False, fields=_WHISPER | {"stream"},
    response_formats=_SUBTITLES)
LOCALAI = Dialect(
    "LocalAI", "http://localhost:8080/v1", key_required=False, fields=_WHISPER | {"stream"},
    response_formats=_SUBTITLES)
GROQ = Dialect(
    "Groq", "https://api.groq.com/openai/v1", fields=_WHISPER,
    response_formats=frozenset({"json", "text", "verbose_json"}), url_field="url")
SILICONFLOW = Dialect(
    "SiliconFlow", "https://api.siliconflow.cn/v1", fields=frozenset(), response_formats=frozenset({"json"}))

DIALECTS = {dialect.name.lower(): dialect for dialect in (OPENAI, VLLM, SPEACHES, LOCALAI, GROQ, SILICONFLOW)}
"""The dialects by their name in lower case."""
