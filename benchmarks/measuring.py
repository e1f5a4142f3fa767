"""How contenders are compared so that the ratio holds on a noisy machine.

All contenders at one piece of work are timed in turns: a round gives each of them one batch of calls of about
`BATCH_SECONDS`, in an order drawn anew for each round. Whatever else the machine does in that moment meets them alike,
so the ratio of their times is taken within each round. The figure given is the median of those ratios, with the
95 % confidence interval of a median (order statistics of the binomial distribution; it assumes no distribution of the
times themselves). Times are the process's CPU time, of all its threads, which does not run while others have the
processor. Garbage collection is off inside a batch.
"""

from __future__ import annotations

import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

BATCH_SECONDS = 0.008
MIN_ROUNDS, MAX_ROUNDS = 7, 41
SECONDS_PER_CONTENDER = 0.4  # of CPU time

Work = Callable[[], Any]


class Estimate(NamedTuple):
    """A median with the 95 % confidence interval around it."""

    median: float
    low: float
    high: float


def estimate(values: Sequence[float]) -> Estimate:
    """The median of `values`, with the order statistics between which it lies in 95 of 100 cases."""
    ordered = sorted(values)
    n = len(ordered)
    reach = 0.98 * math.sqrt(n)
    return Estimate(statistics.median(ordered), ordered[max(0, math.floor(n / 2 - reach))],
                    ordered[min(n - 1, math.ceil(n / 2 + reach))])


def seconds(function: Work, calls: int) -> float:
    """The CPU time that `calls` calls take."""
    turns = range(calls)
    started = time.process_time()
    for _ in turns:
        function()
    return time.process_time() - started


def calls_in_a_batch(function: Work) -> int:
    """How many calls fill a batch; the calls that it takes to find out are the warm-up."""
    calls = 1
    while (taken := seconds(function, calls)) < BATCH_SECONDS:
        calls = max(2 * calls, min(16 * calls, round(calls * BATCH_SECONDS / max(taken, 1e-9))))
    return calls


def in_turns(contenders: Mapping[str, Work]) -> dict[str, list[float]]:
    """Seconds for each call of each contender, one value a round; the same index is the same round."""
    order = random.Random(20)
    gc.collect()
    gc.disable()
    try:
        calls = {who: calls_in_a_batch(function) for who, function in contenders.items()}
        times: dict[str, list[float]] = {who: [] for who in contenders}
        until = time.process_time() + SECONDS_PER_CONTENDER * len(contenders)
        for finished in range(MAX_ROUNDS):
            if finished >= MIN_ROUNDS and time.process_time() > until:
                break
            for who in order.sample(list(contenders), len(contenders)):
                times[who].append(seconds(contenders[who], calls[who]) / calls[who])
                gc.collect(0)
    finally:
        gc.enable()
    return times


def ratios(times: Mapping[str, Sequence[float]], of: str) -> dict[str, Estimate]:
    """For each other contender, how many times as long as `of` it takes."""
    return {who: estimate([theirs / ours for theirs, ours in zip(values, times[of], strict=True)])
            for who, values in times.items() if who != of}
