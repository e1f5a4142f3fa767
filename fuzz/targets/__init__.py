"""All targets by name."""

from __future__ import annotations

from fuzz.harness import Target
from fuzz.targets import (
    aws_eventstream,
    cli_inspect,
    conversations,
    fakes,
    http_multipart,
    http_sse,
    openai_stream,
    recordings,
    replies,
    sigv4_verify,
    volcengine_frames,
    wav_files,
)

_MODULES = (
    aws_eventstream, volcengine_frames, http_sse, http_multipart, openai_stream, replies, recordings, wav_files,
    cli_inspect, sigv4_verify, conversations, fakes,
)

TARGETS: dict[str, Target] = {target.name: target for module in _MODULES for target in module.TARGETS}
