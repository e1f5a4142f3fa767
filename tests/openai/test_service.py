"""The fake of the transcription interface, which client tests lean on: every format, and what it refuses."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import msgspec
import numpy as np
import pytest
from openai.types.audio import Transcription, TranscriptionDiarized, TranscriptionVerbose

from asrproto.errors import ServiceError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.openai.dialects import OPENAI, RESPONSE_FORMATS, SILICONFLOW, VLLM
from asrproto.openai.stream import TranscriptionStream
from asrproto.openai.transcription import parse_transcription, transcription_request
from asrproto.testing import ScriptedRecogniser
from asrproto.testing.forms import Field, read_form
from asrproto.testing.openai import TranscriptionService

KEY = "sk-made-up-0123456789"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
TEXT = "had he married a more amiable woman he might have been"
AUDIO = np.zeros(48000, np.int16)


def respond(request: HttpRequest, **options: Any) -> HttpResponse:
    service = TranscriptionService(lambda rate: ScriptedRecogniser(TEXT, rate), **{"api_key": KEY, **options})
    return service.respond(request, at=NOW)


def ask(**options: Any) -> HttpRequest:
    return transcription_request(**{"audio": AUDIO, "rate": 16000, "api_key": KEY, "model": "m", **options})


@pytest.mark.parametrize("response_format", RESPONSE_FORMATS)
def test_every_format(response_format: str) -> None:
    response = respond(ask(response_format=response_format))
    transcripts = parse_transcription(response.body, response_format=response_format, status=response.status)
    assert " ".join(transcript.text for transcript in transcripts) == TEXT
    assert len(transcripts) == (1 if response_format in ("json", "text") else 2)
    if len(transcripts) == 2:
        assert [(one.start, one.end) for one in transcripts] == [(0.0, pytest.approx(2.4)), (pytest.approx(2.4),
                                                                                             pytest.approx(3.3))]
    if response_format == "verbose_json":
        assert [len(transcript.words) for transcript in transcripts] == [8, 3]


def test_the_fake_speaks_the_clients_types() -> None:
    for response_format, kind in [("json", Transcription), ("diarized_json", TranscriptionDiarized)]:
        kind.model_validate_json(respond(ask(response_format=response_format)).body)
    verbose = json.loads(respond(ask(response_format="verbose_json")).body)
    for segment in verbose["segments"]:
        segment.update(avg_logprob=0, compression_ratio=1, no_speech_prob=0, seek=0, temperature=0, tokens=[])
    TranscriptionVerbose.model_validate(verbose)


def test_a_stream() -> None:
    response = respond(ask(stream=True))
    assert response.header("Content-Type") == "text/event-stream; charset=utf-8"
    stream = TranscriptionStream()
    events = stream.feed(response.body)
    assert [event.text for event in events[:2]] == ["had", "had he"]
    assert (events[-2].text, events[-2].is_final) == (TEXT, True)
    assert stream.close() == []


def without(request: HttpRequest, name: str) -> HttpRequest:
    return msgspec.structs.replace(request, body=request.body.replace(f'name="{name}"'.encode(), b'name="x"'))


@pytest.mark.parametrize(("request_", "options", "status", "words"), [
    (ask(api_key="sk-stranger"), {}, 401, "Incorrect API key"), (ask(base_url="https://x/v2"), {}, 404, "Invalid URL"),
    (without(ask(), "model"), {}, 400, "model"), (without(ask(), "file"), {}, 400, "file"),
    (ask(language="en"), {"dialect": msgspec.structs.replace(SILICONFLOW, base_url=OPENAI.base_url)}, 400, "language"),
    (ask(response_format="diarized_json"), {"dialect": VLLM}, 400, "diarized_json"),
    (ask(audio=b"fLaC", rate=None), {}, 400, "WAV"), (ask(audio=np.zeros((9, 2), np.int16)), {}, 400, "mono"),
    (msgspec.structs.replace(ask(), headers=ask().headers[:1]), {}, 400, "form"),
    (msgspec.structs.replace(ask(), body=b"--cut"), {}, 400, "whole"),
    (msgspec.structs.replace(ask(), method="GET"), {}, 404, "GET"),
])
def test_refusals(request_: HttpRequest, options: dict[str, Any], status: int, words: str) -> None:
    response = respond(request_, **options)
    assert response.status == status
    with pytest.raises(ServiceError, match=words):
        parse_transcription(response.body, status=response.status, headers=response.headers)


def test_forms_are_read_back() -> None:
    request = ask(prompt='a\r\n"b"', filename='ü"\r\n.wav', boundary="b (1)")
    fields = read_form(request)
    assert fields[:2] == [Field("model", b"m"), Field("prompt", b'a\r\n"b"')]
    assert (fields[-1].name, fields[-1].filename, len(fields[-1].content)) == ("file", 'ü"\r\n.wav', 96044)
