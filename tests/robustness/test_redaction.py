"""Service text that echoes a known credential comes out redacted, even where it is cut short."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from asrproto.errors import ServiceError
from asrproto.openai.errors import parse_error
from asrproto.youdao.replies import refusal

SECRET = "made-up-secret-0123456789abcdef"


def openai(text: str) -> ServiceError:
    return parse_error(401, json.dumps({"error": {"message": text}}).encode(), secrets=[SECRET])


def youdao(text: str) -> ServiceError:
    return refusal(json.dumps({"errorCode": "202", "desc": text, "requestId": text}), 200, secrets=[SECRET])


@pytest.mark.parametrize("refused", [openai, youdao])
@pytest.mark.parametrize("before", [0, 10, *range(270, 300), *range(970, 1000)])
def test_no_part_of_a_secret_is_left(refused: Callable[[str], ServiceError], before: int) -> None:
    error = refused("x" * before + SECRET)
    told = f"{error} {error!r} {error.request_id}"
    assert SECRET[:4] not in told
