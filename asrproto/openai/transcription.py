"""Transcription of a recording: one request, ``POST {base}/audio/transcriptions``.

The body is a multipart form: the options first, in the order of `asrproto.openai.dialects.FIELDS`, the file last. A
list becomes repeated fields ``name[]``, an object fields ``name[key]``, a truth value ``true`` or ``false``; this is
what the openai client sends, which the tests hold it to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from asrproto.audio.containers import as_recording, probe
from asrproto.errors import LocalProtocolError
from asrproto.http import FilePart, HttpRequest, MultipartBody, encode_multipart
from asrproto.http.request import HeadersLike, header_pairs
from asrproto.openai.dialects import FIELDS, OPENAI, Dialect
from asrproto.openai.replies import parse_transcription

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from typing_extensions import Buffer

    Audio = Buffer | os.PathLike[str] | ArrayLike

__all__ = ["Upload", "authorization", "parse_transcription", "transcription_request", "transcription_upload"]

_READ_SIZE = 1 << 16

# Python's own table says audio/x-wav and video/webm, which services refuse.
_MEDIA_TYPES = {
    "aac": "audio/aac", "flac": "audio/flac", "m4a": "audio/mp4", "mp3": "audio/mpeg", "mp4": "audio/mp4",
    "mpeg": "audio/mpeg", "mpga": "audio/mpeg", "oga": "audio/ogg", "ogg": "audio/ogg", "opus": "audio/ogg",
    "wav": "audio/wav", "webm": "audio/webm",
}


class Upload(msgspec.Struct, frozen=True):
    """A request whose body is sent piece by piece.

    Attributes
    ----------
    request : HttpRequest
        With an empty body, and the ``Content-Length`` of the one to send.
    body : MultipartBody
        Iterate over it for the pieces. A file is opened when its turn comes, and again for another attempt.
    """

    request: HttpRequest
    body: MultipartBody


class _File:
    """The pieces of a file, read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while piece := file.read(_READ_SIZE):
                yield piece


def transcription_request(
    audio: Audio | None = None, *, api_key: str | None, model: str, filename: str | None = None,
    content_type: str | None = None, rate: int | None = None, url: str | None = None, dialect: Dialect = OPENAI,
    base_url: str | None = None, organization: str | None = None, project: str | None = None,
    extra_headers: HeadersLike = (), extra_body: Mapping[str, Any] | None = None, boundary: str | None = None,
    chunking_strategy: str | Mapping[str, Any] | None = None, include: Sequence[str] | None = None,
    keywords: Sequence[str] | None = None, known_speaker_names: Sequence[str] | None = None,
    known_speaker_references: Sequence[str] | None = None, language: str | None = None,
    languages: Sequence[str] | None = None, prompt: str | None = None, response_format: str | None = None,
    stream: bool | None = None, temperature: float | None = None, timestamp_granularities: Sequence[str] | None = None,
) -> HttpRequest:
    """The request that has a recording transcribed.

    Parameters
    ----------
    audio : bytes-like, path-like, or array of samples
        The content of a file, a file to read, or samples (int16 or float; frames, or frames x channels), of which a
        WAV is made.
    api_key : str or None
        None for a server that wants none.
    model : str
    filename, content_type : str, optional
        What the form says of the file; its name must have the extension of its format. Without them they come from the
        path, or from the first bytes of the audio.
    rate : int, optional
        Samples a second, where `audio` is samples.
    url : str, optional
        A recording on the web in place of `audio`, where the dialect has that (Groq).
    dialect : Dialect
        How the server differs from OpenAI; an option that it does not have is refused.
    base_url, organization, project, extra_headers, extra_body : optional
        As in the openai client.
    boundary : str, optional
        Of the multipart form; random without it.
    chunking_strategy, include, keywords, known_speaker_names, known_speaker_references : optional
    language, languages, prompt, response_format, stream, temperature, timestamp_granularities : optional
        The fields of the interface, with the names of the openai client. None leaves a field out.

    Raises
    ------
    LocalProtocolError
        An option that the dialect does not have, no or too much audio, or no key where one is needed.
    """
    upload = transcription_upload(**locals())
    return msgspec.structs.replace(upload.request, headers=upload.request.headers[:-1], body=bytes(upload.body))


