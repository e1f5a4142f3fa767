"""One target under Atheris: ``python -m fuzz.coverage_guided TARGET [libFuzzer options] [corpus folders]``.

Atheris follows the branches of the package's Python code; the compiled modules are watched by a sanitizer build instead
(see docs/robustness.md). Its own mutations and those of the target take turns.
"""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["asrproto"]):
    from fuzz.driver import Finding, run_one, save
    from fuzz.targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]

    def test_one_input(data: bytes) -> None:
        try:
            run_one(target, data)
        except Finding as finding:
            print("kept in", save(finding))
            raise

    def custom_mutator(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.5:
            return atheris.Mutate(data, max_size)
        return target.mutate(data, random)[:max_size]

    atheris.Setup(sys.argv, test_one_input, custom_mutator=custom_mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
