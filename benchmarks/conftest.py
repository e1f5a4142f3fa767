"""Every benchmark names its work and who does it; the closing table sets asrproto against each peer as a ratio.

A benchmark asks for the fixture ``contest`` and calls it once::

    @pytest.mark.parametrize("who", ["asrproto", "botocore"])
    def test_decode(contest, who):
        contest("decode 1.7 KB frames, 64 KB feeds", who, CONTENDERS[who], at_least={"botocore": 40})

The ratio is (peer's time) / (asrproto's time): above 1 asrproto is the faster one. ``at_least`` is the project's own
target; it is printed, not asserted, since a shared machine may be busy.

Two ways to run them:

``pytest benchmarks/bench_x.py``
    pytest-benchmark's own figures, one contender after the other; with pytest-codspeed in its place, ``--codspeed``.
``pytest benchmarks --benchmark-disable --in-turns`` (a part of ``make bench``)
    Each contender is called once and remembered; when a file's benchmarks are through, those at the same work are
    timed in turns (see `benchmarks.measuring`) and ``benchmarks/results/NAME.json`` is written for ``bench_NAME.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks import measuring, results

OURS = "asrproto"


class Row(NamedTuple):
    """One line of the closing table."""

    work: str
    ours: float
    peer: str
    theirs: float
    ratio: str
    target: float | None


class Contests:
    """What has been measured so far."""

    def __init__(self, *, in_turns: bool) -> None:
        self.in_turns = in_turns
        self.waiting: dict[str, dict[str, measuring.Work]] = defaultdict(dict)
        self.targets: dict[str, Mapping[str, float]] = {}
        self.rows: list[Row] = []

    def enter(self, work: str, who: str, function: measuring.Work, targets: Mapping[str, float]) -> None:
        if who == OURS:
            self.targets[work] = targets
        if self.in_turns:
            self.waiting[work][who] = function

    def hold(self, name: str) -> None:
        """Time all that have entered since the last time, and write ``name.json``."""
        contests, self.waiting = self.waiting, defaultdict(dict)
        figures = [self._hold(work, contenders) for work, contenders in contests.items()]
        if figures:
            results.write(name, figures)

    def _hold(self, work: str, contenders: Mapping[str, measuring.Work]) -> dict[str, Any]:
        times = measuring.in_turns(contenders)
        seconds = {who: measuring.estimate(values) for who, values in times.items()}
        ratios = measuring.ratios(times, OURS) if OURS in contenders else {}
        targets = self.targets.get(work, {})
        for peer, ratio in ratios.items():
            self.rows.append(Row(work, seconds[OURS].median, peer, seconds[peer].median,
                                 f"{ratio.median:.2f}× ({ratio.low:.2f} to {ratio.high:.2f})", targets.get(peer)))
        return {"work": work, "rounds": len(next(iter(times.values()))),
                "seconds": {who: value._asdict() for who, value in seconds.items()},
                "ratios": {who: value._asdict() for who, value in ratios.items()}, "targets": dict(targets)}


_CONTESTS = pytest.StashKey[Contests]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--in-turns", action="store_true", help="time the contenders at each work in turns; write JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_CONTESTS] = Contests(in_turns=config.getoption("--in-turns"))


@pytest.fixture
def contest(benchmark: Any, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Measure one contender at one piece of work and note it for the closing table."""

    def run(work: str, who: str, function: Callable[[], Any], *, at_least: Mapping[str, float] | None = None) -> Any:
        benchmark.group = work
        benchmark.extra_info["who"] = who
        request.config.stash[_CONTESTS].enter(work, who, function, at_least or {})
        return benchmark(function)

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is None or nextitem.path != item.path:  # while the fixtures of the file still stand
        item.config.stash[_CONTESTS].hold(Path(item.path).stem.removeprefix("bench_"))


def _duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _rows_one_after_the_other(config: pytest.Config, targets: Mapping[str, Mapping[str, float]]) -> list[Row]:
    """The rows from pytest-benchmark's own medians."""
    session = getattr(config, "_benchmarksession", None)
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for bench in session.benchmarks if session else ():
        if "who" in bench.extra_info and bench.stats.rounds:
            groups[bench.group][bench.extra_info["who"]] = bench.stats.median
    return [Row(work, medians[OURS], who, median, f"{median / medians[OURS]:.2f}×", targets.get(work, {}).get(who))
            for work, medians in groups.items() if OURS in medians
            for who, median in medians.items() if who != OURS]


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    contests = config.stash[_CONTESTS]
    rows = contests.rows or _rows_one_after_the_other(config, contests.targets)
    if not rows:
        return
    lines = [("work", OURS, "peer", "peer's time", "ratio", "target")]
    lines += [(row.work, _duration(row.ours), row.peer, _duration(row.theirs), row.ratio,
               f"{row.target:g}×" if row.target else "") for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    terminalreporter.section("asrproto against its peers (medians)")
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        terminalreporter.line("  ".join(cells).rstrip())
