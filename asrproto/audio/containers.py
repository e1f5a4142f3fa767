"""Whole recordings: whatever a caller has as the bytes of a file, and what its first bytes say of it.

What they say lets a request be refused before it is sent.

====  ==========================================  ========================================================
wav   ``RIFF....WAVE``                            rate, channels, bits, length: from the chunks
mp3   ``ID3`` or a frame's sync and layer III     rate, channels, length: from the frames (ISO 11172-3, 13818-3)
aac   a frame's sync and layer 0 (ADTS)           rate, channels, length: from the frames (ISO 13818-7)
====  ==========================================  ========================================================

flac, ogg, webm and m4a are told apart, no more. Frames are walked by their own lengths, each looked at once; where
the next one is not where it should be, the walk ends, and the length is that of the frames before it.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from asrproto.audio import wav
from asrproto.audio.pcm import float_to_int16
from asrproto.errors import LocalProtocolError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from typing_extensions import Buffer

__all__ = ["Recording", "as_recording", "probe"]

# (offset, bytes) pairs that all must hold; the first row that fits wins
_MAGIC: tuple[tuple[str, tuple[tuple[int, bytes], ...]], ...] = (
    ("wav", ((0, b"RIFF"), (8, b"WAVE"))),
    ("flac", ((0, b"fLaC"),)),
    ("ogg", ((0, b"OggS"),)),
    ("webm", ((0, b"\x1a\x45\xdf\xa3"),)),
    ("m4a", ((4, b"ftyp"),)),
)
_WAVE_PCM, _WAVE_EXTENSIBLE = 1, 0xFFFE

_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_ADTS_CHANNELS = (None, 1, 2, 3, 4, 5, 6, 8)
_ADTS_SAMPLES = 1024  # of one block

# by MPEG version (bits 19 and 20 of the header): 2.5, reserved, 2, 1
_MP3_RATES = ((11025, 12000, 8000), (), (22050, 24000, 16000), (44100, 48000, 32000))
_MP3_SAMPLES = (576, 0, 576, 1152)
_MP3_KBITS_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_KBITS_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


class Recording(msgspec.Struct, frozen=True):
    """What is known of a recording; None where its first bytes do not tell.

    Attributes
    ----------
    container : str
        ``"wav"``, ``"mp3"``, ``"aac"``, ``"flac"``, ``"ogg"``, ``"webm"`` or ``"m4a"``.
    rate : int or None
        Samples a second.
    channels : int or None
    bits : int or None
        Of one sample (wav).
    is_pcm : bool
        Whether the samples are plain integers (wav).
    seconds : float or None
        How long the audio that is there plays, whatever a header claims.
    """

    container: str
    rate: int | None = None
    channels: int | None = None
    bits: int | None = None
    is_pcm: bool = False
    seconds: float | None = None


def as_recording(audio: Buffer | os.PathLike[str] | ArrayLike, *, rate: int | None = None) -> bytes:
    """The bytes of a recording's file.

    Parameters
    ----------
    audio : bytes-like, path-like, or array of samples
        Bytes are taken as a file's content, a path is read, and samples (int16, float32 or float64; frames, or
        frames x channels) become a 16-bit WAV.
    rate : int
        Samples a second; needed with samples, and only with them.

    Raises
    ------
    LocalProtocolError
        Samples without their rate, or of another type.
    """
    if isinstance(audio, os.PathLike):
        return Path(audio).read_bytes()
    if isinstance(audio, str):
        raise TypeError("audio must be bytes, a pathlib.Path or samples, not str")
    try:
        view = memoryview(audio)  # type: ignore[arg-type]
    except TypeError:
        view = None
    if view is not None and view.itemsize == 1:
        return audio if isinstance(audio, bytes) else bytes(view)
    samples = np.asarray(audio)
    if samples.dtype in (np.float32, np.float64):
        samples = float_to_int16(samples)
    if samples.dtype != np.int16 or samples.ndim not in (1, 2):
        raise LocalProtocolError(f"samples must be int16 or float, frames or frames x channels, "
                                 f"not {samples.dtype} of {samples.ndim} dimensions")
    if rate is None:
        raise LocalProtocolError("rate is needed with samples")
    pcm = samples.astype("<i2", copy=False).tobytes()
    channels = samples.shape[1] if samples.ndim == 2 else 1
    return wav.header(rate=rate, channels=channels, data_size=len(pcm)) + pcm


def probe(data: Buffer) -> Recording | None:
    """What `data`, a whole recording, says of itself; None where no container is recognised."""
    view = memoryview(data).cast("B")
    for container, magic in _MAGIC:
        if all(bytes(view[at:at + len(mark)]) == mark for at, mark in magic):
            return _probe_wav(view) if container == "wav" else Recording(container)
    start = _after_id3(view)
    for walk in (_walk_adts, _walk_mp3):
        found = walk(view, start)
        if found is not None:
            return found
    return Recording("mp3") if start else None


def _probe_wav(view: memoryview) -> Recording:
    position, form = 12, None
    while position + 8 <= len(view):
        name, size = struct.unpack_from("<4sI", view, position)
        position += 8
        if name == b"fmt " and size >= 16 and position + 16 <= len(view):
            form = struct.unpack_from("<HHIIHH", view, position)
            if form[0] == _WAVE_EXTENSIBLE and size >= 26 and position + 26 <= len(view):
                form = (*struct.unpack_from("<H", view, position + 24), *form[1:])
        elif name == b"data" and form:
            tag, channels, rate, _, block, bits = form
            there = min(size, len(view) - position) if size else len(view) - position
            seconds = there / block / rate if block and rate else None
            return Recording("wav", rate, channels, bits, tag == _WAVE_PCM, seconds)
        position += size + (size & 1)
    return Recording("wav")


def _after_id3(view: memoryview) -> int:
    """Where the audio begins behind an ID3v2 tag (its size has seven bits a byte)."""
    if len(view) < 10 or bytes(view[:3]) != b"ID3":
        return 0
    size = 0
    for byte in view[6:10]:
        size = size << 7 | (byte & 0x7F)
    return 10 + size + (10 if view[5] & 0x10 else 0)


def _walk_adts(view: memoryview, position: int) -> Recording | None:
    first, samples = None, 0
    while position + 7 <= len(view) and view[position] == 0xFF and view[position + 1] & 0xF6 == 0xF0:
        _, third, fourth, fifth, sixth, last = view[position + 1:position + 7]
        rate_index, channel_index = third >> 2 & 15, (third & 1) << 2 | fourth >> 6
        length = (fourth & 3) << 11 | fifth << 3 | sixth >> 5
        if rate_index >= len(_ADTS_RATES) or length < 7:
            break
        first = first or (_ADTS_RATES[rate_index], _ADTS_CHANNELS[channel_index])
        samples += _ADTS_SAMPLES * ((last & 3) + 1)
        position += length
    return Recording("aac", *first, seconds=samples / first[0]) if first else None


def _walk_mp3(view: memoryview, position: int) -> Recording | None:
    first, samples = None, 0
    while position + 4 <= len(view) and view[position] == 0xFF and view[position + 1] & 0xE6 == 0xE2:
        second, third, fourth = view[position + 1:position + 4]
        version, bitrate_index, rate_index = second >> 3 & 3, third >> 4, third >> 2 & 3
        if version == 1 or rate_index == 3 or bitrate_index in (0, 15):
            break
        rate = _MP3_RATES[version][rate_index]
        kbits = (_MP3_KBITS_V1 if version == 3 else _MP3_KBITS_V2)[bitrate_index]
        first = first or (rate, 1 if fourth >> 6 == 3 else 2)
        samples += _MP3_SAMPLES[version]
        position += _MP3_SAMPLES[version] // 8 * kbits * 1000 // rate + (third >> 1 & 1)
    return Recording("mp3", *first, seconds=samples / first[0]) if first else None