def transcription_upload(
    audio: Audio | None = None, *, api_key: str | None, model: str, filename: str | None = None,
    content_type: str | None = None, rate: int | None = None, url: str | None = None, dialect: Dialect = OPENAI,
    base_url: str | None = None, organization: str | None = None, project: str | None = None,
    extra_headers: HeadersLike = (), extra_body: Mapping[str, Any] | None = None, boundary: str | None = None,
    **fields: Any,
) -> Upload:
    """The same request with a body that is sent piece by piece, as long as the recording may be.

    Takes what `transcription_request` takes. A path is not read before the body is iterated over.
    """
    unknown = fields.keys() - set(FIELDS)
    if unknown:
        raise TypeError(f"unknown option {min(unknown)!r}")
    fields = {name: fields[name] for name in FIELDS if fields.get(name) is not None}
    if not model:
        raise LocalProtocolError("model must not be empty")
    missing = [name for name in fields if name not in dialect.fields]
    if missing:
        raise LocalProtocolError(f"{dialect.name} does not have {missing[0]}")
    response_format = fields.get("response_format", "json")
    if response_format not in dialect.response_formats:
        raise LocalProtocolError(f"response_format {response_format!r} is not one of those that {dialect.name} has: "
                                 f"{', '.join(sorted(dialect.response_formats))}")
    options = {"model": model, **fields, **(extra_body or {})}
    form: list[tuple[str, str] | FilePart] = [field for item in options.items() for field in _flattened(*item)]
    if (audio is None) == (url is None):
        raise LocalProtocolError("give either audio or url")
    if url is None:
        form.append(_file_part(audio, rate, filename, content_type, dialect))
    elif dialect.url_field is None:
        raise LocalProtocolError(f"{dialect.name} takes no url, only audio")
    else:
        form.append((dialect.url_field, url))
    body = encode_multipart(form, boundary=boundary)
    headers = [*authorization(api_key, dialect, organization=organization, project=project),
               *header_pairs(extra_headers), ("Content-Type", body.content_type),
               ("Content-Length", str(body.content_length))]
    address = (base_url or dialect.base_url).rstrip("/") + "/audio/transcriptions"
    return Upload(HttpRequest("POST", address, headers), body)


def authorization(api_key: str | None, dialect: Dialect, *, organization: str | None = None,
                  project: str | None = None) -> list[tuple[str, str]]:
    """The header fields that say who asks."""
    if api_key is None and dialect.key_required:
        raise LocalProtocolError(f"{dialect.name} needs an api_key")
    headers = []
    for option, value, name, scheme in (("api_key", api_key, "Authorization", "Bearer "),
                                        ("organization", organization, "OpenAI-Organization", ""),
                                        ("project", project, "OpenAI-Project", "")):
        if value is not None:
            if not isinstance(value, str):
                raise TypeError(f"{option} must be str, not {type(value).__name__}")
            if not (value and value.isascii() and value.isprintable()):
                raise LocalProtocolError(f"{option} must be printable ASCII, and is not")
            headers.append((name, scheme + value))
    return headers


def _flattened(name: str, value: Any) -> list[tuple[str, str]]:
    """An option as form fields."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [field for key, item in value.items() for field in _flattened(f"{name}[{key}]", item)]
    if isinstance(value, (list, tuple)):
        return [field for item in value for field in _flattened(f"{name}[]", item)]
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    if isinstance(value, (str, int, float)):
        return [(name, str(value))]
    raise TypeError(f"{name} must be text, a number, a truth value, or a list or mapping of those, "
                    f"not {type(value).__name__}")


def _file_part(audio: Any, rate: int | None, filename: str | None, content_type: str | None,
               dialect: Dialect) -> FilePart:
    content: bytes | _File
    if isinstance(audio, os.PathLike):
        path = Path(audio)
        content, length = _File(path), path.stat().st_size
        filename = filename or path.name
    else:
        content = as_recording(audio, rate=rate)
        length = len(content)
    if not length:
        raise LocalProtocolError("the audio is empty")
    if dialect.max_file_size is not None and length > dialect.max_file_size:
        raise LocalProtocolError(f"the audio has {length} bytes, and {dialect.name} takes {dialect.max_file_size}")
    if not filename and isinstance(content, bytes):
        recording = probe(content)
        filename = f"audio.{recording.container}" if recording else None
    filename = filename or "upload"
    guess = _MEDIA_TYPES.get(filename.rpartition(".")[2].lower(), "application/octet-stream")
    return FilePart("file", filename, content, content_type or guess, length)
