"""The requests and responses of recorded files, as pure functions.

The status travels in the headers ``X-Api-Status-Code`` and ``X-Api-Message``; the body of a response is empty until
there is a result. Source: the vendor's pages on recorded files (standard, flash, idle).
"""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from asrproto._json import check_shape, read_json
from asrproto._redact import redact
from asrproto.errors import LocalProtocolError, MalformedFrame, ServiceError
from asrproto.events import Transcript
from asrproto.http import HttpRequest
from asrproto.http.request import find_header, header_pairs
from asrproto.volcengine._options import OptionTable, json_body
from asrproto.volcengine.codes import OK, PENDING, SILENCE, service_error
from asrproto.volcengine.credentials import Credentials, checked_credentials, checked_token
from asrproto.volcengine.options import FLASH, RECORDING, with_json_texts
from asrproto.volcengine.results import Reply, transcripts_of

if TYPE_CHECKING:
    from typing_extensions import Buffer, Unpack

    from asrproto.http.request import HeadersLike
    from asrproto.volcengine.options import FlashOptions, RecordingOptions

__all__ = ["BASE_URL", "Recording", "flash_request", "parse_query", "parse_submit", "query_request", "submit_request"]

BASE_URL = "https://openspeech.bytedance.com/api/v3/auc/bigmodel"

RESOURCE_ID = "volc.bigasr.auc"
IDLE_RESOURCE_ID = "volc.bigasr.auc_idle"
FLASH_RESOURCE_ID = "volc.bigasr.auc_turbo"

MAX_FLASH_SIZE = 100 * 1024 * 1024
"""The most audio that the flash interface takes, in bytes; it must not last longer than two hours either."""


def _request(url: str, credentials: Credentials, resource_id: str, request_id: str | None, body: dict[str, Any], *,
             sequence: bool = True, log_id: str | None = None) -> HttpRequest:
    request_id = checked_token("request_id", str(uuid.uuid4()) if request_id is None else request_id)
    headers = [*checked_credentials(credentials).headers,
               ("X-Api-Resource-Id", checked_token("resource_id", resource_id)), ("X-Api-Request-Id", request_id)]
    if sequence:
        headers.append(("X-Api-Sequence", "-1"))
    if log_id is not None:
        headers.append(("X-Tt-Logid", checked_token("log_id", log_id)))
    headers.append(("Content-Type", "application/json"))
    return HttpRequest("POST", url, headers, json_body(body))


def _document(table: OptionTable, options: Any) -> dict[str, Any]:
    values = with_json_texts(table.arrange(options))
    values.setdefault("request", {}).setdefault("model_name", "bigmodel")
    return table.document(values)


def submit_request(credentials: Credentials, *, request_id: str | None = None, resource_id: str | None = None,
                   idle: bool = False, base_url: str = BASE_URL, **options: Unpack[RecordingOptions]) -> HttpRequest:
    """Ask for a recording to be recognised.

    Parameters
    ----------
    credentials : AppCredentials or ApiKey
    request_id : str, optional
        Names the task; a random UUID unless given. It is asked after under the same id, which the header
        ``X-Api-Request-Id`` of the result shows.
    resource_id : str, optional
        ``"volc.bigasr.auc"`` unless given, ``"volc.bigasr.auc_idle"`` where `idle`.
    idle : bool
        Use the cheaper interface that works when the service has time.
    base_url : str
    **options
        Every field of the request, see `asrproto.volcengine.options.RecordingOptions`; `url` and `format` must be
        given. The service's own defaults differ from streaming: no punctuation unless `enable_punc` is true.
    """
    document = _document(RECORDING, options)
    for name in ("url", "format"):
        if name not in document.get("audio", {}):
            raise LocalProtocolError(f"{name} must be given")
    return _request(f"{base_url}/idle/submit" if idle else f"{base_url}/submit", credentials,
                    resource_id or (IDLE_RESOURCE_ID if idle else RESOURCE_ID), request_id, document)


def query_request(credentials: Credentials, *, request_id: str, resource_id: str | None = None, idle: bool = False,
                  log_id: str | None = None, base_url: str = BASE_URL) -> HttpRequest:
    """Ask how far the task `request_id` is. `log_id` is what the answer to its submission showed, if it did."""
    return _request(f"{base_url}/idle/query" if idle else f"{base_url}/query", credentials,
                    resource_id or (IDLE_RESOURCE_ID if idle else RESOURCE_ID), request_id, {}, sequence=False,
                    log_id=log_id)


