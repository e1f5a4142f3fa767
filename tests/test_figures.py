"""The figures in README and docs are those of ``benchmarks/results``, and how they are compared is right."""

from __future__ import annotations

import random

import pytest

render = pytest.importorskip("benchmarks.render", reason="benchmarks are not installed with the package")
measuring = pytest.importorskip("benchmarks.measuring")


def test_pages_and_plots_show_the_committed_results() -> None:
    assert render.stale() == []


def test_every_region_is_closed() -> None:
    for page in render.PAGES:
        path = render.ROOT / page
        text = path.read_text("utf-8") if path.exists() else ""
        assert text.count("<!-- figures: ") == text.count("<!-- end of figures -->") == len(render.REGION.findall(text))


@pytest.mark.parametrize(("value", "shown"), [(0.5, "0.5"), (1.234, "1.23"), (99.96, "100"), (1234.5, "1,234")])
def test_significant(value: float, shown: str) -> None:
    assert render.significant(value) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(2.0, "2 s"), (0.0125, "12.5 ms"), (7.96e-6, "7.96 µs"),
                                                (4.2e-8, "42 ns")])
def test_duration(seconds: float, shown: str) -> None:
    assert render.duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_the_interval_holds_the_true_median_19_times_in_20() -> None:
    chance = random.Random(7)
    held = 0
    for _ in range(2000):
        found = measuring.estimate([chance.expovariate(1.0) for _ in range(25)])
        assert found.low <= found.median <= found.high
        held += found.low <= 0.693147 <= found.high
    assert 0.94 <= held / 2000 <= 0.99


def test_ratios_are_taken_within_rounds() -> None:
    """What slows a whole round down does not change the ratio, however different the rounds are."""
    rounds = [1.0, 1.1, 7.0, 1.0, 30.0, 1.2, 0.9]
    times = {"asrproto": [2e-6 * load for load in rounds], "peer": [1e-5 * load for load in rounds]}
    ratio = measuring.ratios(times, "asrproto")["peer"]
    assert ratio == pytest.approx((5.0, 5.0, 5.0))


def test_in_turns_gives_everybody_every_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "BATCH_SECONDS", 1e-4)
    monkeypatch.setattr(measuring, "SECONDS_PER_CONTENDER", 0.0)
    calls = {"one": 0, "other": 0}

    def count(who: str) -> None:
        calls[who] += 1

    times = measuring.in_turns({who: lambda who=who: count(who) for who in calls})
    assert len(times["one"]) == len(times["other"]) == measuring.MIN_ROUNDS
    assert min(map(min, times.values())) > 0
    assert min(calls.values()) > measuring.MIN_ROUNDS
