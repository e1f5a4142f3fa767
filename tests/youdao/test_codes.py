"""The tables in asrproto.youdao.codes against the vendor's own, copied row by row into data/."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asrproto.youdao.codes import ERRORS, LANGUAGES, service_error

Table = Callable[[str], list[list[str]]]


def test_every_error(vendor_table: Table) -> None:
    table = vendor_table("errors")
    assert len(table) == len(ERRORS) == 132
    for code, chinese in table:
        assert (ERRORS[code].code, ERRORS[code].chinese) == (code, chinese)
        assert ERRORS[code].english.isascii()
    assert list(ERRORS) != sorted(ERRORS)  # grouped by meaning: one Chinese text, one English
    by_text: dict[str, set[tuple[str, bool]]] = {}
    for error in ERRORS.values():
        by_text.setdefault(error.chinese, set()).add((error.english, error.retryable))
    assert all(len(meanings) == 1 for meanings in by_text.values())


def test_what_asks_for_another_attempt_is_retryable() -> None:
    for error in ERRORS.values():
        if "请稍后访问" in error.chinese or "访问频率受限" in error.chinese:
            assert error.retryable
    assert not any(ERRORS[code].retryable for code in ("101", "202", "206", "207", "401", "3007", "3008"))


def test_every_language(vendor_table: Table) -> None:
    table = vendor_table("languages")
    assert len(table) == len(LANGUAGES) == 42
    for english, chinese, code in table:
        assert (LANGUAGES[code].code, LANGUAGES[code].english, LANGUAGES[code].chinese) == (code, english, chinese)


def test_tables_are_read_only() -> None:
    for table in (ERRORS, LANGUAGES):
        with pytest.raises(TypeError):
            table["0"] = None  # type: ignore[index]


def test_service_error() -> None:
    error = service_error("411")
    assert (error.code, error.retryable) == ("411", True)
    assert "访问频率受限,请稍后访问" in str(error)
    assert "rate limit" in str(error)
    assert str(service_error("123456", "new", request_id="r1")) == "123456: new (request id r1)"
    assert "extra words" in str(service_error("202", "extra words"))
