"""Server-Sent Events and multipart forms, against what the openai client uses for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asrproto.http import FilePart, SSEDecoder, encode_multipart

streaming = pytest.importorskip("openai._streaming")
httpx = pytest.importorskip("httpx2")

DELTA = ('data: {"type":"transcript.text.delta","delta":" word","logprobs":[{"token":" word","logprob":-0.0012,'
         '"bytes":[32,119,111,114,100]}]}\n\n')
STREAM = (DELTA * 2000 + 'data: {"type":"transcript.text.done","text":"..."}\n\ndata: [DONE]\n\n').encode()
NAMED = "".join(f"event: transcript.text.delta\nid: {i}\n{DELTA}" for i in range(2000)).encode()


def chunks(data: bytes, size: int) -> list[bytes]:
    return [data[i:i + size] for i in range(0, len(data), size)]


def ours_sse(pieces: list[bytes]) -> Callable[[], Any]:
    def run() -> None:
        decoder = SSEDecoder()
        for piece in pieces:
            for _ in decoder.feed(piece):
                pass
        decoder.close()
    return run


def client_sse(pieces: list[bytes]) -> Callable[[], Any]:
    def run() -> None:
        for _ in streaming.SSEDecoder().iter_bytes(iter(pieces)):
            pass
    return run


# reads of the stream, and how many times the client's time ours should go into it
WORK = {
    "SSE, 2000 deltas, 16 KB reads": (chunks(STREAM, 16384), 5),
    "SSE, 2000 deltas, one read each": ([DELTA.encode()] * 2000, 2),
    "SSE, 2000 deltas with event and id, 16 KB reads": (chunks(NAMED, 16384), 3),
}


@pytest.mark.parametrize("who", ["asrproto", "openai"])
@pytest.mark.parametrize("work", WORK)
def test_sse(contest: Callable[..., Any], work: str, who: str) -> None:
    reads, target = WORK[work]
    contest(work, who, {"asrproto": ours_sse, "openai": client_sse}[who](reads), at_least={"openai": target})


FIELDS = [("model", "gpt-4o-transcribe"), ("language", "en"), ("response_format", "verbose_json"),
          ("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment"), ("temperature", "0.0")]
FORM = {"model": "gpt-4o-transcribe", "language": "en", "response_format": "verbose_json",
        "timestamp_granularities[]": ["word", "segment"], "temperature": "0.0"}
AUDIO = bytes(32000)


def ours_form() -> bytes:
    return bytes(encode_multipart([*FIELDS, FilePart("file", "audio.wav", AUDIO, "audio/wav")]))


def httpx_form() -> bytes:
    stream = httpx._multipart.MultipartStream(FORM, {"file": ("audio.wav", AUDIO, "audio/wav")})
    stream.get_headers()
    return b"".join(stream)


@pytest.mark.parametrize("who", ["asrproto", "httpx2"])
def test_multipart(contest: Callable[..., Any], who: str) -> None:
    contest("multipart, six fields and 1 s of audio", who, {"asrproto": ours_form, "httpx2": httpx_form}[who],
            at_least={"httpx2": 1.5})
