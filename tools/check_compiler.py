"""Say plainly what is missing where a C extension cannot be compiled for this Python.

Exit status 0 if a trivial extension source compiles, else 1 with advice on standard error.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

NO_COMPILER = """asrproto: a C compiler is needed to build the kernels, and none was found.
  Debian, Ubuntu:  sudo apt install build-essential python3-dev
  Fedora, RHEL:    sudo dnf install gcc python3-devel
  Alpine:          sudo apk add build-base python3-dev
  macOS:           xcode-select --install
  If you have one under another name: make CC=/path/to/cc ..."""

NO_HEADERS = """asrproto: the C compiler works, but the header files of this Python (Python.h) are missing.
  Debian, Ubuntu:  sudo apt install python3-dev
  Fedora, RHEL:    sudo dnf install python3-devel
  Alpine:          sudo apk add python3-dev"""


def compiles(command: list[str], source: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "probe.c").write_text(source)
        include = f"-I{sysconfig.get_path('include')}"
        try:
            result = subprocess.run([*command, include, "-c", "probe.c", "-o", "probe.o"], cwd=folder, check=False,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError:
            return False
        return result.returncode == 0


def main() -> int:
    if sys.platform == "win32":  # setuptools finds MSVC by itself and says so if it cannot
        return 0
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if not shutil.which(command[0]) or not compiles(command, "int main(void) { return 0; }\n"):
        print(NO_COMPILER, file=sys.stderr)
        return 1
    if not compiles(command, "#include <Python.h>\n"):
        print(NO_HEADERS, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
