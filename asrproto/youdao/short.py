"""Recognition of a short recording in one request: a form with the audio in Base64.

==============  ==================================================================================
q               the recording in Base64, without line breaks
langType        one of `asrproto.youdao.codes.LANGUAGES`
format          wav (16-bit PCM), aac or mp3
rate            samples a second; 16000 is recommended, 8000 is recognised less well
channel         1, no other value is supported
type            1 (Base64), no other value is supported
docType         json
appKey, salt    see `asrproto.youdao.signing`
curtime         the same
signType, sign  the same
==============  ==================================================================================

At most 60 s, and 10 MB in Base64. The reply is ``{"errorCode": "0", "result": ["..."]}``. Source: the vendor's page on
short recognition and its demos in five languages.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

import msgspec

from asrproto._json import check_shape
from asrproto.audio.containers import Recording, as_recording, probe
from asrproto.errors import LocalProtocolError
from asrproto.events import Alternative, Transcript
from asrproto.http import HttpRequest
from asrproto.session import Clock, utc_now
from asrproto.youdao.codes import LANGUAGES
from asrproto.youdao.replies import read_reply
from asrproto.youdao.signing import auth_fields

if TYPE_CHECKING:
    import os
    from mmap import mmap

    from numpy.typing import ArrayLike
    from typing_extensions import Buffer

__all__ = ["ENDPOINT", "FORMATS", "MAX_SECONDS", "MAX_SIZE", "check_language", "check_recording", "form_request",
           "parse_short", "short_request"]

ENDPOINT = "https://openapi.youdao.com/asrapi"
FORMATS = ("wav", "aac", "mp3")
MAX_SECONDS = 60.0
MAX_SIZE = 10 << 20
"""Bytes of a recording in Base64."""

_RATES = (8000, 48000)


class _Reply(msgspec.Struct):
    result: list[str] = []


def short_request(audio: Buffer | os.PathLike[str] | ArrayLike, *, app_key: str, app_secret: str, language: str,
                  format: str | None = None, rate: int | None = None, sign_type: str = "v3", salt: str | None = None,
                  clock: Clock = utc_now, endpoint: str = ENDPOINT) -> HttpRequest:
    """The request that has a short recording recognised.

    Parameters
    ----------
    audio : bytes-like, path-like, or array of samples
        A WAV, AAC or MP3 file's content or path; or mono samples (int16 or float), of which a WAV is made.
    app_key, app_secret : str
    language : str
        A code of `asrproto.youdao.codes.LANGUAGES`.
    format : {"wav", "aac", "mp3"}, optional
        Needed where the first bytes do not tell.
    rate : int, optional
        Samples a second. Needed with samples, or where the first bytes do not tell; otherwise checked against them.
    sign_type : {"v3", "v2", "v1", "v4"}
    salt : str, optional
        A fresh UUID without it.
    clock : callable
        Gives the time of the signature.

    Raises
    ------
    LocalProtocolError
        The service would refuse it: an unknown language, no audio or too much, not 16-bit mono PCM, another format or
        rate than the one named.
    """
    check_language(language)
    content = as_recording(audio, rate=rate)
    recording = check_recording(content, format=format, rate=rate, max_seconds=MAX_SECONDS)
    q = base64.b64encode(content).decode("ascii")
    if len(q) > MAX_SIZE:
        raise LocalProtocolError(f"the audio has {len(q)} bytes in Base64, and the service takes {MAX_SIZE}")
    fields = {"langType": language, "format": recording.container, "rate": str(recording.rate), "channel": "1",
              "type": "1", "docType": "json",
              **auth_fields(app_key, app_secret, sign_type=sign_type, q=q, salt=salt, clock=clock)}
    return form_request(endpoint, fields, q=q)


def check_language(language: str) -> None:
    """LocalProtocolError unless Youdao knows the language."""
    if language not in LANGUAGES:
        raise LocalProtocolError(f"language {language!r} is not in asrproto.youdao.codes.LANGUAGES")


def check_recording(content: bytes | mmap, *, format: str | None, rate: int | None, max_seconds: float) -> Recording:
    """What is known of a recording, after the rules that can be checked; `format` and `rate` are filled in.

    Raises
    ------
    LocalProtocolError
        The service would refuse it.
    """
    if not content:
        raise LocalProtocolError("the audio is empty")
    found = probe(content) or Recording(format or "")
    if format is not None and format not in FORMATS:
        raise LocalProtocolError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    if not found.container:
        raise LocalProtocolError("format is needed: the first bytes of the audio do not tell it")
    if format == "aac" and found.container == "m4a":  # AAC in a box; whether it is taken is the service's to say
        found = Recording("aac")
    if found.container not in FORMATS:
        raise LocalProtocolError(f"the audio is {found.container}, and the service takes {', '.join(FORMATS)}")
    if format is not None and format != found.container:
        raise LocalProtocolError(f"format says {format}, and the audio is {found.container}")
    if found.container == "wav":
        if found.seconds is None:
            raise LocalProtocolError("the WAV header is broken")
        if not found.is_pcm or found.bits != 16:
            raise LocalProtocolError("a WAV must be 16-bit PCM")
    if found.channels not in (None, 1):
        raise LocalProtocolError(f"the audio has {found.channels} channels, and the service takes one")
    if rate is not None and found.rate not in (None, rate):
        raise LocalProtocolError(f"rate says {rate} Hz, and the audio has {found.rate} Hz")
    rate = found.rate or rate
    if rate is None:
        raise LocalProtocolError("rate is needed: the first bytes of the audio do not tell it")
    if not _RATES[0] <= rate <= _RATES[1]:
        raise LocalProtocolError(f"rate must be {_RATES[0]} to {_RATES[1]} Hz, not {rate}")
    if found.seconds == 0:
        raise LocalProtocolError("the audio is empty")
    if found.seconds is not None and found.seconds > max_seconds:
        raise LocalProtocolError(f"the audio lasts {found.seconds:.1f} s, and the service takes {max_seconds:g} s")
    return msgspec.structs.replace(found, rate=rate)


def form_request(url: str, fields: Mapping[str, str], *, q: str | None = None) -> HttpRequest:
    """A form as ``application/x-www-form-urlencoded``; `q` may be long and is Base64 or an id."""
    body = urlencode(fields, quote_via=quote_plus)
    if q is not None:  # of Base64's letters only these three need an escape; quoting each of ten million is slow
        body += "&q=" + q.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return HttpRequest("POST", url, (("Content-Type", "application/x-www-form-urlencoded"),), body.encode("ascii"))


def parse_short(body: Buffer | str, *, status: int = 200, secrets: Iterable[str | None] = ()) -> Transcript:
    """The transcript in the reply; what other readings it has are its `alternatives`.

    Parameters
    ----------
    body : bytes or str
    status : int, optional
        The HTTP status.
    secrets : iterable of str, optional
        Credentials that the service may echo.

    Raises
    ------
    ServiceError
        The service refused; see `asrproto.youdao.codes.ERRORS`.
    MalformedFrame
        The reply is not JSON (reason ``"not-json"``) or not of this shape (``"wrong-shape"``).
    """
    document = read_reply(body, status=status, secrets=secrets)
    readings = check_shape(document, _Reply, what="the reply").result
    return Transcript(readings[0] if readings else "", True, raw=document,
                      alternatives=tuple(Alternative(text) for text in readings[1:]))
