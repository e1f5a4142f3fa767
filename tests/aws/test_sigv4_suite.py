"""AWS's published SigV4 test suite, every case of it, also those that botocore itself skips."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sigv4_peers
import sigv4_suite
from sigv4_suite import ACCESS_KEY_ID, AT, CASES, REGION, SECRET_ACCESS_KEY, SERVICE, Case

from asrproto.aws.sigv4 import Credentials, SigV4Signer, verify_signed
from asrproto.http import HttpRequest

# The suite contradicts itself: the signature in this case's signed request is not the one in its .authz file.
WRONG_SIGNED_REQUEST = "get-vanilla-with-session-token"


@pytest.fixture(scope="session")
def suite() -> dict[str, Case]:
    return {name: sigv4_suite.load(name) for name in sigv4_suite.names()}


def signer(case: Case) -> SigV4Signer:
    credentials = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, case.session_token)
    return SigV4Signer(credentials, service=SERVICE, region=REGION, sign_session_token=case.sign_session_token)


def raw(request: HttpRequest, case: Case) -> str:
    """A request as the suite writes one down."""
    # The header that the signer adds is the only one that the suite writes with a space.
    lines = [f"{name}: {value}" if name == "Authorization" else f"{name}:{value}" for name, value in request.headers]
    head = "\n".join([f"{request.method} {case.target} HTTP/1.1", *lines])
    return f"{head}\n\n{request.body.decode()}" if request.body else head


def test_the_list_of_cases_is_the_suites(suite: dict[str, Case]) -> None:
    assert set(suite) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(suite: dict[str, Case], name: str) -> None:
    case = suite[name]
    assert signer(case).canonical_request(case.request, at=AT) == case.canonical_request
    assert signer(case).string_to_sign(case.request, at=AT) == case.string_to_sign
    signed = signer(case).sign(case.request, at=AT)
    assert signed.header("Authorization") == case.authorization
    if name == WRONG_SIGNED_REQUEST:
        assert case.authorization not in case.signed_request
    else:
        assert raw(signed, case) == case.signed_request


@pytest.mark.parametrize("name", CASES)
def test_the_service_accepts_it(suite: dict[str, Case], name: str) -> None:
    case = suite[name]
    credentials = signer(case).credentials
    verified = verify_signed(signer(case).sign(case.request, at=AT), credentials_for={ACCESS_KEY_ID: credentials}.get,
                             at=AT, region=REGION, service=SERVICE, sign_session_token=case.sign_session_token)
    assert verified.signature == case.authorization[-64:]
    assert (verified.credentials, verified.signed_at) == (credentials, AT)


PAGE = Path(__file__).parents[2] / "docs" / "signing.md"


def test_what_the_suite_lacks() -> None:
    assert {name: row["asrproto"] for name, row in sigv4_peers.probe_verdicts().items()} == dict.fromkeys(
        (probe.name for probe in sigv4_peers.PROBES), "")


def test_the_tables_in_the_docs_are_what_the_script_gives() -> None:
    page = PAGE.read_text(encoding="utf-8")
    if dict(re.findall(r"\b(awscrt|botocore) ([0-9.]+)", page)) != sigv4_peers.VERSIONS:
        pytest.skip("the tables were made with other versions of awscrt or botocore")
    assert sigv4_peers.written(page) == page
