"""check_wheel.py WHEEL...: each wheel is small, whole and free of what only the building machine knows.

Exit status 0 if it is so, else 1 with what is wrong on standard error.
"""

from __future__ import annotations

import os
import re
import sys
import zipfile
from pathlib import Path

MAX_BYTES = 2_000_000
SOURCES = (".c", ".h", ".pyx", ".pxd", ".cpp")
HOME = re.compile(rb"/(?:home|root|Users|tmp|private/var)/[\w.-]+/")


def faults(wheel: Path) -> list[str]:
    size = wheel.stat().st_size
    found = [f"{size} bytes are over the limit of {MAX_BYTES}"] if size > MAX_BYTES else []
    kernels = {path.stem for path in Path("_ext").glob("*.pyx")}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        compiled = {Path(name).name.partition(".")[0] for name in names if name.endswith((".so", ".pyd"))}
        found += [f"no compiled {name}" for name in sorted(kernels - compiled)]
        found += [f"no stub of {name}" for name in sorted(kernels) if f"asrproto/_kernels/{name}.pyi" not in names]
        found += [f"{name} does not belong there" for name in names
                  if name.endswith(SOURCES) or not name.startswith(("asrproto/", "asrproto-", "asrproto.libs/"))]
        found += [f"{name} is missing" for name in ("asrproto/py.typed", "asrproto/__init__.py") if name not in names]
        here = os.fsencode(os.getcwd())
        for name in names:
            data = archive.read(name)
            place = HOME.search(data) if name.endswith((".so", ".pyd")) else None
            if here in data or place:
                found.append(f"{name} names a folder of the building machine: {place[0]!r}" if place else
                             f"{name} names the folder it was built in")
    return found


def main(*wheels: str) -> int:
    failed = False
    for wheel in map(Path, wheels):
        wrong = faults(wheel)
        for fault in wrong:
            print(f"{wheel.name}: {fault}", file=sys.stderr)
        failed = failed or bool(wrong)
        if not wrong:
            print(f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB, as it should be")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
