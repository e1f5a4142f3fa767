"""WAV: the header in front of samples, and an incremental decoder of such files.

The layout (RIFF 1.0; Microsoft's WAVEFORMATEX and WAVEFORMATEXTENSIBLE; EBU Tech 3306 for RF64), little-endian::

    "RIFF" | "RF64"   size of all that follows   "WAVE"
      "ds64"  28   the true sizes of RIFF and data, and the frames, 64 bits each; 0 entries of a table
                                                                            RF64 only, where others say 2^32 - 1
      "fmt "  16   tag, channels, rate, bytes per second, bytes per frame, bits per sample
              18   ... and cbSize = 0                                               all but PCM
              40   ... and cbSize = 22, valid bits, channel mask, GUID of the tag   EXTENSIBLE
      "fact"   4   frames                                                           all but PCM
      "data"   n   samples, then a zero byte if n is odd

A writer that cannot know the length says 2^32 - 1, and the data go on to the end.
"""

from __future__ import annotations

import struct

from asrproto.audio.pcm import SAMPLE_FORMATS
from asrproto.audio.pcm import sample_format as _sample_format
from asrproto.audio.resample import checked_int
from asrproto.errors import LocalProtocolError

__all__ = ["header"]

_UNKNOWN = 0xFFFFFFFF
_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_TAGS = {"u8": _PCM, "s16le": _PCM, "s24le": _PCM, "s32le": _PCM, "f32le": _FLOAT, "f64le": _FLOAT,
         "alaw": _ALAW, "ulaw": _ULAW}
_GUID = bytes.fromhex("000000001000800000aa00389b71")  # follows the tag in an EXTENSIBLE's GUID
_MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 8: 0x63F}  # the usual speakers for so many channels


def header(*, rate: int, channels: int, sample_format: str = "s16le", data_size: int | None = None,
           extensible: bool | None = None) -> bytes:
    """All of a WAV file that stands before its samples.

    Parameters
    ----------
    rate : int
        Frames per second.
    channels : int
        1 to 65535.
    sample_format : str
        ``u8``, ``s16le``, ``s24le``, ``s32le``, ``f32le``, ``f64le``, ``ulaw`` or ``alaw``.
    data_size : int, optional
        Bytes of samples that will follow (then one zero byte, if that is odd). None: not known, as in a stream.
        A file that does not fit 32 bits gets an RF64 header.
    extensible : bool, optional
        Whether to use WAVEFORMATEXTENSIBLE; by default for more than two channels, and PCM of more than 16 bits, for
        which Microsoft asks for it.

    Returns
    -------
    bytes
    """
    rate = checked_int(rate, "rate", 1, _UNKNOWN)
    channels = checked_int(channels, "channels", 1, 0xFFFF)
    name = _sample_format(sample_format, "sample_format")
    if name not in _TAGS:
        raise LocalProtocolError(f"sample_format={sample_format!r} is not one of WAV's: {', '.join(_TAGS)}")
    tag, width = _TAGS[name], SAMPLE_FORMATS[name]
    frame = width * channels
    if frame > 0xFFFF or rate * frame > _UNKNOWN:
        raise LocalProtocolError(f"channels={channels} at rate={rate} do not fit the fields of a WAV header")
    if data_size is not None:
        data_size = checked_int(data_size, "data_size", 0, (1 << 63) - 1)
        if data_size % frame:
            raise LocalProtocolError(f"data_size={data_size} is not a whole number of frames of {frame} bytes")
    if extensible is None:
        extensible = channels > 2 or (tag == _PCM and width > 2)

    described = struct.pack("<HIIHH", channels, rate, rate * frame, frame, 8 * width)
    if extensible:
        fmt = struct.pack("<H", _EXTENSIBLE) + described
        fmt += struct.pack("<HHIH", 22, 8 * width, _MASKS.get(channels, 0), tag) + _GUID
    else:
        fmt = struct.pack("<H", tag) + described + (b"" if tag == _PCM else b"\0\0")
    chunks = _chunk(b"fmt ", fmt)

    if data_size is None:
        fact = _chunk(b"fact", struct.pack("<I", _UNKNOWN)) if tag != _PCM else b""
        return b"RIFF" + struct.pack("<I", _UNKNOWN) + b"WAVE" + chunks + fact + b"data" + struct.pack("<I", _UNKNOWN)
    frames = data_size // frame
    if tag != _PCM:
        chunks += _chunk(b"fact", struct.pack("<I", min(frames, _UNKNOWN)))
    size = 4 + len(chunks) + 8 + data_size + data_size % 2
    if size < _UNKNOWN:
        return b"RIFF" + struct.pack("<I", size) + b"WAVE" + chunks + b"data" + struct.pack("<I", data_size)
    ds64 = _chunk(b"ds64", struct.pack("<QQQI", size + 36, data_size, frames, 0))
    return b"RF64" + struct.pack("<I", _UNKNOWN) + b"WAVE" + ds64 + chunks + b"data" + struct.pack("<I", _UNKNOWN)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content
