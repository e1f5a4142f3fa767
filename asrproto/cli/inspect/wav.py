"""WAV files for people: each chunk, and what the samples are; the samples themselves are counted, not kept."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from asrproto.cli.inspect.piece import Field, Piece
from asrproto.errors import MalformedFrame, TruncatedFrame

__all__ = ["WavReader", "looks_like_wav"]

_CONTAINERS = (b"RIFF", b"RIFX", b"RF64")
_UNKNOWN = (0xFFFFFFFF, 0x7FFFF000)  # what writers say who do not know the size
_KEPT = 4096  # bytes of a chunk that are read
_TAGS = {1: "PCM", 2: "Microsoft ADPCM", 3: "IEEE float", 6: "A-law", 7: "µ-law", 0x11: "IMA ADPCM", 0x55: "MP3",
         0xFFFE: "extensible"}


def looks_like_wav(head: bytes) -> bool:
    """It begins with the twelve bytes of a RIFF file of the kind WAVE; fewer will do where there are no more."""
    return head[:4] in _CONTAINERS and (head[8:12] == b"WAVE" or len(head) < 12)


class WavReader:
    """Gives a piece for each chunk."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._offset = 0  # of the first byte held
        self._order = ""
        self._skip: float = 0  # bytes of samples still to come
        self._data: tuple[int, int | None] | None = None  # where its samples begin, how many bytes it promises
        self._long_size: int | None = None
        self._frame = self._rate = 0
        self._riff_size = 0
        self._complete = False

    def feed(self, data: bytes) -> Iterator[Piece]:
        while data:
            if self._skip:
                passed = int(min(self._skip, len(data)))
                self._skip -= passed
                self._offset += passed
                data = data[passed:]
                if not self._skip:
                    yield from self._samples_over()
                continue
            wanted = self._wanted()
            taken = wanted - len(self._held)
            self._held += data[:taken]
            data = data[taken:]
            if len(self._held) == wanted == self._wanted():
                piece = self._take()
                if piece is not None:
                    yield piece
                elif not self._skip:  # a data chunk of no samples
                    yield from self._samples_over()

    def close(self) -> Iterator[Piece]:
        if self._data is not None:
            start, promised = self._data
            there = self._offset - start
            if promised is not None and there < promised:
                raise TruncatedFrame(f"the data chunk says {promised} bytes, and {there} are there",
                                     reason="truncated-data", offset=self._offset)
            yield from self._samples_over()
        elif not self._complete:
            raise TruncatedFrame("the file ends before its samples", reason="truncated-header",
                                 offset=self._offset + len(self._held))
        elif self._skip > 1 or self._held:  # one byte of padding is often left out
            raise TruncatedFrame("the file ends inside a chunk", reason="truncated-chunk",
                                 offset=self._offset + len(self._held))

    def _wanted(self) -> int:
        """Bytes from here on that are looked at together."""
        if not self._order:
            return 12
        if len(self._held) < 8:
            return 8
        name, size = self._chunk()
        return 8 if name == b"data" else 8 + min(size, _KEPT)

    def _chunk(self) -> tuple[bytes, int]:
        return bytes(self._held[:4]), struct.unpack_from(self._order + "I", self._held, 4)[0]

    def _take(self) -> Piece | None:
        held, offset = bytes(self._held), self._offset
        self._held.clear()
        self._offset += len(held)
        if not self._order:
            if held[:4] not in _CONTAINERS or held[8:] != b"WAVE":
                raise MalformedFrame("this does not start as a WAV file does", reason="not-wav", offset=0)
            self._order = ">" if held[:4] == b"RIFX" else "<"
            size = self._riff_size = struct.unpack_from(self._order + "I", held, 4)[0]
            note = "not known" if size in _UNKNOWN else ""
            return Piece("file", offset, len(held), held[:4].decode(), [Field("size", "uint32", size, note)])
        name, size = held[:4], struct.unpack_from(self._order + "I", held, 4)[0]
        if name == b"data":
            self._start_of_samples(offset, size)
            return None
        self._skip = size - len(held[8:]) + size % 2
        piece = Piece("chunk", offset, 8 + size, name.decode("ascii", "backslashreplace").strip())
        if name == b"fmt ":
            self._describe(held[8:], piece)
        elif name == b"ds64" and size >= 28:
            riff, self._long_size, frames = struct.unpack_from("<QQQ", held, 8)
            piece.fields = [Field("riff_size", "uint64", riff), Field("data_size", "uint64", self._long_size),
                            Field("frames", "uint64", frames)]
        elif name == b"fact" and size >= 4:
            piece.fields = [Field("frames", "uint32", struct.unpack_from(self._order + "I", held, 8)[0])]
        else:
            piece.fields = [Field("content", "bytes", held[8:])]
        return piece

    def _describe(self, body: bytes, piece: Piece) -> None:
        if len(body) < 16:
            raise MalformedFrame(f"a fmt chunk of {len(body)} bytes", reason="fmt-size", offset=piece.offset)
        tag, channels, rate, byte_rate, frame, bits = struct.unpack_from(self._order + "HHIIHH", body)
        piece.fields = [Field("format", "uint16", tag, _TAGS.get(tag, "unknown")),
                        Field("channels", "uint16", channels), Field("rate", "uint32", rate, "Hz"),
                        Field("bytes_per_second", "uint32", byte_rate), Field("frame_bytes", "uint16", frame),
                        Field("bits", "uint16", bits)]
        if tag == 0xFFFE and len(body) >= 26:
            valid, mask, tag = struct.unpack_from(self._order + "HIH", body, 18)
            piece.fields += [Field("valid_bits", "uint16", valid), Field("channel_mask", "uint32", mask),
                             Field("subformat", "uint16", tag, _TAGS.get(tag, "unknown"))]
        if not channels or not rate or not frame:
            raise MalformedFrame(f"{channels} channels at {rate} Hz in frames of {frame} bytes", reason="fmt-fields",
                                 offset=piece.offset)
        if tag in (1, 3, 6, 7) and frame != channels * -(-bits // 8):
            piece.notes.append(f"{channels} samples of {bits} bits make frames of {channels * -(-bits // 8)} bytes, "
                               f"not {frame}")
        elif byte_rate != rate * frame:
            piece.notes.append(f"{rate} frames of {frame} bytes are {rate * frame} bytes per second, not {byte_rate}")
        self._frame, self._rate = frame, rate

    def _start_of_samples(self, offset: int, size: int) -> None:
        if not self._rate:
            raise MalformedFrame("samples before the fmt chunk", reason="data-before-fmt", offset=offset)
        promised: int | None = size
        if size == _UNKNOWN[0] and self._long_size is not None:
            promised = self._long_size
        elif size in _UNKNOWN or (size == 0 and self._riff_size == 0):
            promised = None
        self._data = offset + 8, promised
        self._skip = float("inf") if promised is None else promised

    def _samples_over(self) -> Iterator[Piece]:
        """The piece of the data chunk, once all of it has passed."""
        if self._data is None:
            return
        start, promised = self._data
        size = self._offset - start
        self._data, self._complete = None, True
        piece = Piece("chunk", start - 8, 8 + size, "data", [
            Field("samples", "bytes", size, "not told by the header" if promised is None else ""),
            Field("duration", "seconds", round(size / self._frame / self._rate, 6))])
        if size % self._frame:
            piece.notes.append(f"{size} bytes are not whole frames of {self._frame}")
        self._skip = size % 2 if promised is not None else 0
        yield piece
