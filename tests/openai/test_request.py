"""The transcription request, with the installed openai client as the judge.

The client is given a transport that records instead of sending. Its form and ours must have the same parts, with the
same names, values and file names, in the same order. Only the media type of the file may differ: the client takes it
from Python's table, which has audio/x-wav.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx2
import multipart
import numpy as np
import pytest

import openai
from asrproto.audio.containers import probe
from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest
from asrproto.openai.dialects import DIALECTS, FIELDS, GROQ, LOCALAI, OPENAI, SILICONFLOW, VLLM
from asrproto.openai.transcription import transcription_request, transcription_upload

KEY = "sk-made-up-0123456789"
MP3 = (Path(__file__).parent.parent / "audio" / "data" / "m16k.mp3").read_bytes()

CALLS: dict[str, dict[str, Any]] = {
    "bare": {"model": "whisper-1"},
    "language and prompt": {"model": "whisper-1", "language": "en", "prompt": "Ünïcödé, \"quoted\"\r\nlines \u2028"},
    "verbose with words": {"model": "whisper-1", "response_format": "verbose_json",
                           "timestamp_granularities": ["word", "segment"]},
    "one granularity": {"model": "whisper-1", "response_format": "verbose_json", "timestamp_granularities": ["word"]},
    "subtitles": {"model": "whisper-1", "response_format": "srt", "temperature": 0.25},
    "whole number": {"model": "whisper-1", "temperature": 0},
    "streamed": {"model": "gpt-4o-transcribe", "stream": True, "include": ["logprobs"]},
    "not streamed": {"model": "gpt-4o-transcribe", "stream": False},
    "chunks by themselves": {"model": "gpt-4o-transcribe", "chunking_strategy": "auto"},
    "chunks by hand": {"model": "gpt-4o-transcribe", "chunking_strategy": {
        "type": "server_vad", "prefix_padding_ms": 300, "silence_duration_ms": 200, "threshold": 0.5}},
    "speakers": {"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json", "chunking_strategy": "auto",
                 "known_speaker_names": ["agent", "customer"],
                 "known_speaker_references": ["data:audio/wav;base64,UklGRg==", "data:audio/wav;base64,AAAA"]},
    "hints": {"model": "gpt-transcribe", "keywords": ["asrproto", "Austen"], "languages": ["en", "zh"]},
    "all at once": {"model": "m", "temperature": 1.0, "stream": False, "response_format": "json", "prompt": "p",
                    "languages": ["a", "b"], "language": "l", "known_speaker_references": ["r"],
                    "known_speaker_names": ["n"], "keywords": ["k"], "include": ["logprobs"],
                    "chunking_strategy": {"type": "server_vad"}, "timestamp_granularities": ["segment"]},
    "further fields": {"model": "m", "extra_body": {"hotwords": "a,b", "seed": 7, "vad_filter": True, "n": ["x", "y"]}},
}


def parts(content_type: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    _, options = multipart.parse_options_header(content_type)
    parser = multipart.MultipartParser(io.BytesIO(body), options["boundary"], strict=True)
    return [(part.name, part.filename, part.raw) for part in parser]


def ours(request: HttpRequest) -> list[tuple[str, str | None, bytes]]:
    return parts(request.header("content-type") or "", request.body)


def clients(file: Any, **call: Any) -> httpx2.Request:
    recorded: list[httpx2.Request] = []

    def record(request: httpx2.Request) -> httpx2.Response:
        recorded.append(request)
        return httpx2.Response(200, json={"text": "", "duration": 0, "language": "", "segments": [], "task": "x"})

    with openai.OpenAI(api_key=KEY, max_retries=0, organization="org-1", project="proj-1",
                       http_client=httpx2.Client(transport=httpx2.MockTransport(record))) as client:
        client.audio.transcriptions.create(file=file, **call)
    return recorded[0]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_same_parts_as_the_openai_client(call: dict[str, Any]) -> None:
    theirs = clients(("a \"b\" é.mp3", MP3), **call)
    request = transcription_request(MP3, api_key=KEY, filename="a \"b\" é.mp3", organization="org-1", project="proj-1",
                                    **call)
    assert (request.method, request.url) == (theirs.method, str(theirs.url))
    assert ours(request) == parts(theirs.headers["content-type"], theirs.read())
    for name in ("Authorization", "OpenAI-Organization", "OpenAI-Project"):
        assert request.header(name) == theirs.headers[name]


def test_the_table_of_calls_has_every_field() -> None:
    assert {name for call in CALLS.values() for name in call} - {"model", "extra_body"} == set(FIELDS)


def test_a_path_is_named_as_the_client_names_it(tmp_path: Path) -> None:
    path = tmp_path / "so und.WAV"
    path.write_bytes(MP3)
    request = transcription_request(path, api_key=KEY, model="m")
    assert ours(request) == parts((theirs := clients(path, model="m")).headers["content-type"], theirs.read())
    assert b"Content-Type: audio/wav\r\n" in request.body


@pytest.mark.parametrize(("audio", "filename", "media_type"), [
    (MP3, "audio.mp3", "audio/mpeg"), (b"fLaC1234", "audio.flac", "audio/flac"),
    (b"OggS1234", "audio.ogg", "audio/ogg"), (b"\x1a\x45\xdf\xa3", "audio.webm", "audio/webm"),
    (b"\0\0\0\x1cftypM4A ", "audio.m4a", "audio/mp4"), (bytearray(b"RIFF\0\0\0\0WAVE"), "audio.wav", "audio/wav"),
    (memoryview(b"?"), "upload", "application/octet-stream"),
])
def test_name_and_type_come_from_the_first_bytes(audio: bytes, filename: str, media_type: str) -> None:
    request = transcription_request(audio, api_key=KEY, model="m")
    assert ours(request)[-1] == ("file", filename, bytes(audio))
    assert f'filename="{filename}"\r\nContent-Type: {media_type}\r\n'.encode() in request.body
    given = transcription_request(audio, api_key=KEY, model="m", filename="x.oga", content_type="audio/opus")
    assert b'filename="x.oga"\r\nContent-Type: audio/opus\r\n' in given.body


@pytest.mark.parametrize("samples", [
    np.arange(-800, 800, dtype=np.int16), np.linspace(-1, 1, 1600, dtype=np.float32), np.zeros((1600, 2), np.float64)])
def test_samples_become_a_wav(samples: Any) -> None:
    request = transcription_request(samples, rate=16000, api_key=KEY, model="m")
    name, filename, content = ours(request)[-1]
    recording = probe(content)
    assert (name, filename) == ("file", "audio.wav")
    assert (recording.rate, recording.channels, recording.bits, recording.seconds) == (16000, samples.ndim, 16, 0.1)
    if samples.dtype == np.int16:
        assert content[44:] == samples.astype("<i2").tobytes()


def test_upload_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(b"RIFF" + bytes(300_000))
    options = {"api_key": KEY, "model": "m", "boundary": "b0undary", "language": "en"}
    upload = transcription_upload(path, **options)
    whole = transcription_request(path, **options)
    assert upload.request.body == b""
    assert upload.request.header("Content-Length") == str(len(whole.body)) == str(upload.body.content_length)
    assert upload.request.headers[:-1] == whole.headers
    for _ in range(2):  # and once more for a second attempt
        pieces = list(upload.body)
        assert b"".join(pieces) == whole.body
        assert max(map(len, pieces)) <= 1 << 16
    path.write_bytes(b"RIFF")
    with pytest.raises(LocalProtocolError, match="fewer"):
        list(upload.body)


def test_dialects_refuse_what_they_do_not_have() -> None:
    for dialect, option, word in [
        (SILICONFLOW, {"language": "en"}, "SiliconFlow does not have language"),
        (SILICONFLOW, {"response_format": "json"}, "does not have response_format"),
        (GROQ, {"stream": True}, "Groq does not have stream"),
        (GROQ, {"response_format": "srt"}, "json, text, verbose_json"),
        (VLLM, {"response_format": "diarized_json"}, "diarized_json"),
        (OPENAI, {"response_format": "xml"}, "xml"),
        (OPENAI, {"url": "https://example.org/a.mp3", "audio": None}, "OpenAI takes no url"),
        (GROQ, {"url": "https://example.org/a.mp3"}, "either audio or url"),
        (GROQ, {"audio": None}, "either audio or url"),
    ]:
        with pytest.raises(LocalProtocolError, match=word):
            transcription_request(**{"audio": MP3, "api_key": KEY, "model": "m", "dialect": dialect, **option})


def test_groq_takes_a_url() -> None:
    request = transcription_request(url="https://example.org/a.mp3", api_key=KEY, model="whisper", dialect=GROQ)
    assert request.url == "https://api.groq.com/openai/v1/audio/transcriptions"
    assert ours(request) == [("model", None, b"whisper"), ("url", None, b"https://example.org/a.mp3")]


def test_keys() -> None:
    request = transcription_request(MP3, api_key=None, model="m", dialect=LOCALAI, base_url="http://host:1/v1/")
    assert request.url == "http://host:1/v1/audio/transcriptions"
    assert request.header("Authorization") is None
    assert KEY not in repr(transcription_request(MP3, api_key=KEY, model="m"))
    with pytest.raises(LocalProtocolError, match="needs an api_key"):
        transcription_request(MP3, api_key=None, model="m")
    for option in ("organization", "project"):
        with pytest.raises(LocalProtocolError, match=option):
            transcription_request(MP3, api_key=KEY, model="m", **{option: "a\r\nX: y"})
    with pytest.raises(LocalProtocolError, match="model"):
        transcription_request(MP3, api_key=KEY, model="")
    for wrong in ("", "a\r\nX: y", "schlüssel"):
        with pytest.raises(LocalProtocolError, match="api_key must be") as caught:
            transcription_request(MP3, api_key=wrong, model="m")
        assert wrong not in str(caught.value) or not wrong


def test_wrong_audio(tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.touch()
    for audio, options, word in [(b"", {}, "empty"), (empty, {}, "empty"), (bytes((25 << 20) + 1), {}, "26214400"),
                                 (np.zeros(10), {}, "rate"), (np.zeros(10, np.int32), {"rate": 8000}, "int32"),
                                 (np.zeros((2, 2, 2)), {"rate": 8000}, "3 dimensions")]:
        with pytest.raises(LocalProtocolError, match=word):
            transcription_request(audio, api_key=KEY, model="m", **options)
    with pytest.raises(TypeError, match=r"pathlib\.Path"):
        transcription_request("a.wav", api_key=KEY, model="m")
    with pytest.raises(TypeError, match="unknown option 'lang'"):
        transcription_upload(MP3, api_key=KEY, model="m", lang="en")
    with pytest.raises(TypeError, match="prompt must be text"):
        transcription_request(MP3, api_key=KEY, model="m", prompt=object())  # type: ignore[arg-type]


def test_dialects_are_data() -> None:
    assert set(DIALECTS) == {"openai", "vllm", "speaches", "localai", "groq", "siliconflow"}
    for dialect in DIALECTS.values():
        assert dialect.fields <= set(FIELDS)
        assert not dialect.base_url.endswith("/")
        request = transcription_request(MP3, api_key=KEY, model="m", dialect=dialect)
        assert [part[0] for part in ours(request)] == ["model", "file"]
