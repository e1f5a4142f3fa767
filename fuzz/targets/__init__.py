"""All targets by name."""

from __future__ import annotations

from fuzz.harness import Target
from fuzz.targets import aws_eventstream, conversations, http_sse, replies, sigv4_verify, volcengine_frames

_MODULES = (aws_eventstream, http_sse, sigv4_verify, volcengine_frames, replies, conversations)

TARGETS: dict[str, Target] = {target.name: target for module in _MODULES for target in module.TARGETS}
