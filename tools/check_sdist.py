"""check_sdist.py SDIST LIST: the source distribution has what is on the list, and nothing else.

LIST is a file with the names that git tracks, one a line. Left out are the files that serve the repository's own host;
added are the metadata that setuptools writes. Exit status 0 if it is so, else 1 with the differences on standard error.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

LEFT_OUT = (".ci/", ".github/", ".gitignore", ".gitattributes", ".pre-commit-config.yaml")
ADDED = {"PKG-INFO", "setup.cfg"} | {f"asrproto.egg-info/{name}" for name in (
    "PKG-INFO", "SOURCES.txt", "dependency_links.txt", "entry_points.txt", "requires.txt", "top_level.txt")}
WANTED = {"LICENSE", "PKG-INFO", "README.md", "asrproto/py.typed", "pyproject.toml", "setup.py",
          "_ext/cpu.pyx", "_ext/cpu.h"}


def main(sdist: str, tracked_list: str) -> int:
    tracked = set(Path(tracked_list).read_text("utf-8").split("\n")) - {""}
    expected = {name for name in tracked if not name.startswith(LEFT_OUT)}
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
        top = {member.name.partition("/")[0] for member in members}
        odd = [member.name for member in members if not (member.isfile() or member.isdir())]
        held = {member.name.partition("/")[2] for member in members if member.isfile()}
    faults = [f"not one folder at the top: {sorted(top)}"] if len(top) != 1 else []
    faults += [f"neither file nor folder: {name}" for name in odd]
    faults += [f"missing: {name}" for name in sorted((expected | WANTED) - held)]
    faults += [f"should not be there: {name}" for name in sorted(held - expected - ADDED)]
    for fault in faults:
        print(f"{Path(sdist).name}: {fault}", file=sys.stderr)
    if not faults:
        print(f"{Path(sdist).name}: {len(held)} files, all that belong there and no others")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
