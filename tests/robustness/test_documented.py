"""docs/robustness.md shows what the tests demand and what the fuzz targets have seen."""

from __future__ import annotations

import re

from malformed import PROTOCOLS
from write_tables import PAGE, fuzz_rows, our_cells, table

import asrproto.aws.eventstream
from asrproto.openai._open_text import MAX_OPEN_TEXT
from asrproto.volcengine.frames import MAX_PAYLOAD_SIZE
from fuzz.__main__ import read_seen
from fuzz.targets import TARGETS

TEXT = PAGE.read_text(encoding="utf-8")


def test_every_fault_stands_in_the_page_as_it_is() -> None:
    shown = re.search("<!-- malformed: begin -->(.*)<!-- malformed: end -->", TEXT, re.S)
    assert shown
    rows = [tuple(line.strip("| ").split(" | ")[:2]) for line in shown[1].splitlines()
            if line.startswith("| ") and not line.startswith(("| fault", "| ---"))]
    assert rows == [(fault.what, our_cells(protocol, fault)) for protocol in PROTOCOLS for fault in protocol.faults]


def test_counts_of_fuzzing_are_those_of_the_runs() -> None:
    assert "\n".join(table(["target", "built-in driver", "Atheris"], fuzz_rows())) in TEXT
    assert read_seen().keys() <= TARGETS.keys()


def test_bounds_are_the_defaults() -> None:
    for bound, shown in ((asrproto.aws.eventstream.MAX_MESSAGE_SIZE, "| event-stream frame | 24 MiB |"),
                         (asrproto.aws.eventstream.MAX_HEADERS_SIZE, "| its header block | 128 KiB |"),
                         (MAX_PAYLOAD_SIZE, "| Volcengine payload, as it travels and as it unpacks | 16 MiB |"),
                         (MAX_OPEN_TEXT, "| OpenAI: text and stretches that are open, together | 1 Mi characters |")):
        number, unit = re.findall(r"\| (\d+) (\w+)[ \w]*\|$", shown)[0]
        assert bound == int(number) << {"KiB": 10, "MiB": 20, "Mi": 20}[unit]
        assert shown in TEXT
