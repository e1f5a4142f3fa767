"""``python -m fuzz``: run targets, replay inputs, keep the count of what each has seen without a finding."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from fuzz.driver import Finding, drive, run_one, save
from fuzz.harness import CORPUS, Target
from fuzz.targets import TARGETS

SEEN = Path(__file__).parent / "inputs.json"


def read_seen() -> dict[str, dict[str, int]]:
    return json.loads(SEEN.read_text()) if SEEN.exists() else {}


def record(name: str, engine: str, inputs: int | None) -> None:
    """Add to the count of a target; None, a finding, sets it back to nothing."""
    seen = read_seen()
    counts = {} if inputs is None else seen.get(name, {})
    if inputs is not None:
        counts[engine] = counts.get(engine, 0) + inputs
    seen[name] = dict(sorted(counts.items()))
    SEEN.write_text(json.dumps(dict(sorted(seen.items())), indent=1) + "\n")


def with_atheris(target: Target, runs: int | None, seconds: float | None) -> int | None:
    """Run in a process of its own, since libFuzzer ends the one it runs in; None for a finding."""
    options = [] if runs is None else [f"-runs={runs}"]
    options += [] if seconds is None else [f"-max_total_time={seconds:.0f}"]
    with tempfile.TemporaryDirectory() as new:
        done = subprocess.run([sys.executable, "-m", "fuzz.coverage_guided", target.name, *options, new,
                               str(CORPUS / target.name)], capture_output=True, text=True, errors="replace")
    count = re.search(r"^Done (\d+) (?:runs )?in", done.stderr, re.M)
    if done.returncode or not count:
        print(done.stderr[-6000:])
        return None
    return int(count[1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all unless given, see --list")
    parser.add_argument("--list", action="store_true", help="name the targets and how many seeds each has")
    parser.add_argument("--runs", type=int, help="inputs for each target; 10000 unless --seconds is given")
    parser.add_argument("--seconds", type=float, help="time for each target")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other inputs")
    parser.add_argument("--engine", choices=("builtin", "atheris"), default="builtin")
    parser.add_argument("--record", action="store_true", help=f"add the counts to {SEEN.name}")
    parser.add_argument("--replay", metavar="FILE", nargs="+", help="run one target once on each of these files")
    options = parser.parse_args()
    if unknown := set(options.targets) - TARGETS.keys():
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    chosen = [TARGETS[name] for name in options.targets or TARGETS]
    if options.list:
        for target in chosen:
            print(f"{target.name:<32}{len(target.seeds):>4} seeds")
        return 0
    if options.replay:
        for path in options.replay:
            print(path, *(run_one(target, Path(path).read_bytes()) for target in chosen))
        return 0
    if options.runs is None and options.seconds is None:
        options.runs = 10_000
    findings = 0
    for target in chosen:
        started = time.perf_counter()
        count: int | None = None
        try:
            if options.engine == "atheris":
                count = with_atheris(target, options.runs, options.seconds)
            else:
                count = drive(target, runs=options.runs, seconds=options.seconds, seed=options.seed)
        except Finding as finding:
            traceback.print_exception(finding.__cause__)
            print(f"{target.name}: FINDING, kept in {save(finding)}", flush=True)
        findings += count is None
        if count is not None:
            passed = time.perf_counter() - started
            print(f"{target.name}: {count:,} inputs in {passed:.1f} s, no finding", flush=True)
        if options.record:
            record(target.name, options.engine, count)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
