"""``python tests/robustness/write_tables.py``: measure, and write the tables of docs/robustness.md.

Every malformed input goes through our decoder and those of others, as they are installed; what the fuzz targets have
seen is taken from ``fuzz/inputs.json``. Everything between the markers of the page is replaced.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT), str(Path(__file__).parent)]

from malformed import PROTOCOLS, Fault, Protocol  # noqa: E402

from asrproto.audio import wav  # noqa: E402
from asrproto.aws.eventstream import encode_message  # noqa: E402
from asrproto.errors import RemoteProtocolError  # noqa: E402
from fuzz.targets import TARGETS  # noqa: E402

__all__ = ["PAGE", "fuzz_rows", "our_cells", "tables"]

PAGE = ROOT / "docs" / "robustness.md"
SEEN = ROOT / "fuzz" / "inputs.json"
Decode = Callable[[Any], str]
EVENT = encode_message({":message-type": "event", ":event-type": "TranscriptEvent"},
                       b'{"Transcript":{"Results":[{"Alternatives":[]}]}}')


def botocore(data: bytes) -> str:
    from botocore.eventstream import EventStreamBuffer

    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return told(list(buffer))


def amazon_transcribe(data: bytes) -> str:
    from amazon_transcribe.eventstream import EventStreamBuffer

    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return told(list(buffer))


def amazon_transcribe_events(messages: list[Any]) -> str:
    from amazon_transcribe.deserialize import TranscribeStreamingEventParser
    from amazon_transcribe.eventstream import EventStreamBuffer

    buffer = EventStreamBuffer()
    events = []
    for message in messages:
        buffer.add_data(message)
        events += [TranscribeStreamingEventParser().parse(raw) for raw in buffer]
    return told(events)


def openai_stream(data: bytes) -> str:
    from openai._streaming import SSEDecoder

    return told(list(SSEDecoder().iter_bytes(iter([data]))))


def openai_client(reply: tuple[str, bytes]) -> str:

    import httpx2 as httpx

    import openai

    kind = "application/json" if reply[0].endswith("json") else "text/plain"
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers={"content-type": kind}, content=reply[1]))
    client = openai.OpenAI(api_key="made-up", http_client=httpx.Client(transport=transport), max_retries=0)
    made: Any = client.audio.transcriptions.create(file=b"x", model="m", response_format=reply[0])
    return f"accepted: `{made if isinstance(made, str) else getattr(made, 'text', made)!r:.30}`"


def standard_wave(data: bytes) -> str:
    import io
    import wave

    with wave.open(io.BytesIO(data)) as file:
        return f"accepted: {len(file.readframes(file.getnframes()))} bytes"


def scipy_wavfile(data: bytes) -> str:
    import io
    import warnings

    from scipy.io import wavfile

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        samples = wavfile.read(io.BytesIO(data))[1]
    return f"accepted: {samples.nbytes} bytes{', with a warning' if warned else ''}"


def told(items: list[Any]) -> str:
    return f"accepted: {len(items)} message{'s' * (len(items) != 1)}" if items else "waits, or nothing"


# What each of the others must accept before what it makes of faults is believed.
GOOD: dict[str, Any] = {
    "AWS event stream": EVENT,
    "AWS event stream, exactly one frame": EVENT,
    "Amazon Transcribe over WebSocket": [EVENT],
    "Amazon Transcribe over HTTP/2": [EVENT],
    "WAV files": wav.header(rate=8000, channels=1, data_size=4) + b"abcd",
    "Server-Sent Events": b"data: {}\n\n",
    "OpenAI transcriptions": ("json", b'{"text":"go"}'),
}

PEERS: dict[str, dict[str, Decode]] = {
    "AWS event stream": {"botocore": botocore, "amazon-transcribe": amazon_transcribe},
    "AWS event stream, exactly one frame": {"botocore": botocore, "amazon-transcribe": amazon_transcribe},
    "Amazon Transcribe over WebSocket": {"amazon-transcribe": amazon_transcribe_events},
    "Amazon Transcribe over HTTP/2": {"amazon-transcribe": amazon_transcribe_events},
    "WAV files": {"scipy": scipy_wavfile, "wave": standard_wave},
    "Server-Sent Events": {"openai": openai_stream},
    "OpenAI transcriptions": {"openai": openai_client},
}


def outcome(decode: Decode, fault: Fault) -> str:
    """What another decoder makes of a fault; bare is an exception that is not its own."""
    try:
        return decode(fault.data)
    except Exception as error:
        kind = type(error)
        own = kind.__module__.partition(".")[0] in ("botocore", "amazon_transcribe", "openai", "wave")
        return f"`{kind.__name__}`" if own else f"bare `{kind.__name__}`"


def our_cells(protocol: Protocol, fault: Fault) -> str:
    try:
        protocol.decode(fault.data)
    except RemoteProtocolError as error:
        return f"`{type(error).__name__}` {error.reason}"
    return "accepted"


def named(peer: str) -> str:
    return f"{peer} {version(peer) if peer != 'wave' else 'of Python {}.{}'.format(*sys.version_info)}"


def table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def malformed_tables() -> Iterator[str]:
    for protocol in PROTOCOLS:
        peers = PEERS.get(protocol.title, {})
        for name, peer in peers.items():
            if not peer(GOOD[protocol.title]).startswith("accepted"):
                raise SystemExit(f"{name} does not accept what is right; is it called as it should be?")
        yield f"### {protocol.title}"
        yield ""
        yield from table(["fault", "asrproto", *map(named, peers)], [
            [fault.what, our_cells(protocol, fault), *(outcome(peer, fault) for peer in peers.values())]
            for fault in protocol.faults])
        yield ""


def fuzz_rows() -> list[list[str]]:
    seen = json.loads(SEEN.read_text())
    rows = [[f"`{name}`", f"{seen.get(name, {}).get('builtin', 0):,}", f"{seen.get(name, {}).get('atheris', 0):,}"]
            for name in TARGETS]
    total = sum(sum(counts.values()) for name, counts in seen.items() if name in TARGETS)
    return [*rows, ["all", f"{total:,} in all", ""]]


def tables() -> dict[str, str]:
    """The text between each pair of markers."""
    return {"malformed": "\n".join(malformed_tables()).strip(),
            "fuzz": "\n".join(table(["target", "built-in driver", "Atheris"], fuzz_rows()))}


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, text in tables().items():
        head, begin, rest = page.partition(f"<!-- {name}: begin -->")
        _, end, tail = rest.partition(f"<!-- {name}: end -->")
        page = f"{head}{begin}\n{text}\n{end}{tail}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
