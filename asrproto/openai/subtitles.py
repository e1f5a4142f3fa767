"""Subtitles as text: SubRip (SRT) and WebVTT, into Transcripts.

::

    SRT     block = [number] newline timing newline text, blocks parted by empty lines; "," before the milliseconds
    WebVTT  "WEBVTT" header block, then blocks: NOTE, STYLE, REGION, or [id] newline timing [settings] newline text
    timing = [hh:]mm:ss(.|,)ttt "-->" [hh:]mm:ss(.|,)ttt

WebVTT is as https://www.w3.org/TR/webvtt1/ says; a ``<v Name>`` tag gives the speaker, other tags are dropped and
character references resolved. Both readers take either separator before the milliseconds, since servers mix them up.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from asrproto.errors import MalformedFrame
from asrproto.events import Transcript

__all__ = ["parse_srt", "parse_vtt"]

_STAMP = r"(?:(\d{1,6}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})"
_TIMING = re.compile(rf"[ \t]*{_STAMP}[ \t]*-->[ \t]*{_STAMP}(?:[ \t]+.*)?[ \t]*")
_VOICE = re.compile(r"<v(?:\.[^ \t<>]*)?[ \t]+([^<>]*)>")
_TAG = re.compile(r"<[^<>]*>")
_NOT_A_CUE = ("NOTE", "STYLE", "REGION")


def parse_srt(text: str) -> list[Transcript]:
    """One final Transcript for each cue; its number is the `segment_id`.

    Raises
    ------
    MalformedFrame
        A block without a timing (reason ``"cue-timing"``).
    """
    return [_cue(block, line, voices=False) for line, block in _blocks(text)]


def parse_vtt(text: str) -> list[Transcript]:
    """One final Transcript for each cue; its id, if it has one, is the `segment_id`.

    Raises
    ------
    MalformedFrame
        No ``WEBVTT`` at the start (reason ``"not-webvtt"``), or a cue without a timing (``"cue-timing"``).
    """
    blocks = _blocks(text)
    _, header = next(blocks, (0, [""]))
    if not re.match(r"WEBVTT(?:[ \t]|$)", header[0]):
        raise MalformedFrame("the text does not begin with WEBVTT", reason="not-webvtt")
    return [_cue(block, line, voices=True) for line, block in blocks if not _is_comment(block[0])]


def _is_comment(line: str) -> bool:
    return "-->" not in line and line.partition(" ")[0].partition("\t")[0] in _NOT_A_CUE


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that are not empty, each with the number of its first line."""
    block: list[str] = []
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield len(lines) + 1 - len(block), block


def _cue(block: list[str], line: int, *, voices: bool) -> Transcript:
    head = 0 if "-->" in block[0] else 1  # lines before the timing
    timing = _TIMING.fullmatch(block[head]) if head < len(block) else None
    if timing is None:
        raise MalformedFrame(f"the cue in line {line} has no timing", reason="cue-timing")
    words = "\n".join(block[head + 1:]).strip()
    speaker = None
    if voices:
        voice = _VOICE.search(words)
        speaker = html.unescape(voice[1]).strip() or None if voice else None
        words = html.unescape(_TAG.sub("", words)).strip()
    return Transcript(words, True, start=_seconds(timing.groups()[:4]), end=_seconds(timing.groups()[4:]),
                      speaker=speaker, segment_id=block[0].strip() if head else None, raw="\n".join(block))


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    milliseconds = int((fraction or "").ljust(3, "0"))
    return (int(hours or 0) * 3_600_000 + int(minutes or 0) * 60_000 + int(seconds or 0) * 1000 + milliseconds) / 1000
