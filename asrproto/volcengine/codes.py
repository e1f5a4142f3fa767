"""Status codes: what each means and whether the same request may succeed later.

Sources: the vendor's pages on big-model streaming, recorded files (both use eight digits) and the older streaming
interface (four digits). Codes marked "reported" are not in those pages but come back from the live service.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from asrproto._redact import redact
from asrproto.errors import ServiceError

__all__ = ["BIG_MODEL_CODES", "LEGACY_CODES", "LEGACY_OK", "OK", "PENDING", "SILENCE", "Code", "find_code",
           "service_error"]


class Code(msgspec.Struct, frozen=True):
    """One status code.

    Attributes
    ----------
    number : int
    meaning, meaning_zh : str
        In English, and as the vendor's table has it.
    retryable : bool
        Whether the same request may succeed later, unchanged.
    advice : str or None
        The usual cause and what to do about it.
    """

    number: int
    meaning: str
    meaning_zh: str
    retryable: bool = False
    advice: str | None = None


OK = 20000000
SILENCE = 20000003
PENDING = frozenset({20000001, 20000002})
"""Recorded files: ask again later."""
LEGACY_OK = 1000


def _table(*codes: Code) -> dict[int, Code]:
    return {code.number: code for code in codes}


BIG_MODEL_CODES = _table(
    Code(OK, "success", "成功"),
    Code(20000001, "being processed", "正在处理中"),
    Code(20000002, "waiting in the queue", "任务在队列中"),
    Code(SILENCE, "the audio is silent", "静音音频", advice="Do not ask again; submit a recording with speech in it."),
    Code(45000000, "refused", "通用错误",
         advice="Often a wrong sequence: the request is 1, audio counts from 2, and the last packet's is negated."),
    Code(45000001, "bad parameters", "请求参数无效",
         advice="A field is missing or has a wrong value, or the request id was used before."),
    Code(45000002, "empty audio", "空音频", advice="No audio arrived: check that packets are sent and not empty."),
    Code(45000010, "bad key", "鉴权失败", advice="Check the app id and access token, or the API key. (reported)"),
    Code(45000030, "resource not granted", "资源未授权",
         advice="Open the service in the console, and send its X-Api-Resource-Id, not the instance's id. (reported)"),
    Code(45000081, "no packet arrived in time", "等包超时",
         advice="Send audio as fast as it is spoken, and mark the last packet."),
    Code(45000151, "bad audio format", "音频格式不正确",
         advice="The audio is not what `format`, `codec`, `rate`, `bits` and `channel` declare."),
    Code(45000292, "quota exhausted", "配额超限", advice="Ask for more in the console. (reported)"),
    Code(55000031, "server busy", "服务器繁忙", retryable=True, advice="Overloaded: try again after a while."),
)

LEGACY_CODES = _table(
    Code(LEGACY_OK, "success", "成功"),
    Code(1001, "bad parameters", "请求参数无效",
         advice="A field is missing or has a wrong value, or the reqid was used before."),
    Code(1002, "no access", "无访问权限", advice="Check appid, token and cluster, and that the service is open."),
    Code(1003, "too many requests", "访问超频", retryable=True, advice="Over the allowed rate: slow down."),
    Code(1004, "quota exhausted", "访问超额", advice="Ask for more in the console."),
    Code(1005, "server busy", "服务器繁忙", retryable=True, advice="Overloaded: try again after a while."),
    Code(1010, "audio too long", "音频过长"),
    Code(1011, "audio too large", "音频过大"),
    Code(1012, "bad audio format", "音频格式无效",
         advice="The audio is not what `format`, `codec`, `rate`, `bits` and `channel` declare."),
    Code(1013, "the audio is silent", "音频静音"),
    Code(1020, "timed out waiting for recognition", "识别等待超时", retryable=True),
    Code(1021, "timed out during recognition", "识别处理超时", retryable=True),
    Code(1022, "recognition failed", "识别错误"),
    Code(1099, "unknown error", "未知错误"),
)

_SERVER_SIDE = Code(550, "internal error", "服务内部处理错误", retryable=True, advice="Try again after a while.")
_UNKNOWN = Code(0, "unknown code", "未知错误码")


def find_code(number: int) -> Code:
    """What `number` means; all of 55xxxxxx (550xxxx in some tables) are errors of the server's own."""
    known = BIG_MODEL_CODES.get(number) or LEGACY_CODES.get(number)
    if known is None:
        server_side = 55_000_000 <= number <= 55_999_999 or 5_500_000 <= number <= 5_509_999
        known = msgspec.structs.replace(_SERVER_SIDE if server_side else _UNKNOWN, number=number)
    return known


_LONGEST = 4000  # characters of the service's words that an error keeps


def service_error(number: int, message: str, *, request_id: str | None, secrets: Iterable[str | None]) -> ServiceError:
    """The refusal that `number` and the service's own words make, with nothing of `secrets` left in it."""
    code = find_code(number)
    return ServiceError(redact(message, secrets)[:_LONGEST] or code.meaning, code=str(number), retryable=code.retryable,
                        request_id=request_id, advice=code.advice)
