"""The floors of the house: an import points down, never up, and never from one service to another."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import asrproto

PACKAGE = Path(asrproto.__file__).parent
SERVICES = ("aws", "volcengine", "youdao", "openai")
FLOORS = {
    "_kernels": 0,
    "_chunks": 1, "_json": 1, "_redact": 1, "errors": 1, "events": 1, "session": 1,
    "http": 2, "audio": 2,
    **dict.fromkeys(SERVICES, 3),
    "testing": 4,
    "cli": 5,
    "pytest_plugin": 6,
}
WITHOUT_NUMPY = ("http", *(f"{service}/{kind}" for service in SERVICES
                           for kind in ("eventstream", "frames", "sigv4", "signing")))


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem != "__init__")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_at_run_time(node: ast.AST) -> Iterator[str]:
    """Full names of the modules imported below `node`, without those that only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports hide which floor they reach"
            assert child.module is not None
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from imports_at_run_time(child)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = room(path)
    assert own in FLOORS, f"say in FLOORS on which floor {own} stands"
    for name in imports_at_run_time(ast.parse(path.read_text())):
        parts = name.split(".")
        if parts[0] != "asrproto" or len(parts) == 1:
            continue
        other = parts[1]
        if other == own or other not in FLOORS:  # the same room, or a name of the top-level vocabulary
            continue
        assert FLOORS[other] <= FLOORS[own], f"{own} imports {name}, which stands above it"
        assert not (own in SERVICES and other in SERVICES), f"{own} imports {name}, another service"


def test_every_room_says_what_it_is_for() -> None:
    silent = [path for path in PACKAGE.rglob("*.py") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


def test_signing_and_framing_need_no_numpy() -> None:
    paths = [PACKAGE / name for name in WITHOUT_NUMPY]
    names = [".".join(path.relative_to(PACKAGE.parent).parts)
             for path in paths if path.is_dir() or path.with_suffix(".py").exists()]
    code = f"import sys, {', '.join(names)}; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_kernels_hold_compiled_modules_and_stubs_only() -> None:
    kernels = PACKAGE / "_kernels"
    assert {path.suffix for path in kernels.iterdir() if path.is_file()} <= {".py", ".pyi", ".so", ".pyd"}
    assert [path.name for path in kernels.glob("*.py")] == ["__init__.py"]
    compiled = {path.name.partition(".")[0] for path in kernels.iterdir() if path.suffix in (".so", ".pyd")}
    assert compiled == {path.stem for path in kernels.glob("*.pyi")}
