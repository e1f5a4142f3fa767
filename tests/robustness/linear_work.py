"""``python linear_work.py SCALE``: the same kinds of work, SCALE times as much of each; for counting instructions.

Each costs some ten million instructions more than at the scale before, so that one which is not linear shows in the
sum. What imports numpy or holds conversations is left out: that alone would cost more than all of the work.
"""

from __future__ import annotations

import sys

from asrproto._chunks import Chunker
from asrproto.aws.eventstream import EventStreamDecoder, encode_message
from asrproto.http import FilePart, SSEDecoder, encode_multipart
from asrproto.volcengine.frames import Frame, decode_frame, encode_frame

KIB = bytes(1024)


def one_large_frame_in_small_pieces(scale: int) -> None:
    """Its buffer must not be copied for each piece."""
    data = encode_message({"a": "b"}, bytes(200_000 * scale))
    decoder, messages = EventStreamDecoder(), []
    for at in range(0, len(data), 32):
        messages += decoder.feed(data[at:at + 32])
    assert len(messages) == 1


def many_frames_in_one_piece(scale: int) -> None:
    """What is left must not be moved for each frame."""
    data = encode_message({"a": "b"}, KIB) * (4_000 * scale)
    assert len(EventStreamDecoder().feed(data)) == 4_000 * scale


def a_stream_byte_by_byte(scale: int) -> None:
    data = encode_message({"a": "b"}, b"payload") * (150 * scale)
    decoder = EventStreamDecoder()
    assert sum(len(decoder.feed(data[at:at + 1])) for at in range(len(data))) == 150 * scale


def many_headers(scale: int) -> None:
    """A repeated name must not be looked for one by one."""
    data = encode_message({f"{number:05}": True for number in range(2_000 * scale)})
    assert len(EventStreamDecoder().feed(data)[0].headers) == 2_000 * scale


def one_long_line_in_small_pieces(scale: int) -> None:
    decoder = SSEDecoder()
    for _ in range(700 * scale):
        decoder.feed(b"data: 0123456789 0123456789 0123456789 ")
    assert len(decoder.feed(b"\n\n")) == 1


def one_event_of_many_lines(scale: int) -> None:
    decoder = SSEDecoder()
    for _ in range(50 * scale):
        decoder.feed(b"data: x\n" * 100)
    assert len(decoder.feed(b"\n")[0].data) == 10_000 * scale - 1


def many_events_in_one_piece(scale: int) -> None:
    assert len(SSEDecoder().feed(b"data: x\n\n" * (6_000 * scale))) == 6_000 * scale


def one_large_volcengine_frame(scale: int) -> None:
    size = 1_000_000 * scale
    assert len(decode_frame(encode_frame(Frame(9, payload=bytes(size)))).payload) == size


def one_large_form(scale: int) -> None:
    fields = [("name", "value"), FilePart("file", "a.wav", KIB)] * (500 * scale)
    assert len(bytes(encode_multipart(fields))) > 500_000 * scale


def audio_in_small_and_large_pieces(scale: int) -> None:
    """What waits for a whole chunk must not be copied for each piece; all sessions cut their audio with this."""
    chunks = Chunker(200_000 * scale)
    for _ in range(3_000 * scale):
        chunks.push(b"0123456789")
    chunks = Chunker(3200)
    assert len(chunks.push(bytes(3200 * 1_000 * scale))) == 1_000 * scale


WORK = (one_large_frame_in_small_pieces, many_frames_in_one_piece, a_stream_byte_by_byte, many_headers,
        one_long_line_in_small_pieces, one_event_of_many_lines, many_events_in_one_piece, one_large_volcengine_frame,
        one_large_form, audio_in_small_and_large_pieces)

if __name__ == "__main__":
    for work in WORK:
        if not sys.argv[2:] or work.__name__ in sys.argv[2:]:
            work(1)  # what is done only once: caches, tables
            work(int(sys.argv[1]))
