"""Everything a speech-recognition client needs except the socket.

Samples go in, wire messages and signed requests come out; bytes from the service go in, transcripts come out. There
is no networking here, no thread and no hidden clock. This module holds the vocabulary that all services share; each
service is a package of its own (``asrproto.aws``, ``asrproto.volcengine``, ``asrproto.youdao``, ``asrproto.openai``),
beside ``asrproto.audio``, ``asrproto.http`` and, for tests, ``asrproto.testing``.

Importing it loads neither numpy nor any service.
"""

from asrproto.errors import (
    AsrProtoError,
    ChecksumMismatch,
    FrameTooLarge,
    LocalProtocolError,
    MalformedFrame,
    RemoteProtocolError,
    ServiceError,
    TruncatedFrame,
)
from asrproto.events import (
    Alternative,
    Event,
    SessionEnded,
    SessionFailed,
    SessionStarted,
    Transcript,
    UnknownEvent,
    Word,
)
from asrproto.session import StreamingSession

__version__ = "0.1.0"

__all__ = [
    "Alternative",
    "AsrProtoError",
    "ChecksumMismatch",
    "Event",
    "FrameTooLarge",
    "LocalProtocolError",
    "MalformedFrame",
    "RemoteProtocolError",
    "ServiceError",
    "SessionEnded",
    "SessionFailed",
    "SessionStarted",
    "StreamingSession",
    "Transcript",
    "TruncatedFrame",
    "UnknownEvent",
    "Word",
    "__version__",
]
