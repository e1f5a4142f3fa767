"""A fake of the recorded-files service: submit, query, flash, and the idle pair."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from asrproto._json import read_json
from asrproto.errors import RemoteProtocolError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.service import checked_code
from asrproto.testing.volcengine._hearing import EPOCH, Refusal, hear_wav, new_log_id
from asrproto.testing.volcengine.streaming import check_keys
from asrproto.volcengine.codes import BIG_MODEL_CODES, OK, SILENCE, find_code
from asrproto.volcengine.credentials import Credentials

__all__ = ["RecordingService"]

_BASE_PATH = "/api/v3/auc/bigmodel"


def _response(code: int, message: str, document: Any, log_id: str) -> HttpResponse:
    headers = (("X-Tt-Logid", log_id), ("X-Api-Status-Code", str(code)), ("X-Api-Message", message))
    return HttpResponse(200, headers, b"" if document is None else json.dumps(document).encode())


class RecordingService:
    """Recorded files, of which it knows some by their URLs.

    Parameters
    ----------
    recognisers : callable
        Makes a recogniser for a sample rate.
    recordings : mapping of str to bytes
        WAV files by URL.
    credentials : AppCredentials or ApiKey
        What a client must show.
    submit_codes, query_codes : iterable of int
        Codes to answer first, in turn, before answering as things are: 55000031, or 20000002 twice.
    """

    def __init__(self, recognisers: RecogniserFactory, *, recordings: Mapping[str, bytes], credentials: Credentials,
                 submit_codes: Iterable[int] = (), query_codes: Iterable[int] = ()) -> None:
        self._recognisers = recognisers
        self._recordings = dict(recordings)
        self._credentials = credentials
        self._submit_codes = list(submit_codes)
        self._query_codes = list(query_codes)
        self._tasks: dict[tuple[str, str], dict[str, Any] | None] = {}  # by interface and id: the result

    error_codes = tuple(str(code) for code in BIG_MODEL_CODES if code != OK)

    def refusal(self, code: str) -> HttpResponse:
        """The answer to a request that is refused with `code`, or put off."""
        checked_code(code, self.error_codes)
        return _response(int(code), find_code(int(code)).meaning, None, new_log_id(EPOCH))

    def respond(self, request: HttpRequest, *, at: datetime) -> HttpResponse:
        log_id = new_log_id(at)
        try:
            code, document = self._answer(request)
            message = "OK" if code == OK else find_code(code).meaning
        except Refusal as refusal:
            code, message, document = refusal.code, refusal.message, None
        return _response(code, message, document, log_id)

    def _answer(self, request: HttpRequest) -> tuple[int, dict[str, Any] | None]:
        path = urlsplit(request.url).path
        action = path.removeprefix(_BASE_PATH)
        if request.method != "POST" or action == path:
            raise Refusal(45000001, f"no such interface: {request.method} {path}")
        check_keys(request, self._credentials, None)
        request_id = request.header("X-Api-Request-Id")
        if not request_id:
            raise Refusal(45000001, "X-Api-Request-Id is missing")
        try:
            document = read_json(request.body)
        except RemoteProtocolError as error:
            raise Refusal(45000001, str(error)) from None
        if action == "/recognize/flash":
            return self._recognise(document)
        family, _, verb = action.rpartition("/")
        if verb == "submit" and family in ("", "/idle"):
            return self._submit(request, (family, request_id), document)
        if verb == "query" and family in ("", "/idle"):
            return self._query((family, request_id), document)
        raise Refusal(45000001, f"no such interface: {path}")

    def _submit(self, request: HttpRequest, task: tuple[str, str], document: Any) -> tuple[int, None]:
        if request.header("X-Api-Sequence") != "-1":
            raise Refusal(45000001, "X-Api-Sequence must be -1")
        if task in self._tasks:
            raise Refusal(45000001, f"duplicate request: {task[1]}")
        if self._submit_codes and (code := self._submit_codes.pop(0)) != OK:
            return code, None
        self._tasks[task] = self._recognise(document)[1]
        return OK, None

    def _query(self, task: tuple[str, str], document: Any) -> tuple[int, dict[str, Any] | None]:
        if document != {}:
            raise Refusal(45000001, "the body of a query must be {}")
        if task not in self._tasks:
            raise Refusal(45000001, f"no such task: {task[1]}")
        if self._query_codes and (code := self._query_codes.pop(0)) != OK:
            return code, None
        result = self._tasks[task]
        return (SILENCE, None) if result is None else (OK, result)

    def _recognise(self, document: Any) -> tuple[int, dict[str, Any] | None]:
        try:
            audio, options = document["audio"], document["request"]
            format, model, shows = audio.get("format", "wav"), options["model_name"], options.get("show_utterances")
            url, data = audio.get("url"), audio.get("data")
        except (KeyError, TypeError, AttributeError):
            raise Refusal(45000001, "audio and request.model_name are required") from None
        if model != "bigmodel":
            raise Refusal(45000001, f"unknown model_name: {model}")
        if format != "wav":
            raise Refusal(45000151, f"this fake hears wav, not {format}")
        if isinstance(data, str):
            try:
                content = base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                raise Refusal(45000151, "audio.data is not base64") from None
        elif isinstance(url, str) and url in self._recordings:
            content = self._recordings[url]
        else:
            raise Refusal(45000001, f"cannot fetch {url}")
        result = hear_wav(content, self._recognisers, utterances=shows is True)
        return (SILENCE, None) if result is None else (OK, result)
