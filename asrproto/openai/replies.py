"""What a transcription request is answered with, in every form it can be asked for in, as Transcripts.

==================  ==========================================================================================
json                ``{text, logprobs?, languages?, usage?}``: one Transcript
verbose_json        adds ``language``, ``duration`` (vLLM: as a text), ``segments[]``, ``words[]``; fields may be
                    missing (LocalAI): one Transcript for each segment, with the words that fall into it
diarized_json       ``segments[]`` with a ``speaker`` and ids that are texts: one Transcript for each
srt, vtt            one Transcript for each cue
text                the text alone: one Transcript
==================  ==========================================================================================
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from asrproto._json import Number, check_shape, read_json
from asrproto.errors import LocalProtocolError, MalformedFrame
from asrproto.events import Transcript, Word
from asrproto.http.request import HeadersLike
from asrproto.openai.dialects import RESPONSE_FORMATS
from asrproto.openai.errors import error_in, parse_error
from asrproto.openai.subtitles import parse_srt, parse_vtt

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["parse_transcription"]


class ReplyWord(msgspec.Struct):
    word: str
    start: Number | None = None
    end: Number | None = None
    probability: Number | None = None


class ReplySegment(msgspec.Struct):
    text: str = ""
    id: int | str | None = None
    start: Number | None = None
    end: Number | None = None
    speaker: str | None = None
    words: list[ReplyWord] | None = None


class ReplyLanguage(msgspec.Struct):
    code: str


class Reply(msgspec.Struct):
    text: str | None = None
    language: str | None = None
    languages: list[ReplyLanguage] | None = None
    duration: Number | None = None
    segments: list[ReplySegment] | None = None
    words: list[ReplyWord] | None = None


def parse_transcription(body: Buffer | str, *, response_format: str = "json", status: int = 200,
                        headers: HeadersLike = (), secrets: Iterable[str | None] = ()) -> list[Transcript]:
    """The transcripts in the response to a transcription request.

    Parameters
    ----------
    body : bytes or str
        Of the response.
    response_format : str
        What the request asked for.
    status : int, optional
        The HTTP status; from 400 on the body is a refusal.
    headers, secrets
        As in `asrproto.openai.errors.parse_error`.

    Returns
    -------
    list of Transcript
        All final, in the order of the recording, with the whole reply as `raw`; where there are segments, one for each.

    Raises
    ------
    ServiceError
        The service refused.
    MalformedFrame
        The body is not what `response_format` says. Reasons: ``"not-json"``, ``"wrong-shape"``, ``"html-page"``,
        ``"not-webvtt"``, ``"cue-timing"``.
    LocalProtocolError
        An unknown `response_format`.
    """
    if response_format not in RESPONSE_FORMATS:
        raise LocalProtocolError(f"response_format must be one of {', '.join(RESPONSE_FORMATS)}, "
                                 f"not {response_format!r}")
    content = body if isinstance(body, str) else bytes(memoryview(body))
    if status >= 400:
        raise parse_error(status, content, headers=headers, secrets=secrets)
    if response_format.endswith("json"):
        return transcripts_in(read_json(content, what="the reply"), secrets=secrets)
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    if text[:100].lstrip().lower().startswith(("<!doctype html", "<html")):
        raise MalformedFrame("the reply is an HTML page", reason="html-page")
    if response_format == "text":
        return [Transcript(text.strip(), True, raw=text)]
    return (parse_srt if response_format == "srt" else parse_vtt)(text)


def transcripts_in(document: Any, *, secrets: Iterable[str | None] = ()) -> list[Transcript]:
    """The transcripts in a JSON reply."""
    if isinstance(document, dict) and "text" not in document and not document.get("segments") \
            and ("error" in document or ("message" in document and "code" in document)):
        raise error_in(document, secrets=secrets)
    reply = check_shape(document, Reply, what="the reply")
    if reply.text is None and reply.segments is None:
        raise MalformedFrame("the reply has no text", reason="wrong-shape")
    language = reply.language or (reply.languages[0].code if reply.languages else None)
    if not reply.segments:
        return [Transcript((reply.text or "").strip(), True, start=None if reply.duration is None else 0.0,
                           end=reply.duration, words=_words(reply.words), language=language, raw=document)]
    shared = _words_by_segment(reply.words or [], reply.segments)
    return [
        Transcript(segment.text.strip(), True, start=segment.start, end=segment.end,
                   words=_words(segment.words if segment.words is not None else words), speaker=segment.speaker,
                   language=language, segment_id=str(index if segment.id is None else segment.id), raw=document)
        for index, (segment, words) in enumerate(zip(reply.segments, shared, strict=True))
    ]


def _words(words: Iterable[ReplyWord] | None) -> tuple[Word, ...]:
    return tuple(Word(word.word.strip(), word.start, word.end, confidence=word.probability) for word in words or ())


def _words_by_segment(words: list[ReplyWord], segments: list[ReplySegment]) -> list[list[ReplyWord]]:
    """Each word in the last segment that has begun at the word's middle; a word without times nowhere."""
    found: list[list[ReplyWord]] = [[] for _ in segments]
    starts = [segment.start or 0.0 for segment in segments]
    for word in words:
        if word.start is not None and word.end is not None:
            found[max(bisect_right(starts, (word.start + word.end) / 2) - 1, 0)].append(word)
    return found
