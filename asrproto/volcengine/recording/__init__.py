"""Recognition of recorded files by a big model over HTTP: ``api/v3/auc/bigmodel``.

A recording is submitted by its URL and asked after under the same request id until it is done; the flash interface
answers at once, and takes the audio itself too. `RecordingTask` says what to do next after every answer.
"""

from asrproto.volcengine.recording.requests import (
    BASE_URL,
    Recording,
    flash_request,
    parse_query,
    parse_submit,
    query_request,
    submit_request,
)
from asrproto.volcengine.recording.task import Done, Failed, RecordingTask, Send

__all__ = [
    "BASE_URL",
    "Done",
    "Failed",
    "Recording",
    "RecordingTask",
    "Send",
    "flash_request",
    "parse_query",
    "parse_submit",
    "query_request",
    "submit_request",
]
