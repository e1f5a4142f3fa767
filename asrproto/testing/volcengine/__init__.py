"""Volcengine's speech services seen from their own side.

Each checks what the real one checks (headers, signatures, frames, sequences, exactly one last packet, formats) and
answers errors in its way.
"""

from asrproto.testing.volcengine.recording import RecordingService
from asrproto.testing.volcengine.streaming import BigModelService, LegacyService

__all__ = ["BigModelService", "LegacyService", "RecordingService"]
