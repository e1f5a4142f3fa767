"""The vendor's tables, as its page on short recognition prints them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
Rows = list[list[str]]


@pytest.fixture(scope="session")
def vendor_table() -> Callable[[str], Rows]:
    """Gives the rows of a table, without its header."""
    def rows(name: str) -> Rows:
        lines = (DATA / f"{name}.txt").read_text("utf-8").splitlines()
        return [[cell.strip() for cell in line.rstrip().removesuffix("|").split("|")] for line in lines[2:]]

    return rows
