"""The same protocols seen from the service's side, so that a client can be tested without the service.

A fake is sans-IO like everything else: it takes the client's handshake and messages and gives the service's answers.
Whatever carries them (a loopback socket, a test's for loop) is the caller's.
"""

from asrproto.testing.recogniser import Recogniser, RecogniserFactory, ScriptedRecogniser, hearing_with
from asrproto.testing.service import (
    FailingConversation,
    FailingHttpService,
    FailingStreamingService,
    FakeConversation,
    FakeHttpService,
    FakeStreamingService,
    HandshakeRefused,
)

__all__ = [
    "FailingConversation",
    "FailingHttpService",
    "FailingStreamingService",
    "FakeConversation",
    "FakeHttpService",
    "FakeStreamingService",
    "HandshakeRefused",
    "Recogniser",
    "RecogniserFactory",
    "ScriptedRecogniser",
    "hearing_with",
]
