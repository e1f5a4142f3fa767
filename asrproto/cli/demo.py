"""The demo: real speech to transcripts through every layer of asrproto, without a network.

``python -m asrproto.cli.demo [FILE]`` brings a 16-bit WAV recording to what a sound card gives: 48 kHz, stereo,
float32, blocks of 10 ms. For each service it then opens a real connection to a fake of the service on 127.0.0.1, which
checks what the real one checks and recognises the speech with PocketSphinx. It prints transcripts as they come, and at
last the figures of each run. The fakes run in a process of their own, so that the time measured inside asrproto is the
client's alone.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import multiprocessing
import signal
import sys
import textwrap
import time
import wave
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asrproto.audio import int16_to_float, resample
from asrproto.cli.driver import Meter, Report
from asrproto.cli.loopback import Address, Loopback
from asrproto.cli.services import CAPTURE_CHANNELS, CAPTURE_RATE, NAMES, Service, load
from asrproto.errors import AsrProtoError, ServiceError
from asrproto.events import Event, SessionFailed, Transcript

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECORDING = Path("examples/speech/goforward.wav")
BLOCK_FRAMES = CAPTURE_RATE // 100
WIDTH = 100  # characters of a line that may be cut


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the exit status is 0 where every service gave a transcript."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # a terminal may lack the letters of a transcript
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        capture = read_capture(options.file)
    except (OSError, EOFError, wave.Error, ValueError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    return play(str(options.file), capture, options.service or (), real_time=options.real_time)


def play(name: str, capture: NDArray[np.float32], services: Sequence[str] = (), *, real_time: bool = False) -> int:
    """Play `capture` (frames x 2, 48 kHz) to the fakes of `services`, of all without any; gives the exit status."""
    seconds = len(capture) / CAPTURE_RATE
    print(f"{name}: {seconds:.2f} s, played as a sound card gives it: {CAPTURE_RATE // 1000} kHz, "
          f"{CAPTURE_CHANNELS} channels, float32, blocks of 10 ms", flush=True)
    runs = []
    try:
        with fakes_on_loopback(services or NAMES) as addresses:
            for service, address in addresses.items():
                runs.append(run_service(load(service), capture, address, pace=0.01 if real_time else 0.0))
    except KeyboardInterrupt:
        return 130
    print()
    for line in table(runs, seconds):
        print(line)
    return 0 if runs and all(run.transcript and not run.failures for run in runs) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m asrproto.cli.demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=RECORDING, help="16-bit WAV, any rate (%(default)s)")
    parser.add_argument("--service", action="append", choices=NAMES, help="only this one; can be given again")
    parser.add_argument("--real-time", action="store_true", help="send the audio no faster than it was spoken")
    return parser


def read_capture(path: Path) -> NDArray[np.float32]:
    """A 16-bit WAV file as frames x 2 float32 at 48 kHz; a mono recording sounds on both channels."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"the demo reads 16-bit WAV, and this has {8 * file.getsampwidth()} bits a sample")
        channels, rate = file.getnchannels(), file.getframerate()
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, channels)
    if not len(pcm):
        raise ValueError("the recording is empty")
    samples = resample(int16_to_float(pcm), rate, CAPTURE_RATE)
    return np.ascontiguousarray(samples[:, np.arange(CAPTURE_CHANNELS) % channels])


@contextmanager
def fakes_on_loopback(names: Iterable[str]) -> Iterator[dict[str, Address]]:
    """Serve the fakes of the services `names` in a process of their own; gives their addresses."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(tuple(names), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        try:
            addresses: dict[str, Address] = ours.recv()
        except EOFError:
            raise SystemExit("the fake services could not start; their error is above") from None
        yield addresses
    finally:
        ours.close()  # which ends the process
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(names: tuple[str, ...], pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when it is over
    try:
        from asrproto.testing.sphinx import SphinxRecogniser
    except ImportError as error:
        raise SystemExit(f"{error}; the demo needs: pip install 'asrproto[demo]'") from None
    with ExitStack() as stack:
        pipe.send({name: stack.enter_context(Loopback(load(name).fake(SphinxRecogniser))).address for name in names})
        with suppress(EOFError):
            pipe.recv()  # nothing is ever sent: this waits for the parent's end to close


class Run:
    """One service's run: prints events as they come and keeps the outcome."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.meter = Meter()
        self.finals: list[str] = []
        self.failures: list[ServiceError] = []
        self._started = time.perf_counter()
        self._last_partial = ""

    @property
    def transcript(self) -> str:
        return " ".join(self.finals)

    def report(self, event: Event) -> None:
        if isinstance(event, Transcript) and event.text:
            if event.is_final:
                self.finals.append(event.text)
            elif event.text == self._last_partial:
                return
            self._last_partial = event.text
            self._print("final" if event.is_final else "partial", event.text)
        elif isinstance(event, SessionFailed):
            self.failures.append(event.error)
            self._print("failed", str(event.error))

    def _print(self, kind: str, text: str) -> None:
        indent = "\n" + " " * 20
        print(f"  {time.perf_counter() - self._started:6.2f} s  {kind:7}  {text.replace(chr(10), indent)}", flush=True)


def run_service(service: Service, capture: NDArray[np.float32], address: Address, *, pace: float) -> Run:
    """Have `capture` transcribed by the fake of `service` at `address`, and show what comes."""
    print(f"\n{service.name}", flush=True)

    def show_refusal(event: Event) -> None:
        if isinstance(event, SessionFailed):
            text = f"a wrong key is refused: {event.error.code}: {event.error.message}"
            print(f"  {textwrap.shorten(text, WIDTH, placeholder='...')}", flush=True)

    with failures_reported(show_refusal):
        service.run_refused(show_refusal, address)
    run = Run(service.name)
    blocks = (capture[start:start + BLOCK_FRAMES] for start in range(0, len(capture), BLOCK_FRAMES))
    with failures_reported(run.report):
        service.run(blocks, run.report, address, run.meter, pace)
    return run


@contextmanager
def failures_reported(report: Report) -> Iterator[None]:
    """Turn what is raised into one more event: the other services are to have their turn."""
    try:
        yield
    except ServiceError as error:
        report(SessionFailed(error))
    except (AsrProtoError, OSError, asyncio.TimeoutError) as error:
        report(SessionFailed(ServiceError(str(error), code=type(error).__name__)))


def table(runs: Sequence[Run], seconds: float) -> list[str]:
    """The figures of all runs as aligned lines."""
    header = ("service", "transcript", "audio", "bytes out / in", "messages out / in", "inside asrproto")
    rows: list[tuple[str, ...]] = [header]
    for run in runs:
        meter = run.meter
        transcript = textwrap.shorten(run.transcript, WIDTH // 2, placeholder="...") or "(none)"
        rows.append((run.name, transcript, f"{seconds:.2f} s",
                     f"{meter.sent_bytes} / {meter.received_bytes}",
                     f"{meter.sent_messages} / {meter.received_messages}", f"{meter.seconds_inside * 1e6:.0f} us"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return ["  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]


if __name__ == "__main__":
    sys.exit(main())
