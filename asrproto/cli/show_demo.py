"""``asrproto demo``: what ``python -m asrproto.cli.demo`` shows, with a recording of any kind."""

from __future__ import annotations

from collections.abc import Iterator

import click
import numpy as np

from asrproto.cli.files import STANDARD
from asrproto.cli.samples import converted
from asrproto.cli.sounds import open_sound
from asrproto.cli.terminal import USAGE, Stop
from asrproto.errors import LocalProtocolError

__all__ = ["command"]

NEEDED = "the demo needs more packages: pip install 'asrproto[cli,demo]'"


@click.command(short_help="Have a recording transcribed by every service's stand-in.")
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(allow_dash=True))
@click.option("-s", "--service", "services", multiple=True, metavar="NAME", help="Only this one; can be given again.")
@click.option("--real-time", is_flag=True, help="Send the audio no faster than it was spoken.")
@click.pass_context
def command(ctx: click.Context, file: str | None, services: tuple[str, ...], real_time: bool) -> None:
    """Play the recording FILE to a stand-in of every service, and show what comes back.

    \b
    asrproto demo                          a recording that comes with the sources
    asrproto demo talk.mp3
    asrproto demo talk.wav --service transcribe --real-time

    The stand-ins run on this machine and check what the real services check; PocketSphinx does the hearing (English).
    """
    try:
        from asrproto.cli import demo
        from asrproto.cli.services import CAPTURE_CHANNELS, CAPTURE_RATE, NAMES
        from asrproto.testing.sphinx import SphinxRecogniser  # noqa: F401 - to say at once that it is missing
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("websockets", "pocketsphinx"):
            raise
        raise Stop(NEEDED, status=USAGE) from None
    unknown = [name for name in services if name not in NAMES]
    if unknown:
        raise click.UsageError(f"--service may be {', '.join(NAMES)}, not {unknown[0]!r}.")
    name = str(demo.RECORDING) if file is None else file
    if file is None and not demo.RECORDING.exists():
        raise Stop("say which recording: asrproto demo FILE", status=USAGE,
                   help=f"The one of the sources, {demo.RECORDING}, is not here.")
    with open_sound(name) as sound:
        blocks: Iterator[np.ndarray] = converted(sound, rate=CAPTURE_RATE, channels=sound.channels, channel=None,
                                                 quality="high")
        if sound.channels not in (1, 2):
            raise LocalProtocolError(f"{sound.name} has {sound.channels} channels; the demo plays one or two")
        pieces = [np.repeat(block, CAPTURE_CHANNELS // sound.channels, axis=1) for block in blocks]
    if not sum(map(len, pieces)):
        raise Stop(f"{sound.name}: the recording is empty")
    label = "standard input" if name == STANDARD else name
    ctx.exit(demo.play(label, np.concatenate(pieces), services, real_time=real_time))
