"""Results as JSON files in ``benchmarks/results``, each with a description of the machine but not its name."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import sys
import sysconfig
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"

LIBRARIES = ("amazon-transcribe", "audioop-lts", "awscrt", "botocore", "msgspec", "numpy", "openai", "samplerate",
             "scipy", "smithy-aws-event-stream", "soxr")


def _processor() -> str:
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        match = None
    return match[1] if match else platform.processor() or platform.machine()


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine() -> dict[str, Any]:
    """What a reader must know to judge a figure."""
    from asrproto._kernels import cpu

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}".strip(" ,"),
        "python": platform.python_version() + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""),
        "compiler": platform.python_compiler(),
        "simd": cpu.LEVEL_NAME,
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value


def write(name: str, figures: Any, folder: Path = FOLDER) -> Path:
    """Write ``name.json``: the figures, the machine and the day."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    today = datetime.now(timezone.utc).date().isoformat()
    document = {"date": today, "machine": machine(), "figures": _rounded(figures)}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"wrote {path.name}", file=sys.stderr)
    return path


def read(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """The document that `write` wrote."""
    document: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return document
