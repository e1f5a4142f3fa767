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

A writer that cannot know the length says 2^32 - 1, and the data go on to the end; SoX says 0x7ffff000, and others leave
zero in both sizes. "RIFX" is RIFF with all numbers big-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from asrproto.audio.framer import PcmFramer
from asrproto.audio.pcm import SAMPLE_FORMATS
from asrproto.audio.pcm import sample_format as _sample_format
from asrproto.audio.resample import checked_int
from asrproto.errors import LocalProtocolError, MalformedFrame, RemoteProtocolError, TruncatedFrame

__all__ = ["WavDecoder", "WavFormat", "decode", "header"]

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


@dataclass(frozen=True)
class WavFormat:
    """What the samples of a file are; `AudioEncoder` takes `rate`, `channels` and `sample_format` as they are here."""

    rate: int
    """Frames per second."""
    channels: int
    sample_format: str
    """One of `asrproto.audio.pcm.SAMPLE_FORMATS`."""
    frames: int | None
    """How many there are according to the header; None if it does not say."""
    channel_mask: int | None = None
    """The speakers of the channels, where the header is EXTENSIBLE."""

    @property
    def frame_bytes(self) -> int:
        return self.channels * SAMPLE_FORMATS[self.sample_format]


_LONGEST = 256  # bytes that are read of any chunk but data; the rest of it is skipped
_UNTOLD = (_UNKNOWN, 0x7FFFF000)
_PCM_FORMATS = {1: "u8", 2: "s16", 3: "s24", 4: "s32"}


