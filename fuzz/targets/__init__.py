"""All targets by name."""

from __future__ import annotations

from fuzz.harness import Target
from fuzz.targets import conversations, http_sse, sigv4_verify, volcengine_frames

_MODULES = (http_sse, sigv4_verify, volcengine_frames, conversations)

TARGETS: dict[str, Target] = {target.name: target for module in _MODULES for target in module.TARGETS}
