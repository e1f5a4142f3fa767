"""``asrproto convert``: a recording into what a service takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asrproto.audio.pcm import SAMPLE_FORMATS
from asrproto.cli.files import STANDARD, new_file
from asrproto.cli.samples import ENCODERS, WavWriter, converted
from asrproto.cli.sounds import RawFormat, open_sound
from asrproto.cli.terminal import console

if TYPE_CHECKING:
    from collections.abc import Callable

    from asrproto.cli.sounds import Sound

__all__ = ["command", "progress", "raw_format", "raw_options"]

WAV_FORMATS = ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "ulaw", "alaw")
_WAV_NAMES = frozenset({".wav", ".wave"})
_NAMES = {"s16": "s16le", "s24": "s24le", "s32": "s32le", "f32": "f32le", "f64": "f64le", "mulaw": "ulaw",
          "pcm_s16le": "s16le", "pcm_mulaw": "ulaw", "pcm_alaw": "alaw"}
_ENCODINGS = click.Choice([*SAMPLE_FORMATS, *_NAMES])
PATIENCE = 1.0  # seconds before a progress bar is shown


def raw_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say what samples without a header are."""
    for option in (
        click.option("--raw-channels", metavar="N", type=click.IntRange(1, 64), default=1, show_default=True,
                     help="Channels of samples without a header."),
        click.option("--raw-rate", metavar="HZ", type=click.IntRange(4000, 384000), default=16000, show_default=True,
                     help="Samples per second of samples without a header."),
        click.option("--raw", type=_ENCODINGS, metavar="ENCODING",
                     help="IN has no header: its samples are these."),
    ):
        function = option(function)
    return function


def raw_format(raw: str | None, rate: int, channels: int) -> RawFormat | None:
    """What the options of `raw_options` say."""
    return None if raw is None else RawFormat(_NAMES.get(raw, raw), rate, channels)


@click.command(short_help="Turn a recording into what a service takes.")
@click.argument("source", metavar="IN", type=click.Path(allow_dash=True))
@click.argument("target", metavar="OUT", type=click.Path(allow_dash=True))
@click.option("-e", "--encoding", type=_ENCODINGS, default="s16le", show_default=True, metavar="ENCODING",
              help=f"Of the samples: {', '.join(SAMPLE_FORMATS)}.")
@click.option("-r", "--rate", metavar="HZ", type=click.IntRange(4000, 384000), default=16000, show_default=True,
              help="Samples per second.")
@click.option("-c", "--channels", metavar="N", type=click.IntRange(1, 64), default=1, show_default=True,
              help="1 mixes all channels; otherwise as many as there are, or a mono recording on so many.")
@click.option("--channel", metavar="N", type=click.IntRange(1, 64),
              help="Take this channel, counted from 1, in place of the mix.")
@click.option("--container", type=click.Choice(["wav", "raw"]),
              help="With a header or without; by default as the name of OUT ends, raw unless it ends in .wav.")
@click.option("--quality", type=click.Choice(["fast", "medium", "high", "best"]), default="high", show_default=True,
              help="Of the change of rate.")
@raw_options
@click.option("--salvage", is_flag=True, help="Take what there is of a recording that was cut short.")
@click.option("-f", "--force", is_flag=True, help="Replace OUT if it is there.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(source: str, target: str, encoding: str, rate: int, channels: int, channel: int | None,
            container: str | None, quality: str, raw: str | None, raw_rate: int, raw_channels: int, salvage: bool,
            force: bool, quiet: bool) -> None:
    """Turn the recording IN (WAV, FLAC, OGG, MP3, or raw samples) into OUT.

    \b
    asrproto convert talk.mp3 talk.wav             16 kHz, mono, 16 bits
    asrproto convert talk.flac talk.pcm            the same without a header
    asrproto convert call.wav call.ul -e ulaw -r 8000
    asrproto convert call.wav agent.wav --channel 2
    asrproto convert tape.raw tape.wav --raw s24le --raw-rate 48000
    arecord -f S16_LE -r 48000 | asrproto convert - - > microphone.pcm

    OUT appears when it is complete, and not at all if something goes wrong. Memory does not grow with the length of the
    recording. Samples pass through 32-bit floats, which hold 16 and 24 bits exactly.
    """
    encoding = _NAMES.get(encoding, encoding)
    in_wav = container == "wav" or (container is None and Path(target).suffix.lower() in _WAV_NAMES)
    if in_wav and encoding not in WAV_FORMATS:
        raise click.UsageError(f"WAV files have no {encoding}; they have {', '.join(WAV_FORMATS)}.")
    with open_sound(source, raw_format(raw, raw_rate, raw_channels), as_far_as_it_goes=salvage) as sound:
        _check_channels(sound, channels, channel)
        blocks = converted(sound, rate=rate, channels=channels, channel=None if channel is None else channel - 1,
                           quality=quality)
        encode = ENCODERS[encoding]
        with new_file(target, force=force) as file, progress(sound, quiet or target == STANDARD):
            if not in_wav:
                for block in blocks:
                    file.write(encode(block))
                return
            frames = None if sound.frames is None else -(-sound.frames * rate // sound.rate)
            writer = WavWriter(file, rate=rate, channels=channels, sample_format=encoding, frames=frames)
            for block in blocks:
                writer.write(encode(block))
            writer.close()


def _check_channels(sound: Sound, channels: int, channel: int | None) -> None:
    if channel is not None and channels != 1:
        raise click.UsageError("--channel gives one channel: leave --channels out.")
    if channel is not None and channel > sound.channels:
        raise click.UsageError(f"{sound.name} has {sound.channels} channels, and no {channel}th.")
    if channels not in (1, sound.channels) and sound.channels != 1:
        raise click.UsageError(f"{sound.name} has {sound.channels} channels: --channels may be 1 or "
                               f"{sound.channels}, not {channels}.")


@contextmanager
def progress(sound: Sound, quiet: bool = False) -> Iterator[None]:
    """Show how far `sound` has been read, where that takes long and somebody is looking."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"),
                   TimeRemainingColumn(), console=console(sys.stderr), transient=True)
    task = bar.add_task(Path(sound.name).name, total=sound.frames, done="")

    def watched(blocks: Iterator[object]) -> Iterator[object]:
        began, frames, shown = time.monotonic(), 0, 0.0
        for block in blocks:
            yield block
            frames += len(block)  # type: ignore[arg-type]
            now = time.monotonic()
            if now - began > PATIENCE and now - shown > 0.1:
                shown = now
                bar.start()
                bar.update(task, completed=frames, done=_clock(frames / sound.rate))

    sound.blocks = watched(sound.blocks)  # type: ignore[assignment]
    try:
        yield
    finally:
        bar.stop()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
