"""What a library costs before it does anything: time to import, memory, bytes on disk; and what many streams cost.

``python -m benchmarks.footprint`` writes ``imports.json``, ``sizes.json``, ``memory.json`` and ``scale.json``. Whatever
leaves traces in a process is measured in a fresh one, one library to a process, the contenders in turns.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import asrproto
from benchmarks import measuring, results

ROUNDS = 9

# --- time and memory of an import

ROOMS = {
    "asrproto": "asrproto",
    "asrproto.aws.sigv4": "asrproto.aws.sigv4",
    "asrproto.aws.eventstream": "asrproto.aws.eventstream",
    "asrproto.aws.transcribe": "asrproto.aws.transcribe",
    "asrproto.volcengine": "asrproto.volcengine.streaming",
    "asrproto.youdao": "asrproto.youdao.streaming",
    "asrproto.openai": "asrproto.openai.transcription",
    "asrproto.audio": "asrproto.audio",
}
PEER_MODULES = {
    "amazon-transcribe": "amazon_transcribe.client",
    "awscrt": "awscrt.auth",
    "botocore": "botocore.session",
    "openai": "openai",
    "numpy": "numpy",
    "soxr": "soxr",
}

IMPORT = """
import resource, sys, time
def pages():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])
before = pages()
started = time.process_time()
import {module}
taken = time.process_time() - started
print(taken, (pages() - before) * resource.getpagesize(), int("numpy" in sys.modules))
"""


def fresh(program: str, *arguments: str) -> str:
    """What a Python program prints that is run in a process of its own."""
    return subprocess.run([sys.executable, "-c", program, *arguments], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def in_rounds(names: Iterable[str], rounds: int = ROUNDS) -> Iterator[str]:
    """Each name once a round, in an order drawn anew."""
    order, names = random.Random(20), list(names)
    for _ in range(rounds):
        yield from order.sample(names, len(names))


def imports() -> list[dict[str, Any]]:
    modules = {name: module for name, module in (ROOMS | PEER_MODULES).items()
               if importlib.util.find_spec(module.partition(".")[0])}
    seen: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in modules}
    for name in in_rounds(modules):
        seconds, memory, numpy = fresh(IMPORT.format(module=modules[name])).split()
        seen[name].append((float(seconds), float(memory), numpy == "1"))
    return [{"what": name, "module": modules[name], "numpy": runs[0][2],
             "seconds": measuring.estimate([run[0] for run in runs])._asdict(),
             "bytes": measuring.estimate([run[1] for run in runs]).median} for name, runs in seen.items()]


# --- bytes on disk

DISTRIBUTIONS = ("asrproto", "amazon-transcribe", "awscrt", "botocore", "openai", "soxr", "numpy", "msgspec")


def own_bytes(distribution: str) -> int:
    """The size of the files that a distribution brings, compiled Python files aside."""
    if distribution == "asrproto":  # it may be installed as a link to its sources
        folder = Path(asrproto.__file__).parent
        files = [path for path in folder.rglob("*") if path.is_file()]
    else:
        listed = importlib.metadata.files(distribution) or []
        files = [Path(str(entry.locate())) for entry in listed]
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc" and path.exists())


def requirements(distribution: str) -> set[str]:
    """A distribution and all that it needs, extras aside."""
    found, waiting = set(), [distribution]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # for another system or another Python
            continue
        found.add(name)
        waiting += [re.split(r"[\s\[;<>=!~(]", line, maxsplit=1)[0] for line in lines if "extra ==" not in line]
    return found


def sizes() -> list[dict[str, Any]]:
    found = []
    for name in DISTRIBUTIONS:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        needs = sorted(requirements(name) - {name})
        found.append({"what": name, "bytes": own_bytes(name), "needs": needs,
                      "with_needs": own_bytes(name) + sum(map(own_bytes, needs))})
    return found


# --- memory of sessions that wait

IDLE = """
import gc, resource, sys
from benchmarks import footprint
make = footprint.IDLE_PARTS[sys.argv[1]]
def pages():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])
kept = [make() for _ in range(10)]
gc.collect()
before = pages()
kept = [kept, [make() for _ in range(int(sys.argv[2]))]]
gc.collect()
print((pages() - before) * resource.getpagesize())
"""


def _idle_transcribe() -> object:
    from asrproto.aws.transcribe import Credentials, TranscribeSession
    from benchmarks.chains import KEYS, REGION

    session = TranscribeSession(Credentials(*KEYS), region=REGION, language_code="en-US", sign_frames=True)
    session.handshake()
    session.start()
    session.send_audio(bytes(100))
    return session


def _idle_encoder() -> object:
    from asrproto.audio import AudioEncoder
    from benchmarks.chains import CHANNELS, RATE_IN, RATE_OUT, blocks

    encoder = AudioEncoder(rate_in=RATE_IN, channels_in=CHANNELS, dtype_in="float32", rate_out=RATE_OUT)
    for block in blocks(0.06):
        encoder.push(block)
    return encoder


def _idle_soxr() -> object:
    import soxr

    from benchmarks.chains import RATE_IN, RATE_OUT, blocks

    stream = soxr.ResampleStream(RATE_IN, RATE_OUT, 1, dtype="float32")
    for block in blocks(0.06):
        stream.resample_chunk(block.mean(axis=1))
    return stream


def _idle_chain(name: str) -> object:
    from benchmarks.chains import CHAINS, blocks

    chain = CHAINS[name]()
    for block in blocks(0.06):
        chain(block)
    return chain


IDLE_PARTS: dict[str, Callable[[], object]] = {
    "asrproto: TranscribeSession, waiting for audio": _idle_transcribe,
    "asrproto: AudioEncoder, 48 kHz stereo to 16 kHz": _idle_encoder,
    "asrproto: both": lambda: _idle_chain("asrproto"),
    "soxr.ResampleStream, 48 kHz mono to 16 kHz": _idle_soxr,
    "numpy + soxr + amazon-transcribe: the same chain": lambda: _idle_chain("numpy + soxr + amazon-transcribe"),
}


def memory() -> list[dict[str, Any]]:
    return [{"what": name, "sessions": count,
             "bytes": measuring.estimate([float(fresh(IDLE, name, str(count))) for _ in range(3)]).median}
            for name in IDLE_PARTS for count in (1000, 10000)]


# --- from one stream to ten thousand

STREAMS = (1, 10, 100, 1000, 10000)

SCALE = """
import sys
from benchmarks import footprint
print(footprint.seconds_a_block(sys.argv[1], int(sys.argv[2])))
"""


def seconds_a_block(who: str, streams: int) -> float:
    """Seconds of CPU time for each 20 ms block when so many streams take turns, as an event loop would serve them."""
    from benchmarks.chains import CHAINS, blocks

    audio = blocks(1.0)
    chains = [CHAINS[who]() for _ in range(streams)]
    for number, chain in enumerate(chains):  # out of step with each other, as real streams are
        for block in audio[:number % 5 + 1]:
            chain(block)
    turns = max(5, 20000 // streams // 5 * 5)
    started = time.process_time()
    for turn in range(turns):
        block = audio[turn % len(audio)]
        for chain in chains:
            chain(block)
    return (time.process_time() - started) / (turns * streams)


def scale() -> list[dict[str, Any]]:
    from benchmarks.chains import CHAINS

    found: dict[tuple[str, int], list[float]] = {}
    for count in STREAMS:
        for who in in_rounds(CHAINS, 3):
            found.setdefault((who, count), []).append(float(fresh(SCALE, who, str(count))))
    return [{"who": who, "streams": count, "seconds_a_block": measuring.estimate(values)._asdict()}
            for (who, count), values in found.items()]


FIGURES: Mapping[str, Callable[[], list[dict[str, Any]]]] = {
    "imports": imports, "sizes": sizes, "memory": memory, "scale": scale}


def main(names: list[str]) -> None:
    for name in names or FIGURES:
        figures = FIGURES[name]()
        results.write(name, figures)
        print(json.dumps(figures, indent=1), file=sys.stderr) if names else None


if __name__ == "__main__":
    main(sys.argv[1:])