def flash_request(credentials: Credentials, recording: Buffer | None = None, /, *, request_id: str | None = None,
                  resource_id: str = FLASH_RESOURCE_ID, base_url: str = BASE_URL,
                  **options: Unpack[FlashOptions]) -> HttpRequest:
    """Have a recording recognised at once.

    Parameters
    ----------
    recording : bytes-like, optional
        A whole file, at most 100 MiB; instead of it `url` may be given (or `data`, the same in base64).
    **options
        See `asrproto.volcengine.options.FlashOptions`.

    The others are those of `submit_request`; `parse_query` reads the answer.
    """
    if recording is not None:
        content = memoryview(recording)
        if content.nbytes > MAX_FLASH_SIZE:
            raise LocalProtocolError(f"audio has {content.nbytes} bytes; the flash interface takes {MAX_FLASH_SIZE}")
        if options.get("data") is not None:
            raise LocalProtocolError("audio and data are the same: give one of them")
        options["data"] = base64.b64encode(content.tobytes()).decode()
    document = _document(FLASH, options)
    given = document.get("audio", {})
    if ("url" in given) == ("data" in given):
        raise LocalProtocolError("either audio or url must be given, and not both")
    return _request(f"{base_url}/recognize/flash", credentials, resource_id, request_id, document)


class Recording(msgspec.Struct, frozen=True):
    """How far a task is, and what was recognised once it is done.

    Attributes
    ----------
    code : int
        20000000 done, 20000001 being processed, 20000002 queued, 20000003 silent.
    message : str
    log_id : str or None
        What the service's support asks for.
    text : str
        All of it.
    transcripts : tuple of Transcript
        One for each utterance where `show_utterances` was asked for, else one for the whole.
    duration : float or None
        Of the audio, in seconds.
    raw : object
        The body of the response.
    """

    code: int
    message: str = ""
    log_id: str | None = None
    text: str = ""
    transcripts: tuple[Transcript, ...] = ()
    duration: float | None = None
    raw: Any = None

    @property
    def pending(self) -> bool:
        """Whether it must be asked after again."""
        return self.code in PENDING

    @property
    def silent(self) -> bool:
        """Whether there was no speech to recognise."""
        return self.code == SILENCE


def _accepted(headers: HeadersLike, body: Buffer, status: int, credentials: Credentials | None) -> Recording:
    """The status that the headers carry, or ServiceError where it is a refusal."""
    pairs = header_pairs(headers)
    log_id = find_header(pairs, "X-Tt-Logid")
    message = find_header(pairs, "X-Api-Message") or ""
    code = (find_header(pairs, "X-Api-Status-Code") or "").strip()
    secrets = credentials.secrets if credentials is not None else ()
    if not code:
        if 200 <= status < 300:
            raise MalformedFrame("the response has no X-Api-Status-Code", reason="status-missing")
        words = bytes(memoryview(body)).decode("utf-8", "replace").strip()
        raise ServiceError(redact(message or words, secrets), code=str(status), request_id=log_id,
                           retryable=status == 429 or status >= 500)
    if not (code.isascii() and code.isdigit() and len(code) <= 10):
        raise MalformedFrame("X-Api-Status-Code is not a number", reason="status-code")
    number = int(code)
    if number != OK and number not in PENDING and number != SILENCE:
        raise service_error(number, message, request_id=log_id, secrets=secrets)
    return Recording(number, message, log_id)


def parse_submit(headers: HeadersLike, body: Buffer = b"", *, status: int = 200,
                 credentials: Credentials | None = None) -> Recording:
    """Read the answer to `submit_request`.

    Parameters
    ----------
    headers : mapping or sequence of (name, value)
    body : bytes-like
    status : int
        Of HTTP.
    credentials : AppCredentials or ApiKey, optional
        Those of the request, so that a refusal which echoes them can be shown.

    Raises
    ------
    ServiceError
        The task was refused; ``.retryable`` says whether to submit it again.
    MalformedFrame
        ``"status-missing"``, ``"status-code"``.
    """
    return _accepted(headers, body, status, credentials)


def parse_query(headers: HeadersLike, body: Buffer = b"", *, status: int = 200,
                credentials: Credentials | None = None) -> Recording:
    """Read the answer to `query_request` or `flash_request`.

    Parameters and errors are those of `parse_submit`; a body that is not as it should be is MalformedFrame too, with
    reason ``"not-json"`` or ``"wrong-shape"``.
    """
    recording = _accepted(headers, body, status, credentials)
    if recording.code != OK:
        return recording
    content = bytes(memoryview(body))
    document = read_json(content, what="the response") if content.strip() else {}
    reply = check_shape(document, Reply, what="the response")
    duration = reply.audio_info.duration if reply.audio_info is not None else None
    return msgspec.structs.replace(
        recording, text=(reply.results[0].text or "") if reply.results else "",
        transcripts=transcripts_of(reply, document), duration=None if duration is None else duration / 1000,
        log_id=recording.log_id or reply.log_id, raw=document)