class WavDecoder:
    """Reads a WAV file that comes in pieces of any size.

    `feed` returns the raw samples that were in a piece, whole frames of them; `format` says what they are, from the
    call on that returned the first, and is None until then. What stands after the samples is ignored. After an error
    the decoder stays failed and says the same again.

    Examples
    --------
    >>> decoder = WavDecoder()
    >>> decoder.feed(header(rate=8000, channels=1) + b"abc")
    b'ab'
    >>> decoder.format.rate
    8000
    """

    def __init__(self) -> None:
        self.format: WavFormat | None = None
        self._offset = 0                 # of the first byte of _held in the stream
        self._held = bytearray()         # what is not yet understood
        self._skip = 0                   # bytes to pass over before the next chunk
        self._order = ""                 # of bytes, as struct says it; "" before the first twelve
        self._sizes: tuple[int, int] | None = None  # of an RF64: data, frames
        self._riff_size = 0
        self._rf64 = False
        self._fmt: tuple[int, int, str, int | None] | None = None
        self._left: int | None = 0       # bytes of samples to come; None: all there are
        self._framer: PcmFramer | None = None
        self._failure: RemoteProtocolError | None = None

    def feed(self, data: Any) -> bytes:
        """Take a piece of the file; return the samples in it.

        Raises
        ------
        MalformedFrame
            This is no WAV file, contradicts itself, or holds something other than PCM, float or G.711.
        """
        if self._failure is not None:
            raise self._failure
        view = memoryview(data).cast("B")
        try:
            if self._framer is None:
                view = self._headers(view)
        except RemoteProtocolError as error:
            self._failure = error
            raise
        if self._framer is None:
            return b""
        if self._left is not None:
            view = view[:self._left]
            self._left -= len(view)
        return b"".join(self._framer.push(view))

    def close(self) -> None:
        """Say that the file is at its end.

        Raises
        ------
        TruncatedFrame
            It is not: the header or samples that it promises are missing.
        """
        if self._failure is not None:
            raise self._failure
        if self._framer is None:
            self._failure = TruncatedFrame("the file ends before its samples", reason="truncated-header",
                                           offset=self._offset + len(self._held))
        elif self._left:
            self._failure = TruncatedFrame(f"{self._left} bytes of samples are missing", reason="truncated-data")
        elif self._framer.pending:
            self._failure = TruncatedFrame("the file ends within a frame", reason="truncated-frame")
        if self._failure is not None:
            raise self._failure

    def _headers(self, view: memoryview) -> memoryview:
        """Go through all that stands before the samples; return what is left of `view`."""
        while self._framer is None:
            if self._skip:
                passed = min(self._skip, len(view))
                self._skip -= passed
                self._offset += passed
                view = view[passed:]
                if self._skip:
                    break
            wanted = 8 if self._order else 12
            head = self._hold(view, wanted)
            if head is None:
                break
            if not self._order:
                self._start(head)
                view = self._passed(view, wanted)
                continue
            name, size = head[:4], struct.unpack(self._order + "I", head[4:])[0]
            if name == b"data":
                self._data(size)
                view = self._passed(view, 8)
            elif name in (b"fmt ", b"ds64"):
                body = self._hold(view, 8 + min(size, _LONGEST))
                if body is None:
                    break
                (self._describe if name == b"fmt " else self._long_sizes)(body[8:])
                view = self._passed(view, 8 + min(size, _LONGEST))
                self._skip = size - min(size, _LONGEST) + size % 2
            else:
                view = self._passed(view, 8)
                self._skip = size + size % 2
        return view

    def _hold(self, view: memoryview, wanted: int) -> bytes | None:
        """The next `wanted` bytes, or None, after keeping what there is, if they have not all come."""
        if len(self._held) + len(view) >= wanted:
            return (bytes(self._held) + bytes(view[:wanted]))[:wanted]
        self._held += view
        return None

    def _passed(self, view: memoryview, size: int) -> memoryview:
        """`view` without the rest of the `size` bytes that _hold returned."""
        view = view[size - len(self._held):]
        self._held.clear()
        self._offset += size
        return view

    def _malformed(self, message: str, *, reason: str) -> MalformedFrame:
        return MalformedFrame(message, reason=reason, offset=self._offset)

    def _start(self, head: bytes) -> None:
        if head[:4] not in (b"RIFF", b"RIFX", b"RF64") or head[8:] != b"WAVE":
            raise self._malformed("this does not start as a WAV file does", reason="not-wav")
        self._order = ">" if head[:4] == b"RIFX" else "<"
        self._riff_size = struct.unpack(self._order + "I", head[4:8])[0]
        self._rf64 = head[:4] == b"RF64"

    def _long_sizes(self, body: bytes) -> None:
        if not self._rf64 or self._sizes is not None or self._fmt is not None or len(body) < 28:
            raise self._malformed("a ds64 chunk that is short or not where it belongs", reason="ds64")
        _, data, frames, _ = struct.unpack_from("<QQQI", body)
        self._sizes = data, frames

    def _describe(self, body: bytes) -> None:
        if self._fmt is not None:
            raise self._malformed("two fmt chunks", reason="duplicate-fmt")
        if len(body) < 16:
            raise self._malformed(f"a fmt chunk of {len(body)} bytes", reason="fmt-size")
        tag, channels, rate, _, frame, bits = struct.unpack_from(self._order + "HHIIHH", body)
        mask = None
        if tag == _EXTENSIBLE:
            if len(body) < 40:
                raise self._malformed("an EXTENSIBLE fmt chunk that is too short", reason="fmt-size")
            valid, mask, tag = struct.unpack_from(self._order + "HIH", body, 18)
            if body[26:40] != _GUID or valid > bits:
                raise self._malformed("an EXTENSIBLE format that is not known", reason="unsupported-format")
        if not channels or not rate or frame % max(channels, 1):
            raise self._malformed(f"{channels} channels at {rate} Hz in frames of {frame} bytes", reason="fmt-fields")
        width = frame // channels
        end = "be" if self._order == ">" else "le"
        if tag == _PCM and width in _PCM_FORMATS and 8 * (width - 1) < bits <= 8 * width:
            name = _PCM_FORMATS[width] + (end if width > 1 else "")
        elif tag == _FLOAT and width in (4, 8) and bits == 8 * width:
            name = f"f{bits}{end}"
        elif tag in (_ALAW, _ULAW) and width == 1 and bits == 8:
            name = "alaw" if tag == _ALAW else "ulaw"
        elif tag in (_PCM, _FLOAT, _ALAW, _ULAW):
            raise self._malformed(f"samples of {bits} bits in {width} bytes", reason="fmt-fields")
        else:
            raise self._malformed(f"format {tag:#06x} is not PCM, float or G.711", reason="unsupported-format")
        self._fmt = rate, channels, name, mask

    def _data(self, size: int) -> None:
        if self._fmt is None:
            raise self._malformed("samples before the fmt chunk", reason="data-before-fmt")
        rate, channels, name, mask = self._fmt
        length: int | None = size
        if self._rf64 and size == _UNKNOWN:
            if self._sizes is None:
                raise self._malformed("an RF64 without its ds64 chunk", reason="ds64")
            length = self._sizes[0]
        elif size in _UNTOLD or (size == 0 and self._riff_size == 0):
            length = None
        frame = channels * SAMPLE_FORMATS[name]
        if length is not None and length % frame:
            raise self._malformed(f"{length} bytes of samples are not whole frames of {frame}", reason="data-size")
        self._left = length
        self._framer = PcmFramer(frame)
        self.format = WavFormat(rate, channels, name, None if length is None else length // frame, mask)


def decode(data: Any) -> tuple[WavFormat, bytes]:
    """All of a WAV file at once: what its samples are, and the samples."""
    decoder = WavDecoder()
    samples = decoder.feed(data)
    decoder.close()
    assert decoder.format is not None
    return decoder.format, samples
