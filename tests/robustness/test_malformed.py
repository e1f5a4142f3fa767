"""Every structural fault of every protocol gives the error that the table names, and every error has its row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from malformed import PROTOCOLS, Fault, Protocol

import asrproto
from asrproto.errors import RemoteProtocolError

ROWS = [pytest.param(protocol, fault, id=f"{protocol.title}: {fault.what}")
        for protocol in PROTOCOLS for fault in protocol.faults]


@pytest.mark.parametrize(("protocol", "fault"), ROWS)
def test_fault(protocol: Protocol, fault: Fault) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        protocol.decode(fault.data)
    assert (type(caught.value), caught.value.reason) == (fault.error, fault.reason)
    assert caught.value.__cause__ is None
    assert len(str(caught.value)) < 400


def reasons_in_the_package() -> set[str]:
    """Codes are written as ``reason="..."``, or stand in a table behind the class of their error."""
    kinds = "ChecksumMismatch|MalformedFrame|FrameTooLarge|TruncatedFrame"
    pattern = re.compile(rf'(?:reason=|\b(?:{kinds}),\s*)"([a-z0-9-]+)"')
    package = Path(asrproto.__file__).parent
    sources = [path for path in package.rglob("*.py")
               if path.name != "errors.py" and path.relative_to(package).parts[0] not in ("testing", "cli")]
    return {reason for path in sources for reason in pattern.findall(path.read_text(encoding="utf-8"))}


# Codes that no input reaches, with the reason.
GUARDS = {
    "not-one-frame",  # stands behind Message.decode, which has refused all that is not one frame
}


def test_every_reason_has_its_row() -> None:
    # in errors.py the codes stand in an example; what fakes refuse, and `asrproto inspect`
    # finds in the chunks of WAV files, is no decoder's
    assert reasons_in_the_package() - {fault.reason for _, _, faults in PROTOCOLS for fault in faults} == GUARDS
