"""The fuzz targets: every input of the corpus, a short run of each, and that a finding is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrproto.errors import MalformedFrame
from fuzz.driver import Finding, drive, save
from fuzz.harness import CORPUS, Target, execute
from fuzz.targets import TARGETS

INPUTS = sorted(path for path in CORPUS.rglob("*") if path.is_file())
SHORT = 500


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_corpus(path: Path) -> None:
    execute(TARGETS[path.parent.name], path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_short_run(name: str) -> None:
    assert TARGETS[name].seeds, "a target needs seeds; see fuzz/seeds.py"
    assert drive(TARGETS[name], runs=SHORT, seconds=None) == SHORT


def wanting(data: bytes) -> int:
    if b"\x07" in data:
        raise MalformedFrame("seven", reason="seven", offset=data.index(b"\x07"))
    return 100 // (len(data) - 3) if b"{" in data else len(data)


def test_a_fault_is_found_again_and_kept(tmp_path: Path) -> None:
    target = Target("wanting", wanting)
    found = []
    for _ in range(2):
        with pytest.raises(Finding) as caught:
            drive(target, runs=200_000, seconds=None)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        found.append(caught.value.data)
    assert found[0] == found[1]
    assert save(caught.value, tmp_path).read_bytes() == found[0]


@pytest.mark.parametrize(("reason", "offset"), [("Not A Code", 0), ("", None), ("code", 4), ("code", -1)])
def test_an_error_without_a_stable_code_or_with_a_wrong_place_is_a_finding(reason: str, offset: int | None) -> None:
    def read(data: bytes) -> int:
        raise MalformedFrame("no", reason=reason, offset=offset)

    with pytest.raises(AssertionError):
        execute(Target("careless", read), b"abc")
