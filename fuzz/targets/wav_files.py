"""WAV files: any cut gives the same samples; what the standard library reads too, both read alike."""

from __future__ import annotations

import io
import wave
from collections.abc import Hashable, Iterable
from random import Random

from asrproto.audio.wav import WavDecoder, WavFormat
from asrproto.errors import RemoteProtocolError
from fuzz.harness import Target, cuts, fail_alike
from fuzz.mutate import mutate_bytes

Outcome = tuple[bytes, WavFormat | None, RemoteProtocolError | None]


def decode(pieces: Iterable[bytes]) -> Outcome:
    decoder, samples = WavDecoder(), b""
    try:
        for piece in pieces:
            samples += decoder.feed(piece)
        decoder.close()
    except RemoteProtocolError as error:
        return samples, decoder.format, error
    return samples, decoder.format, None


def by_the_library(data: bytes) -> tuple[int, int, int, bytes] | None:
    try:
        with wave.open(io.BytesIO(data)) as file:
            return file.getnchannels(), file.getframerate(), file.getsampwidth(), file.readframes(file.getnframes())
    except Exception:
        return None


def read(data: bytes) -> Hashable:
    samples, form, error = decode([data])
    pieces, same_form, same_error = decode(cuts(data))
    assert (samples, form) == (pieces, same_form)
    assert fail_alike(error, same_error)
    theirs = by_the_library(data)
    if error is None and form is not None and theirs is not None and data[:4] == b"RIFF":
        channels, rate, width, frames = theirs
        assert (form.channels, form.rate) == (channels, rate)
        assert samples[:len(frames)] == frames[:len(samples)]
        assert len(samples) % (channels * width) == 0
    return form and (form.sample_format, form.channels < 3), error and error.reason, len(samples).bit_length()


def mutate(data: bytes, random: Random) -> bytes:
    """A chunk dropped, repeated, moved, resized or changed, its size following; or the head of the file."""
    if random.random() < 0.3 or len(data) < 20:
        return mutate_bytes(data, random)
    order = "big" if data[:4] == b"RIFX" else "little"
    chunks, rest = [], data[12:]
    while len(rest) >= 8:
        size = int.from_bytes(rest[4:8], order)  # type: ignore[arg-type]
        chunks.append((rest[:4], rest[8:8 + size]))
        rest = rest[8 + size + size % 2:]
    i = random.randrange(len(chunks))
    name, content = chunks[i]
    kind = random.randrange(5)
    if kind == 0:
        del chunks[i]
    elif kind == 1:
        chunks.insert(random.randrange(len(chunks) + 1), (random.choice((name, b"LIST", b"junk")), content))
    elif kind == 2:
        random.shuffle(chunks)
    else:
        chunks[i] = name, mutate_bytes(content, random)
    body = b"".join(name + len(content).to_bytes(4, order) + content + b"\0" * (len(content) % 2)  # type: ignore[arg-type]
                    for name, content in chunks)
    return (data[:4] + (4 + len(body)).to_bytes(4, order) + data[8:12] + body)[:1 << 14]  # type: ignore[arg-type]


TARGETS = (Target("wav_files", read, mutate=mutate),)
