"""The built-in driver: seeded and deterministic, without instrumentation, so that it runs on every platform.

It mutates what it has, and keeps what made a target say something that it had not said before. Only `seconds` makes a
run depend on the machine.
"""

from __future__ import annotations

import faulthandler
import hashlib
import sys
import time
from collections.abc import Hashable
from pathlib import Path
from random import Random

from fuzz.harness import FINDINGS, Target, execute
from fuzz.mutate import mutate_bytes

__all__ = ["Finding", "drive", "save"]

POOL = 3000
SLOW = 5.0  # seconds for one input that make it a finding
HANG = 120  # seconds after which a hanging process shows where it hangs and dies
BATCH = 1000


class Finding(Exception):
    """An input for which a target did what it must not; the cause says what."""

    def __init__(self, target: Target, data: bytes) -> None:
        super().__init__(f"{target.name}: {len(data)} bytes")
        self.target = target
        self.data = data


def save(finding: Finding, folder: Path = FINDINGS) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{finding.target.name}-{hashlib.sha256(finding.data).hexdigest()[:16]}"
    path.write_bytes(finding.data)
    return path


def run_one(target: Target, data: bytes) -> Hashable:
    started = time.perf_counter()
    try:
        seen = execute(target, data)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise Finding(target, data) from error
    if time.perf_counter() - started > SLOW:
        raise Finding(target, data) from TimeoutError(f"took over {SLOW} s")
    return seen


def drive(target: Target, *, runs: int | None, seconds: float | None, seed: int = 0) -> int:
    """Feed `target` until `runs` inputs or `seconds` are over; the number of inputs. Raises Finding."""
    random = Random(f"{target.name} {seed}")
    pool = target.seeds or [b""]
    seen = {run_one(target, data) for data in pool}
    count = len(pool)
    until = None if seconds is None else time.perf_counter() + seconds
    while (runs is None or count < runs) and (until is None or time.perf_counter() < until):
        if sys.stderr is sys.__stderr__:
            faulthandler.dump_traceback_later(HANG, exit=True)
        for _ in range(BATCH if runs is None else min(BATCH, runs - count)):
            data = random.choice(pool)
            for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
                data = (target.mutate if random.random() < 0.8 else mutate_bytes)(data, random)
            outcome = run_one(target, data)
            count += 1
            if outcome not in seen:
                seen.add(outcome)
                if len(pool) < POOL:
                    pool.append(data)
    faulthandler.cancel_dump_traceback_later()
    return count
