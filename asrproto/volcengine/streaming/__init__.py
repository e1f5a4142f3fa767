"""The two streaming conversations: with a big model (``api/v3/sauc``), and the older one (``api/v2/asr``)."""

from asrproto.volcengine.streaming.bigmodel import BigModelSession
from asrproto.volcengine.streaming.legacy import LegacySession

__all__ = ["BigModelSession", "LegacySession"]
