"""What can be wrong with what a service sends, fault by fault, with the error that each must give.

Checksums and lengths hold wherever the fault is another one. `test_malformed.py` holds the decoders to these tables,
and holds the tables to the package: every reason code that the package can give has its row.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from asrproto.audio import wav
from asrproto.aws.eventstream import EventStreamDecoder, Message, encode_message
from asrproto.errors import ChecksumMismatch, FrameTooLarge, MalformedFrame, RemoteProtocolError, TruncatedFrame
from asrproto.http import SSEDecoder
from asrproto.openai.replies import parse_transcription
from asrproto.openai.stream import TranscriptionStream
from asrproto.volcengine.frames import decode_frame, gzip
from asrproto.volcengine.recording import parse_query
from asrproto.youdao.short import parse_short
from fuzz.conversations import CONVERSATIONS, recorded
from fuzz.conversations import Message as WireMessage
from fuzz.targets.aws_eventstream import frame

__all__ = ["PROTOCOLS", "Fault", "Protocol"]


class Fault(NamedTuple):
    """One way of being wrong."""

    what: str
    data: Any
    error: type[RemoteProtocolError]
    reason: str


class Protocol(NamedTuple):
    """A decoder and its faults."""

    title: str
    decode: Callable[[Any], object]
    faults: Sequence[Fault]


# -- AWS event stream -------------------------------------------------------------------------------------------------

MIB = 1 << 20
_good = encode_message({":event-type": "AudioEvent"}, b"payload")


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1:]


def _string(name: bytes, value: bytes, size: int | None = None) -> bytes:
    return bytes((len(name),)) + name + b"\7" + struct.pack(">H", len(value) if size is None else size) + value


EVENT_STREAM = (
    Fault("a bit of the lengths flipped", _flipped(_good, 3), ChecksumMismatch, "prelude-checksum"),
    Fault("a bit of the prelude's checksum flipped", _flipped(_good, 9), ChecksumMismatch, "prelude-checksum"),
    Fault("a bit of a header flipped", _flipped(_good, 14), ChecksumMismatch, "message-checksum"),
    Fault("a bit of the payload flipped", _flipped(_good, -6), ChecksumMismatch, "message-checksum"),
    Fault("a bit of the message's checksum flipped", _flipped(_good, -1), ChecksumMismatch, "message-checksum"),
    Fault("not an event stream: an HTTP error page", b"<html><body>502 Bad Gateway</body></html>", ChecksumMismatch,
          "prelude-checksum"),
    Fault("total length 0", frame(b"", b"", total=0), MalformedFrame, "total-length"),
    Fault("total length 12, less than any frame has", frame(b"", b"", total=12), MalformedFrame, "total-length"),
    Fault("headers run over the checksum", frame(b"\1x\0", b"", headers_len=4), MalformedFrame, "headers-length"),
    Fault("headers longer than the frame", frame(b"\1x\0", b"12", headers_len=1000), MalformedFrame, "headers-length"),
    Fault("headers of 4 GiB", frame(b"\1x\0", b"", headers_len=2**32 - 1), MalformedFrame, "headers-length"),
    Fault("a frame of 4 GiB announced", frame(b"", b"", total=2**32 - 1), FrameTooLarge, "message-too-large"),
    Fault("a frame of 24 MiB + 1 announced", frame(b"", b"", total=24 * MIB + 1), FrameTooLarge, "message-too-large"),
    Fault("headers of 128 KiB + 1", frame(b"", b"", total=MIB, headers_len=128 * 1024 + 1), FrameTooLarge,
          "headers-too-large"),
    Fault("a header without a name", frame(b"\0\0", b""), MalformedFrame, "empty-header-name"),
    Fault("a name longer than the header block", frame(b"\x09ab", b""), MalformedFrame, "header-overrun"),
    Fault("a header without a type", frame(b"\2ab", b""), MalformedFrame, "header-overrun"),
    Fault("a string without its length", frame(b"\1s\7\0", b""), MalformedFrame, "header-overrun"),
    Fault("a string longer than the header block", frame(_string(b"s", b"abc", 9), b""), MalformedFrame,
          "header-overrun"),
    Fault("bytes longer than the header block", frame(b"\1b\6\0\x09abc", b""), MalformedFrame, "header-overrun"),
    Fault("an integer of 3 bytes", frame(b"\1n\4\0\0\1", b""), MalformedFrame, "header-overrun"),
    Fault("a timestamp of 7 bytes", frame(b"\1t\x08" + bytes(7), b""), MalformedFrame, "header-overrun"),
    Fault("a uuid of 5 bytes", frame(b"\1u\x09abcde", b""), MalformedFrame, "header-overrun"),
    Fault("header type 10", frame(b"\1x\x0a", b""), MalformedFrame, "unknown-header-type"),
    Fault("header type 255", frame(b"\1x\xff", b""), MalformedFrame, "unknown-header-type"),
    Fault("a string of 32768 bytes", frame(_string(b"s", bytes(32768)), b""), MalformedFrame, "header-value-too-long"),
    Fault("a name that is not UTF-8", frame(b"\1\xff\0", b""), MalformedFrame, "header-name-encoding"),
    Fault("a string that is not UTF-8", frame(_string(b"s", b"\xc3"), b""), MalformedFrame, "header-value-encoding"),
    Fault("a string with a surrogate", frame(_string(b"s", b"\xed\xa0\x80"), b""), MalformedFrame,
          "header-value-encoding"),
    Fault("the same header twice", frame(b"\1x\0\1x\1", b""), MalformedFrame, "repeated-header"),
    Fault("the stream ends inside a prelude", _good + _good[:7], TruncatedFrame, "truncated-frame"),
    Fault("the stream ends inside the headers", _good[:14], TruncatedFrame, "truncated-frame"),
    Fault("the stream ends one byte early", _good[:-1], TruncatedFrame, "truncated-frame"),
)


def decode_event_stream(data: bytes) -> list[Message]:
    decoder = EventStreamDecoder()
    messages = decoder.feed(data)
    decoder.close()
    return messages


ONE_MESSAGE = (
    Fault("a byte after the frame", _good + b"\0", MalformedFrame, "trailing-bytes"),
    Fault("two frames", _good + _good, MalformedFrame, "trailing-bytes"),
    Fault("nothing", b"", TruncatedFrame, "truncated-frame"),
)

# -- Volcengine -------------------------------------------------------------------------------------------------------

_json_head = bytes.fromhex("11901000")
_gzip_head = bytes.fromhex("11901100")
_event_head = bytes.fromhex("11941000")


def _sized(data: bytes, size: int | None = None) -> bytes:
    return struct.pack(">I", len(data) if size is None else size) + data


VOLCENGINE = (
    Fault("nothing", b"", TruncatedFrame, "truncated-header"),
    Fault("three bytes", b"\x11\x90\x10", TruncatedFrame, "truncated-header"),
    Fault("a header of 15 words, and the frame ends in it", b"\x1f\x90\x10\0" + bytes(55), TruncatedFrame,
          "truncated-header"),
    Fault("an error that ends inside its code", bytes.fromhex("11f0100002ae"), TruncatedFrame, "truncated-error-code"),
    Fault("the frame ends inside its sequence", bytes.fromhex("119110000000"), TruncatedFrame, "truncated-sequence"),
    Fault("the frame ends inside its event", _event_head + b"\0\0", TruncatedFrame, "truncated-event"),
    Fault("a connection id longer than the frame", _event_head + b"\0\0\0\x32" + _sized(b"abc", 36), TruncatedFrame,
          "truncated-connection-id"),
    Fault("a connection id of 4 GiB", _event_head + b"\0\0\0\x32" + _sized(b"abc", 2**32 - 1), TruncatedFrame,
          "truncated-connection-id"),
    Fault("a session id longer than the frame", _event_head + b"\0\0\0\x96" + _sized(b"abc", 36), TruncatedFrame,
          "truncated-session-id"),
    Fault("the frame ends before its payload's size", _json_head + b"\0\0", TruncatedFrame, "truncated-payload-size"),
    Fault("a payload longer than the frame", _json_head + _sized(b"{}", 3), TruncatedFrame, "truncated-payload"),
    Fault("a payload of 4 GiB announced", _json_head + _sized(b"{}", 2**32 - 1), TruncatedFrame, "truncated-payload"),
    Fault("a payload of 16 MiB + 1", _json_head + _sized(bytes(16 * MIB + 1)), FrameTooLarge, "payload-size"),
    Fault("version 2", b"\x21" + _json_head[1:] + _sized(b"{}"), MalformedFrame, "version"),
    Fault("a header of no words", b"\x10" + _json_head[1:] + _sized(b"{}"), MalformedFrame, "header-size"),
    Fault("a connection id that is not UTF-8", _event_head + b"\0\0\0\x32" + _sized(b"\xff") + _sized(b"{}"),
          MalformedFrame, "connection-id-utf8"),
    Fault("a session id that is not UTF-8", _event_head + b"\0\0\0\x96" + _sized(b"\xff") + _sized(b"{}"),
          MalformedFrame, "session-id-utf8"),
    Fault("a byte after the payload", _json_head + _sized(b"{}") + b"\0", MalformedFrame, "trailing-bytes"),
    Fault("gzip announced, JSON sent", _gzip_head + _sized(b"{}"), MalformedFrame, "gzip"),
    Fault("gzip whose checksum does not hold", _gzip_head + _sized(gzip(b"{}")[:-8] + bytes(8)), MalformedFrame,
          "gzip"),
    Fault("gzip that breaks off", _gzip_head + _sized(gzip(b"{}" * 50)[:-9]), TruncatedFrame, "gzip-truncated"),
    Fault("a byte after the gzip member", _gzip_head + _sized(gzip(b"{}") + b"\0"), MalformedFrame,
          "gzip-trailing-bytes"),
    Fault("a gzip bomb: 16 kB that unpack to 16 MiB + 1", _gzip_head + _sized(gzip(bytes(16 * MIB + 1), 9)),
          FrameTooLarge, "payload-bomb"),
)

VOLCENGINE_QUERY = (
    Fault("no status at all", ({}, b"{}"), MalformedFrame, "status-missing"),
    Fault("a status that is not a number", ({"X-Api-Status-Code": "OK"}, b"{}"), MalformedFrame, "status-code"),
    Fault("a status of 5000 digits", ({"X-Api-Status-Code": "2" * 5000}, b"{}"), MalformedFrame, "status-code"),
    Fault("a body that is not JSON", ({"X-Api-Status-Code": "20000000"}, b"<html>"), MalformedFrame, "not-json"),
    Fault("a body that is not UTF-8", ({"X-Api-Status-Code": "20000000"}, b'{"result":"\xff"}'), MalformedFrame,
          "not-json"),
    Fault("JSON 100 000 lists deep", ({"X-Api-Status-Code": "20000000"}, b"[" * 100_000), MalformedFrame, "not-json"),
    Fault("a result that is a number", ({"X-Api-Status-Code": "20000000"}, b'{"result":7}'), MalformedFrame,
          "wrong-shape"),
    Fault("times that are words", ({"X-Api-Status-Code": "20000000"},
                                   b'{"result":{"utterances":[{"text":"a","start_time":"soon"}]}}'),
          MalformedFrame, "wrong-shape"),
)

# -- Server-Sent Events -----------------------------------------------------------------------------------------------

SSE = (
    Fault("a line longer than 8 MiB", b"data: " + bytes(8 * MIB) + b"\n\n", FrameTooLarge, "line-too-long"),
    Fault("8 MiB without a newline", bytes(8 * MIB + 1), FrameTooLarge, "line-too-long"),
    Fault("an event of more than 16 MiB", b"data: 0123456789abcdef\n" * MIB + b"\n", FrameTooLarge, "event-too-large"),
    Fault("the stream ends inside an event", b"data: a\n\ndata: b\n", TruncatedFrame, "event-cut-off"),
    Fault("the stream ends inside a line", b"data: a\n\nda", TruncatedFrame, "event-cut-off"),
)


def decode_sse(data: bytes) -> None:
    decoder = SSEDecoder()
    decoder.feed(data)
    decoder.close()


# -- OpenAI and Youdao ------------------------------------------------------------------------------------------------

OPENAI = (
    Fault("a body that is not JSON", ("json", b"OK"), MalformedFrame, "not-json"),
    Fault("a body that is not UTF-8", ("json", b'{"text":"\xff"}'), MalformedFrame, "not-json"),
    Fault("JSON 100 000 lists deep", ("json", b"[" * 100_000), MalformedFrame, "not-json"),
    Fault("no text", ("json", b"{}"), MalformedFrame, "wrong-shape"),
    Fault("a text that is a number", ("json", b'{"text":7}'), MalformedFrame, "wrong-shape"),
    Fault("segments that are a number", ("verbose_json", b'{"text":"a","segments":7}'), MalformedFrame, "wrong-shape"),
    Fault("a time that is not a number", ("verbose_json", b'{"text":"a","segments":[{"start":"NaN"}]}'), MalformedFrame,
          "wrong-shape"),
    Fault("an HTML page instead of text", ("text", b"<!DOCTYPE html><html>login</html>"), MalformedFrame, "html-page"),
    Fault("subtitles without timing", ("srt", b"1\ngo forward\n"), MalformedFrame, "cue-timing"),
    Fault("WebVTT without WEBVTT", ("vtt", b"00:00.000 --> 00:01.000\ngo\n"), MalformedFrame, "not-webvtt"),
)


def decode_openai(reply: tuple[str, bytes]) -> object:
    return parse_transcription(reply[1], response_format=reply[0])


def _delta(segment: object, text: str) -> bytes:
    document = {"type": "transcript.text.delta", "segment_id": segment, "delta": text}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


OPENAI_STREAM = (
    Fault("an event that is not JSON", b"data: OK\n\n", MalformedFrame, "not-json"),
    Fault("an event of another shape", _delta(7, "a"), MalformedFrame, "wrong-shape"),
    Fault("the stream ends before the text is final", _delta("s", "a"), TruncatedFrame, "ended-early"),
    Fault("the stream ends inside an event", _delta("s", "a")[:-1], TruncatedFrame, "event-cut-off"),
    Fault("a text without end", _delta("s", "x" * 100_000) * 11, FrameTooLarge, "too-much-open"),
)


def decode_openai_stream(data: bytes) -> None:
    stream = TranscriptionStream()
    stream.feed(data)
    stream.feed(b"")  # an error may come with the next call
    stream.close()


YOUDAO = (
    Fault("a body that is not JSON", b"<html>", MalformedFrame, "not-json"),
    Fault("no error code", b'{"result":["a"]}', MalformedFrame, "wrong-shape"),
    Fault("a result that is a number", b'{"errorCode":"0","result":7}', MalformedFrame, "wrong-shape"),
)

# -- Conversations ----------------------------------------------------------------------------------------------------


def _receive(name: str) -> Callable[[Sequence[WireMessage]], None]:
    """A whole conversation, of which the last messages are wrong."""

    def receive(messages: Sequence[WireMessage]) -> None:
        session: Any = CONVERSATIONS[name].session()
        session.handshake()
        if messages[0] != b"before the start":
            session.start()
        for message in messages:
            session.receive(message)
        session.receive_eof()

    return receive


def _event(document: Any) -> bytes:
    return encode_message({":message-type": "event", ":event-type": "TranscriptEvent",
                           ":content-type": "application/json"},
                          document if isinstance(document, bytes) else json.dumps(document).encode())


def _response(document: bytes) -> bytes:
    return _json_head + _sized(document)


TRANSCRIBE = (
    Fault("a text message", ["{}"], MalformedFrame, "text-message"),
    Fault("a payload that is not JSON", [_event(b"<html>")], MalformedFrame, "not-json"),
    Fault("a payload of another shape", [_event({"Transcript": {"Results": 7}})], MalformedFrame, "wrong-shape"),
    Fault("a time that is a word", [_event({"Transcript": {"Results": [
        {"ResultId": "r", "StartTime": "soon", "EndTime": 1, "IsPartial": False, "Alternatives": []}]}})],
          MalformedFrame, "wrong-shape"),
    Fault("a message that is half a frame", [_good[:-5]], TruncatedFrame, "truncated-frame"),
    Fault("a message that is two frames", [_good + _good], MalformedFrame, "trailing-bytes"),
    Fault("a message after a refusal", [recorded("transcribe_websocket", refused=True)[0][-1]] * 2, MalformedFrame,
          "after-end"),
)
TRANSCRIBE_HTTP2 = (
    Fault("the response ends inside a frame", [_good, _good[:20]], TruncatedFrame, "truncated-frame"),
)
VOLCENGINE_STREAMING = (
    Fault("a text message", ["{}"], MalformedFrame, "text-message"),
    Fault("a message before the request was sent", [b"before the start"], MalformedFrame, "before-start"),
    Fault("a message after the last response", [recorded("volcengine_bigmodel")[0][-1]] * 2, MalformedFrame,
          "after-end"),
    Fault("a frame that only clients send", [bytes.fromhex("1110100000000002") + b"{}"], MalformedFrame,
          "unexpected-type"),
    Fault("a payload that is not JSON", [_response(b"\x1f\x8b")], MalformedFrame, "not-json"),
    Fault("a payload of another shape", [_response(b'{"result":7}')], MalformedFrame, "wrong-shape"),
)
OPENAI_REALTIME = (
    Fault("a message that is not JSON", ["OK"], MalformedFrame, "not-json"),
    Fault("a binary message that is not JSON", [bytes(4)], MalformedFrame, "not-json"),
    Fault("a delta without its item", ['{"type":"conversation.item.input_audio_transcription.delta","delta":"a"}'],
          MalformedFrame, "wrong-shape"),
    Fault("a text without end", ['{"type":"conversation.item.input_audio_transcription.delta","item_id":"i","delta":"'
                                 + "x" * 100_000 + '"}'] * 11, FrameTooLarge, "too-much-open"),
)
YOUDAO_STREAMING = (
    Fault("a message that is not JSON", ["OK"], MalformedFrame, "not-json"),
    Fault("a result that is a number", ['{"action":"recognition","errorCode":"0","result":7}'], MalformedFrame,
          "wrong-shape"),
    Fault("a result whose text is not JSON", ['{"action":"recognition","errorCode":"0","result":"[oops"}'],
          MalformedFrame, "not-json"),
    Fault("a time that is not a number", ['{"action":"recognition","errorCode":"0","result":[{"st":{"bg":"inf"}}]}'],
          MalformedFrame, "wrong-shape"),
)


def _riff(chunks: bytes, missing: int = 0) -> bytes:
    """A file whose own size is right, as if the `missing` bytes were there."""
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + missing) + b"WAVE" + chunks


_FMT = b"fmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
_DATA = b"data\4\0\0\0abcd"

WAV = (
    Fault("an Ogg file", b"OggS" + bytes(20), MalformedFrame, "not-wav"),
    Fault("samples before their description", _riff(b"data\2\0\0\0ab" + _FMT), MalformedFrame, "data-before-fmt"),
    Fault("a description too short", _riff(b"fmt \2\0\0\0\1\0" + _DATA), MalformedFrame, "fmt-size"),
    Fault("two descriptions", _riff(_FMT + _FMT + _DATA), MalformedFrame, "duplicate-fmt"),
    Fault("no channels", _riff(_FMT.replace(b"\1\0\1\0", b"\1\0\0\0") + _DATA), MalformedFrame, "fmt-fields"),
    Fault("MP3 inside", _riff(_FMT.replace(b"\1\0\1\0", b"\x55\0\1\0") + _DATA), MalformedFrame, "unsupported-format"),
    Fault("half a sample", _riff(_FMT + b"data\3\0\0\0abc\0"), MalformedFrame, "data-size"),
    Fault("long sizes in a short file", _riff(b"ds64\x1c\0\0\0" + bytes(28) + _FMT + _DATA), MalformedFrame, "ds64"),
    Fault("a file that ends before its samples", _riff(_FMT), TruncatedFrame, "truncated-header"),
    Fault("a file that ends within its samples", _riff(_FMT + b"data\4\0\0\0ab", 2), TruncatedFrame, "truncated-data"),
    Fault("a stream that ends within a sample", b"RIFF\xff\xff\xff\xffWAVE" + _FMT + b"data\xff\xff\xff\xffabc",
          TruncatedFrame, "truncated-frame"),
)

PROTOCOLS = (
    Protocol("AWS event stream", decode_event_stream, EVENT_STREAM),
    Protocol("AWS event stream, exactly one frame", Message.decode, ONE_MESSAGE),
    Protocol("Amazon Transcribe over WebSocket", _receive("transcribe_websocket"), TRANSCRIBE),
    Protocol("Amazon Transcribe over HTTP/2", _receive("transcribe_http2"), TRANSCRIBE_HTTP2),
    Protocol("Volcengine frames", decode_frame, VOLCENGINE),
    Protocol("Volcengine streaming", _receive("volcengine_bigmodel"), VOLCENGINE_STREAMING),
    Protocol("Volcengine recorded files", lambda answer: parse_query(*answer), VOLCENGINE_QUERY),
    Protocol("Server-Sent Events", decode_sse, SSE),
    Protocol("OpenAI transcriptions", decode_openai, OPENAI),
    Protocol("OpenAI transcriptions, streamed", decode_openai_stream, OPENAI_STREAM),
    Protocol("OpenAI realtime", _receive("openai_realtime"), OPENAI_REALTIME),
    Protocol("Youdao replies", parse_short, YOUDAO),
    Protocol("Youdao streaming", _receive("youdao"), YOUDAO_STREAMING),
    Protocol("WAV files", wav.decode, WAV),
)
