"""``asrproto inspect``: whatever the bytes and their spelling, pieces and at most one fault; any cut gives the same."""

from __future__ import annotations

import base64
from collections.abc import Hashable, Iterable
from random import Random

import msgspec

from asrproto.cli.inspect.command import Recognised, recognise
from asrproto.cli.inspect.forms import WrongSpelling
from asrproto.cli.inspect.show import _document
from asrproto.cli.terminal import Stop
from asrproto.errors import RemoteProtocolError
from fuzz.harness import Target, cuts
from fuzz.mutate import mutate_bytes
from fuzz.targets import aws_eventstream, http_sse, volcengine_frames, wav_files

SPELLINGS = (bytes, lambda data: data.hex().encode(), base64.b64encode, lambda data: repr(data).encode())
OTHERS = [target for module in (aws_eventstream, http_sse, volcengine_frames, wav_files) for target in module.TARGETS]


def pieces_of(found: Recognised, chunks: Iterable[bytes]) -> tuple[list[bytes], str]:
    shown: list[bytes] = []
    try:
        shown.extend(msgspec.json.encode(_document(piece)) for piece in found.format.read(found.form.undo(chunks)))
    except WrongSpelling:
        return shown, "spelling"
    except RemoteProtocolError as error:
        return shown, error.reason
    return shown, ""


def read(data: bytes) -> Hashable:
    try:
        found = recognise(data[:4096], "input", None, None)
    except Stop:
        return None
    shown, fault = pieces_of(found, [data])
    again, same_fault = pieces_of(found, cuts(data))
    assert (again, same_fault) == (shown, fault) or "spelling" in (fault, same_fault)  # which may be met sooner
    return found.format.key, found.form.key, fault, len(shown).bit_length()


def mutate(data: bytes, random: Random) -> bytes:
    """Mostly an input of another target in one of the spellings; else a change of the spelling itself."""
    if random.random() < 0.4:
        return mutate_bytes(data, random)
    target = random.choice(OTHERS)
    return random.choice(SPELLINGS)(target.mutate(random.choice(target.seeds), random))[:1 << 14]


TARGETS = (Target("cli_inspect", read, allowed=(), mutate=mutate),)
