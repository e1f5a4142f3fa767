"""The C sources are C11 as the standard has it: what only GNU compilers understand stands behind a guard.

Not a build with MSVC, which the workflows do, but it fails here and at once for variable-length arrays, statement
expressions, designators out of order and the like, on x86-64 and, where a cross compiler is installed, on arm64.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

EXT = Path(__file__).parent.parent / "_ext"
SOURCES = sorted(EXT.glob("**/*.c"))
STRICT = ["-std=c11", "-pedantic-errors", "-Wall", "-Wextra", "-Wvla", "-Werror", "-fsyntax-only"]
COMPILERS = [name for name in ("cc", "clang", "aarch64-linux-gnu-gcc") if shutil.which(name)]


@pytest.mark.skipif(not SOURCES, reason="the C sources are not installed with the package")
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_it_is_standard_c(source: Path, compiler: str) -> None:
    run = subprocess.run([compiler, *STRICT, f"-I{EXT}", str(source)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_check_sees_what_is_not_standard(tmp_path: Path) -> None:
    if not COMPILERS:
        pytest.skip("no C compiler")
    for extension in ("int f(int n) { int a[n]; a[0] = n; return a[0]; }", "int f(void) { return ({ 1; }); }"):
        source = tmp_path / "gnu.c"
        source.write_text(extension)
        run = subprocess.run([COMPILERS[0], *STRICT, str(source)], capture_output=True, check=False)
        assert run.returncode != 0
