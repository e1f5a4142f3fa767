"""What a fuzz target is, and what counts as a finding.

The contract is h11's, in one sentence: whatever the bytes, a decoder accepts them or raises an error of its own list.
A target's `read` decodes its input, checks whatever must hold of what came out (an AssertionError is a finding) and
returns in few words what it saw, so that a driver can tell a new behaviour from a known one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from asrproto.errors import RemoteProtocolError
from fuzz import mutate

__all__ = ["CORPUS", "FINDINGS", "Target", "cuts", "execute", "fail_alike"]

CORPUS = Path(__file__).parent / "corpus"
FINDINGS = Path(__file__).parent / "findings"

_REASON = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Target:
    """One decoder under fuzzing.

    Parameters
    ----------
    name : str
        Its seeds are in ``corpus/NAME/``.
    read : callable
        Takes the input; gives what it saw in few words.
    allowed : tuple of exception classes
        What may leave `read`; anything else is a finding.
    mutate : callable
        Changes an input in the terms of its format, checksums and lengths repaired.
    """

    name: str
    read: Callable[[bytes], Hashable]
    allowed: tuple[type[Exception], ...] = (RemoteProtocolError,)
    mutate: Callable[[bytes, Random], bytes] = mutate.mutate_bytes

    @property
    def seeds(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((CORPUS / self.name).glob("*"))]


def execute(target: Target, data: bytes) -> Hashable:
    """What the target saw; raises where `data` is a finding."""
    try:
        return target.read(data)
    except target.allowed as error:
        caught = error
    if isinstance(caught, RemoteProtocolError):
        assert _REASON.fullmatch(caught.reason), f"{caught.reason!r} is no stable code"
        assert caught.offset is None or 0 <= caught.offset <= len(data), f"offset {caught.offset} of {len(data)}"
    return type(caught).__name__, getattr(caught, "reason", None)


def cuts(data: bytes) -> Iterator[bytes]:
    """`data` in pieces whose sizes follow from `data` alone; empty ones among them."""
    random = Random(len(data) << 8 | sum(data) & 255)
    at = 0
    while at < len(data):
        size = random.choice((0, 1, 1, 2, 3, 7, 12, 40, 200, 1000))
        yield data[at:at + size]
        at += size


def fail_alike(one: RemoteProtocolError | None, other: RemoteProtocolError | None) -> bool:
    """Whether two ways of feeding the same bytes ended in the same error, or both in none."""
    return type(one) is type(other) and (one is None or other is None or (
        (one.reason, one.offset) == (other.reason, other.offset)))
