"""Recordings of any kind as a stream of float32 blocks, read piece by piece.

======  ==================================================================================================
raw     samples without a header; the caller says what they are
WAV     read here, so that it may come through a pipe, and one that was cut short is noticed
others  FLAC, OGG, MP3, AIFF ...: read by libsndfile, from a file that can be sought in
======  ==================================================================================================
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrproto.audio import PcmFramer, pcm_to_float
from asrproto.audio.pcm import SAMPLE_FORMATS
from asrproto.audio.wav import WavDecoder
from asrproto.cli.files import STANDARD, Input, open_input
from asrproto.cli.terminal import Stop
from asrproto.errors import RemoteProtocolError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Block = NDArray[np.float32]

__all__ = ["RawFormat", "Sound", "open_sound"]

BLOCK_FRAMES = 1 << 15
SALVAGE_FRAMES = 1 << 10  # what libsndfile has read of a block when it comes to the damage is lost
_WAV_MARKS = (b"RIFF", b"RIFX", b"RF64")
_OGG_PAGE, _OGG_LAST = b"OggS", 4
_OGG_LONGEST_PAGE = 65307


@dataclass(frozen=True)
class RawFormat:
    """What samples without a header are."""

    sample_format: str
    rate: int
    channels: int


@dataclass
class Sound:
    """A recording that is being read.

    Attributes
    ----------
    frames : int or None
        How many there should be, where that is known.
    blocks : iterator of ndarray, (frames, channels)
        float32. A recording that ends too soon raises `Stop` at the place where it does.
    """

    name: str
    kind: str
    rate: int
    channels: int
    frames: int | None
    blocks: Iterator[Block]


@contextmanager
def open_sound(name: str, raw: RawFormat | None = None, *, as_far_as_it_goes: bool = False) -> Iterator[Sound]:
    """The recording in the file `name` (``-``: standard input).

    Parameters
    ----------
    raw : RawFormat, optional
        It has no header; its samples are these.
    as_far_as_it_goes : bool
        Take what there is of a recording that was cut short.
    """
    with open_input(name) as source:
        if raw is not None:
            size = source.size
            frames = None if size is None else size // (SAMPLE_FORMATS[raw.sample_format] * raw.channels)
            blocks = _whole_frames(source.chunks(), raw.sample_format, raw.channels, source.name, as_far_as_it_goes)
            yield Sound(source.name, "raw", raw.rate, raw.channels, frames, blocks)
            return
        head = source.head(12)
        if not head:
            raise Stop(f"{source.name}: empty, there is no audio in it")
        if head[:4] in _WAV_MARKS:
            yield _wav(source, head, as_far_as_it_goes)
            return
        if name == STANDARD:
            raise Stop(f"{source.name}: through a pipe only WAV can be read, and raw samples with --raw")
    with _libsndfile(name, as_far_as_it_goes) as sound:
        yield sound


def _wav(source: Input, head: bytes, as_far_as_it_goes: bool) -> Sound:
    decoder = WavDecoder()
    first = b""
    try:
        while decoder.format is None:
            first += decoder.feed(head)
            if decoder.format is None and not (head := source.read()):
                decoder.close()
    except RemoteProtocolError as error:
        raise _unreadable(source.name, error) from None
    form = decoder.format

    def pieces() -> Iterator[bytes]:
        yield first
        try:
            for chunk in source.chunks():
                yield decoder.feed(chunk)
            decoder.close()
        except RemoteProtocolError as error:
            if not as_far_as_it_goes:
                raise _unreadable(source.name, error) from None

    blocks = _whole_frames(pieces(), form.sample_format, form.channels, source.name, as_far_as_it_goes)
    return Sound(source.name, "WAV", form.rate, form.channels, form.frames, blocks)


def _unreadable(name: str, error: RemoteProtocolError) -> Stop:
    return Stop(f"{name}: {error}")


def _whole_frames(pieces: Iterator[bytes], sample_format: str, channels: int, name: str,
                  as_far_as_it_goes: bool) -> Iterator[Block]:
    framer = PcmFramer(SAMPLE_FORMATS[sample_format] * channels)
    for piece in pieces:
        for data in framer.push(piece):
            yield pcm_to_float(data, sample_format).reshape(-1, channels)
    if framer.pending and not as_far_as_it_goes:
        raise Stop(f"{name}: the audio ends inside a frame: {framer.pending} of "
                   f"{SAMPLE_FORMATS[sample_format] * channels} bytes are there; is the sample format right?")


@contextmanager
def _libsndfile(name: str, as_far_as_it_goes: bool) -> Iterator[Sound]:
    try:
        import soundfile
    except OSError as error:  # the package without its library
        raise Stop(f"{name}: only WAV and raw samples can be read here: {error}") from None
    try:
        file = soundfile.SoundFile(name)
    except soundfile.LibsndfileError as error:
        raise Stop(f"{name}: no recording in a format that can be read ({_reason(error)})",
                   help="WAV, FLAC, OGG and MP3 are, and samples without a header with --raw.") from None
    with file:
        yield Sound(name, file.format, file.samplerate, file.channels, file.frames if file.frames > 0 else None,
                    _sndfile_blocks(file, name, as_far_as_it_goes))


def _sndfile_blocks(file: Any, name: str, as_far_as_it_goes: bool) -> Iterator[Block]:
    import soundfile

    there, size = 0, SALVAGE_FRAMES if as_far_as_it_goes else BLOCK_FRAMES
    try:
        while len(block := file.read(size, dtype="float32", always_2d=True)):
            there += len(block)
            yield block
    except (soundfile.LibsndfileError, RuntimeError) as error:
        if not as_far_as_it_goes:
            seconds = there / file.samplerate
            raise Stop(f"{name}: damaged or cut short after {seconds:.2f} s ({_reason(error)})") from None
    if as_far_as_it_goes:
        return
    seconds, promised = there / file.samplerate, file.frames / file.samplerate
    if there < file.frames < 1 << 62:
        raise Stop(f"{name}: cut short: {seconds:.2f} of {promised:.2f} s are there")
    if file.format == "OGG" and not _ogg_ends(Path(name)):
        raise Stop(f"{name}: cut short: its last page is missing, {seconds:.2f} s are there")


def _ogg_ends(path: Path) -> bool:
    """Whether the last page of an OGG file is whole and says that it is the last (RFC 3533)."""
    with path.open("rb") as file, suppress(OSError):
        file.seek(0, io.SEEK_END)
        file.seek(max(0, file.tell() - _OGG_LONGEST_PAGE))
        tail = file.read()
        at = tail.rfind(_OGG_PAGE)
        if at >= 0 and len(tail) >= at + 27 and len(tail) >= at + 27 + tail[at + 26]:
            lengths = tail[at + 27:at + 27 + tail[at + 26]]
            return bool(tail[at + 5] & _OGG_LAST) and len(tail) >= at + 27 + len(lengths) + sum(lengths)
    return False


def _reason(error: Exception) -> str:
    text = str(getattr(error, "error_string", error)).partition("\n")[0]
    return text.rstrip(".").lower()
