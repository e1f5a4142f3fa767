"""Every benchmark names its work and who does it; the closing table sets asrproto against each peer as a ratio.

A benchmark asks for the fixture ``contest`` and calls it once::

    @pytest.mark.parametrize("who", ["asrproto", "botocore"])
    def test_decode(contest, who):
        contest("decode 1.7 KB frames, 64 KB feeds", who, CONTENDERS[who], at_least={"botocore": 40})

The ratio is (peer's median time) / (asrproto's median time): above 1 asrproto is the faster one. ``at_least`` is the
project's own target; it is printed, not asserted, since a shared machine may be busy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import pytest

OURS = "asrproto"


@pytest.fixture
def contest(benchmark: Any) -> Callable[..., Any]:
    """Measure one contender at one piece of work and note it for the closing table."""

    def run(work: str, who: str, function: Callable[[], Any], *, at_least: Mapping[str, float] | None = None) -> Any:
        benchmark.group = work
        benchmark.extra_info.update(who=who, at_least=dict(at_least or {}))
        return benchmark(function)

    return run


def _duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    session = getattr(config, "_benchmarksession", None)
    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    for bench in session.benchmarks if session else ():
        if "who" in bench.extra_info and bench.stats.rounds:
            groups[bench.group][bench.extra_info["who"]] = bench
    rows = []
    for work, contenders in groups.items():
        if OURS not in contenders:
            continue
        ours = contenders[OURS].stats.median
        targets = contenders[OURS].extra_info["at_least"]
        for who, bench in contenders.items():
            if who != OURS:
                target = targets.get(who)
                rows.append((work, _duration(ours), who, _duration(bench.stats.median),
                             f"{bench.stats.median / ours:.2f}×", f"{target:g}×" if target else ""))
    if rows:
        header = ("work", OURS, "peer", "peer's time", "ratio", "target")
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        terminalreporter.section("asrproto against its peers (medians)")
        for row in [header, *rows]:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            terminalreporter.line("  ".join(cells).rstrip())
