"""What a fault means, in words for somebody who does not know the format: by format, then by the decoder's reason."""

from __future__ import annotations

__all__ = ["MEANINGS", "meaning"]

_ALTERED = ("The bytes are not those that were sent. They may have been decoded as text and encoded again, had their "
            "line ends converted, been edited or translated, or lost a piece when they were copied.")
_LIES = "Its checksums hold, so these bytes were sent like this: the program that made the frame has a fault."
_CUT = ("The bytes end before the frame does: the file was cut short, only a part was copied, or the connection broke. "
        "What stands before is complete.")
_LIMIT = "This is over the limit that services set, so it was not read any further."

MEANINGS: dict[str, dict[str, str]] = {
    "AWS event stream": {
        "prelude-checksum": "The first twelve bytes of a frame contradict their checksum. " + _ALTERED + " If frames "
                            "before this one are good, a byte was lost or added in the one before it.",
        "message-checksum": "The frame has a length that fits, but its content contradicts its checksum. " + _ALTERED,
        "total-length": "No frame can be that short. " + _LIES,
        "headers-length": "The headers would run past the end of their frame. " + _LIES,
        "message-too-large": _LIMIT + " A frame may have 24 MiB.",
        "headers-too-large": _LIMIT + " Headers may have 128 KiB.",
        "empty-header-name": "Every header needs a name. " + _LIES,
        "header-overrun": "A header says that it is longer than the header block. " + _LIES,
        "unknown-header-type": "The byte after a header's name must be 0 to 9, the type of its value. " + _LIES,
        "header-value-too-long": "A value has at most 32767 bytes. " + _LIES,
        "header-name-encoding": "Names are UTF-8. " + _LIES,
        "header-value-encoding": "Values of the type string are UTF-8; other bytes have type 6. " + _LIES,
        "repeated-header": "A header comes once. " + _LIES,
        "truncated-frame": _CUT,
        "trailing-bytes": "A signed frame wraps exactly one frame, and there is more in it. " + _LIES,
    },
    "Volcengine frames": {
        "truncated-header": _CUT,
        "truncated-error-code": _CUT,
        "truncated-sequence": _CUT + " Or the flags say that there is a sequence number, and there is none.",
        "truncated-event": _CUT + " Or the flags say that there is an event number, and there is none.",
        "truncated-connection-id": _CUT,
        "truncated-session-id": _CUT,
        "truncated-payload-size": _CUT + " Or flags and fields do not agree, so that the size is looked for too late.",
        "truncated-payload": _CUT + " Or flags and fields do not agree, so that something else was read as the size.",
        "version": "The first half-byte must be 1. If frames before this one are good, one of them has another length "
                   "than it says; or these are bytes of something else.",
        "header-size": "The second half-byte counts the header in words of four bytes, at least one.",
        "connection-id-utf8": "Ids are UTF-8. " + _ALTERED,
        "session-id-utf8": "Ids are UTF-8. " + _ALTERED,
        "trailing-bytes": "A WebSocket message is exactly one frame.",
        "payload-size": _LIMIT + " A payload may have 16 MiB.",
        "gzip": "The header says that the payload is packed with gzip, and it is not. A response's compression is its "
                "own: read it from the response's header, not from the request's.",
        "gzip-truncated": "The packed payload has no end: it was cut before it was put into the frame.",
        "gzip-trailing-bytes": "Something follows the packed payload inside the frame.",
        "payload-bomb": _LIMIT + " A payload may unpack to 16 MiB.",
    },
    "recorded session": {
        "not-json": "Every line of a recording is a JSON object. " + _ALTERED,
        "wrong-shape": "The line is JSON, but not a message of a recording; was the file made by something else?",
        "not-base64": "Binary messages stand in a recording as Base64. " + _ALTERED,
        "cut-short": "The recording was cut, or its program ended while it wrote the line.",
        "line-too-long": "Services' messages are far shorter, so this was not read any further.",
    },
    "Server-Sent Events": {
        "line-too-long": _LIMIT + " A line may have 8 MiB.",
        "event-too-large": _LIMIT + " An event may have 16 MiB of data.",
        "event-cut-off": "An event ends with an empty line, and that is missing: the connection broke before the "
                         "service was done, or the last line was not copied.",
    },
    "WAV": {
        "not-wav": "The first twelve bytes are not RIFF, a size and WAVE.",
        "fmt-size": "The fmt chunk says what the samples are, and needs 16 bytes.",
        "fmt-fields": "The fmt chunk contradicts itself, so the samples cannot be read.",
        "data-before-fmt": "The samples come before the chunk that says what they are.",
        "truncated-header": "The file was cut before its samples begin, or its chunks have wrong sizes.",
        "truncated-data": "Samples are missing: the file was cut short, or written by a program that was stopped "
                          "before it could correct the header.",
        "truncated-chunk": "Something behind the samples is cut off; the samples themselves are complete.",
    },
}


def meaning(format: str, reason: str) -> str:
    """What `reason` means in `format`; nothing where there is no more to say than the message does."""
    return MEANINGS.get(format, {}).get(reason, "")
