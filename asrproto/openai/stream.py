"""A transcription that comes as Server-Sent Events while the service is still at work (``stream=True``).

===========================================================  =======================================================
``transcript.text.delta`` {delta, segment_id?}               more of the text (of a segment, if speakers are told)
``transcript.text.segment`` {id, start, end, speaker, text}  a segment is final
``transcript.text.done`` {text, usage}                       the whole text; no more follows
``transcription.chunk`` {choices[].delta.content}            vLLM's delta; final with ``[DONE]``
``{text, ...}`` without a type                               speaches' segments
``{error: ...}``                                             the service gives up
``[DONE]``                                                   the end
===========================================================  =======================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from asrproto._json import Number, check_shape, read_json
from asrproto.errors import RemoteProtocolError, TruncatedFrame
from asrproto.events import Event, SessionEnded, SessionFailed, Transcript, UnknownEvent
from asrproto.http import SSEDecoder
from asrproto.openai._open_text import OpenTexts
from asrproto.openai.errors import error_in
from asrproto.openai.replies import transcripts_in

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["TranscriptionStream"]


class _Delta(msgspec.Struct):
    delta: str
    segment_id: str | None = None


class _Segment(msgspec.Struct):
    id: str | int
    text: str
    start: Number | None = None
    end: Number | None = None
    speaker: str | None = None


class _ChunkDelta(msgspec.Struct):
    content: str | None = None


class _ChunkChoice(msgspec.Struct):
    delta: _ChunkDelta


class _Chunk(msgspec.Struct):
    choices: list[_ChunkChoice] = []


class TranscriptionStream:
    """Turns the body of a streamed response into events, however it is cut.

    Parameters
    ----------
    decoder : SSEDecoder, optional
        One with bounds of your own.
    secrets : iterable of str, optional
        Credentials that the service may echo in an error.

    Notes
    -----
    A delta becomes a Transcript that is not final and holds all the text so far; the next one with the same
    `segment_id` replaces it. Where a service told segments, the whole text at the end is in `SessionEnded.raw` only.

    Give it responses whose ``Content-Type`` is ``text/event-stream``. A service that does not stream a model answers
    with the plain reply, which `parse_transcription` reads.
    """

    def __init__(self, *, decoder: SSEDecoder | None = None, secrets: Iterable[str | None] = ()) -> None:
        self._decoder = SSEDecoder() if decoder is None else decoder
        self._secrets = tuple(secrets)
        self._partial = OpenTexts()  # by segment
        self._segments = 0  # that have become final
        self._error: RemoteProtocolError | None = None
        self.ended = False

    def feed(self, data: Buffer) -> list[Event]:
        """Take the next bytes of the body; give what they say.

        Raises
        ------
        FrameTooLarge
            A line or an event is over the decoder's bound, or the text that is not final over a million characters
            (reason ``"too-much-open"``).
        MalformedFrame
            An event is not JSON or has an unexpected shape. What the same bytes said before it is returned first; the
            error comes with the next call.
        """
        if self._error is not None:
            raise self._error
        events: list[Event] = []
        for message in self._decoder.feed(data):
            if self.ended:
                break
            try:
                events += self._events(message.data)
            except RemoteProtocolError as error:
                self._error = error
                if not events:
                    raise
                break
        return events

    def close(self) -> list[Event]:
        """The body is over.

        Returns
        -------
        list of Event
            SessionEnded, where every segment was final and only the announcement of the end is missing.

        Raises
        ------
        TruncatedFrame
            The connection broke: inside an event (reason ``"event-cut-off"``), or before the text was final
            (``"ended-early"``). The text so far stands in the last Transcript that `feed` gave.
        """
        if self._error is not None:
            raise self._error
        if self.ended:
            return []
        self._decoder.close()
        if self._partial or not self._segments:
            raise TruncatedFrame("the stream ended before the text was final", reason="ended-early")
        self.ended = True
        return [SessionEnded()]

    def _events(self, data: str) -> list[Event]:
        if data.strip() == "[DONE]":
            self.ended = True
            finals = [Transcript(text.strip(), True, segment_id=segment or None)
                      for segment, text in self._partial.items()]
            return [*finals, SessionEnded()]
        document = read_json(data, what="the event")
        if not isinstance(document, dict):
            return [UnknownEvent(document)]
        if document.get("error"):
            self.ended = True
            return [SessionFailed(error_in(document, secrets=self._secrets))]
        kind = document.get("type") or document.get("object")
        if kind == "transcript.text.delta":
            delta = check_shape(document, _Delta, what="the event")
            return [self._grown(delta.segment_id, delta.delta, document)]
        if kind == "transcription.chunk":
            chunk = check_shape(document, _Chunk, what="the event")
            words = "".join(choice.delta.content or "" for choice in chunk.choices)
            return [self._grown(None, words, document)] if words else []
        if kind == "transcript.text.segment":
            segment = check_shape(document, _Segment, what="the event")
            self._segments += 1
            self._partial.close(str(segment.id))
            return [Transcript(segment.text.strip(), True, start=segment.start, end=segment.end,
                               speaker=segment.speaker, segment_id=str(segment.id), raw=document)]
        if kind == "transcript.text.done":
            self.ended = True
            return [*([] if self._segments else transcripts_in(document)), SessionEnded(document)]
        if "text" in document and kind is None:
            self._segments += 1
            return list(transcripts_in(document))
        return [UnknownEvent(document)]

    def _grown(self, segment_id: str | None, delta: str, document: Any) -> Transcript:
        return Transcript(self._partial.grow(segment_id or "", delta), False, segment_id=segment_id, raw=document)
