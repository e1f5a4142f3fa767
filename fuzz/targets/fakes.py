"""The fakes of `asrproto.testing`: whatever a client sends, they answer as their service would, and never raise."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from random import Random

from asrproto.testing import HandshakeRefused
from fuzz.conversations import AT, CONVERSATIONS
from fuzz.harness import Target
from fuzz.mutate import unpack_messages
from fuzz.targets import conversations


def read(name: str, data: bytes) -> Hashable:
    conversation = CONVERSATIONS[name]
    fake = conversation.service().accept(conversation.session().handshake(), at=AT)
    answers = [len(fake.receive(message)) for message in unpack_messages(data)]
    fake.receive_eof()
    return tuple(answers[:8]), fake.closed


def mutate(name: str, data: bytes, random: Random) -> bytes:
    return conversations.mutate(name, data, random)


TARGETS = tuple(Target(f"fake_{name}", partial(read, name), allowed=(HandshakeRefused,), mutate=partial(mutate, name))
                for name in CONVERSATIONS)
