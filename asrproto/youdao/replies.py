"""What every reply of Youdao's has in common: ``errorCode``, ``"0"`` where all is well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from asrproto._json import read_json
from asrproto._redact import redact
from asrproto.errors import MalformedFrame, ServiceError
from asrproto.youdao.codes import service_error

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["error_in", "read_reply", "refusal"]

_MAX_WORDS = 300


def read_reply(body: Buffer | str, *, status: int = 200, secrets: Iterable[str | None] = ()) -> dict[str, Any]:
    """The document in `body`.

    Raises
    ------
    ServiceError
        Its error code is not zero, or the HTTP status is a refusal without one.
    MalformedFrame
        It is not JSON (reason ``"not-json"``), or has no error code (``"wrong-shape"``).
    """
    if status >= 400:
        raise refusal(body, status, secrets=secrets)
    document = read_json(body, what="the reply")
    error = error_in(document, secrets=secrets)
    if error is not None:
        raise error
    if not isinstance(document, dict) or "errorCode" not in document:
        raise MalformedFrame("the reply has no errorCode", reason="wrong-shape")
    return document


def refusal(body: Buffer | str, status: int, *, secrets: Iterable[str | None] = ()) -> ServiceError:
    """The error that a response with a status of 400 or more tells of, in JSON or not."""
    try:
        error = error_in(read_json(body), secrets=secrets)
    except MalformedFrame:
        error = None
    return error or ServiceError("the service answered without an error code", code=str(status),
                                 retryable=status == 429 or status >= 500)


def error_in(document: Any, *, secrets: Iterable[str | None] = ()) -> ServiceError | None:
    """The error that a reply tells of; None where it tells of none."""
    if not isinstance(document, dict):
        return None
    code = document.get("errorCode")
    if isinstance(code, bool) or not isinstance(code, (str, int)) or str(code) == "0":
        return None
    texts = {name: value for name, value in document.items() if isinstance(value, str)}
    words = texts.get("descCN") or texts.get("desc") or texts.get("msg") or ""
    request_id = texts.get("requestId")
    # redacted before it is cut: half a secret would not be known as one
    return service_error(redact(str(code), secrets), redact(words, secrets)[:_MAX_WORDS],
                         request_id=None if request_id is None else redact(request_id, secrets))
