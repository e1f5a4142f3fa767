"""The page on Transcribe lists every option, as the tables in the code have them, and every advice by its cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrproto.aws.transcribe.failures import EXCEPTIONS
from asrproto.aws.transcribe.operations import CALL_ANALYTICS, FRAMES, MEDICAL, MEDICAL_SCRIBE, STANDARD
from asrproto.aws.transcribe.options import (
    ChannelRoles,
    Choice,
    Flag,
    Integer,
    Kind,
    Option,
    Several,
    StringMap,
    Text,
    keyword,
)

PAGE = Path(__file__).parents[2] / "docs" / "transcribe.md"
SESSIONS = {"S": STANDARD, "M": MEDICAL, "C": CALL_ANALYTICS, "H": MEDICAL_SCRIBE}


def described(kind: Kind) -> str:
    if isinstance(kind, Text):
        return kind.wanted
    if isinstance(kind, Choice):
        return ", ".join(f"`{value}`" for value in kind.values)
    if isinstance(kind, Integer):
        return f"{kind.low} to {kind.high}" if kind.low < kind.high else str(kind.low)
    if isinstance(kind, Several):
        return f"{kind.at_least} or more: {described(kind.each)}"
    if isinstance(kind, ChannelRoles):
        return f"both of {described(Choice(kind.roles))}"
    assert isinstance(kind, Flag | StringMap)
    return "True" if isinstance(kind, Flag) else "mapping of strings"


def condition(option: Option) -> str:
    parts = ["required"] if option.required else []
    for word, names in (("needs", option.needs), ("not with", option.excludes)):
        if names:
            parts.append(f"{word} {' or '.join(f'`{keyword(name)}`' for name in names)}")
    return "; ".join(parts)


def option_table() -> list[str]:
    """Options that are the same in several sessions share a row."""
    rows: dict[tuple[str, str, str], str] = {}
    for letter, operation in SESSIONS.items():
        for option in operation.options:
            row = (f"`{option.keyword}`", described(option.kind), condition(option))
            rows[row] = rows.get(row, "") + letter
    return [f"| {name} | {letters} | {values} | {conditions} |".replace("|  |", "| |")
            for (name, values, conditions), letters in sorted(rows.items())]


@pytest.mark.parametrize("row", option_table())
def test_every_option(row: str) -> None:
    assert row in PAGE.read_text("utf-8").splitlines()


def test_nothing_else_is_called_an_option() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| option |")) + 2
    rows = [line for line in lines[start:lines.index("", start)] if line]
    assert sorted(rows) == sorted(option_table())


def test_exceptions_and_encodings_are_there() -> None:
    page = PAGE.read_text("utf-8")
    assert [name for name in (*EXCEPTIONS, *FRAMES) if f"`{name}`" not in page] == []


if __name__ == "__main__":
    print("\n".join(option_table()))
