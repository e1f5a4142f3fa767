"""How other signers of SigV4 are asked to sign one request, and which cases of AWS's suite each of them fails.

``python tests/aws/sigv4_peers.py`` prints the table; with a file as argument it writes the table into that file,
between the two comments that mark its place.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import awscrt
import awscrt.auth
import awscrt.http
import botocore
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import sigv4_suite
from sigv4_suite import ACCESS_KEY_ID, AT, CASES, REGION, SECRET_ACCESS_KEY, SERVICE, Case

from asrproto.aws.sigv4 import Credentials, SigV4Signer
from asrproto.http import HttpRequest

BEGIN, END = "<!-- suite table: begin -->", "<!-- suite table: end -->"


# --- botocore

def botocore_signed(request: HttpRequest, credentials: Credentials, *, at: datetime, service: str, region: str,
                    expires: int | None = None, params: bool = False) -> str:
    """The Authorization header, or for `expires` the URL; `params` hands the query over as botocore's clients do."""
    url, query = request.url, {}
    if params:
        url, _, text = request.url.partition("?")
        query = dict(parse_qsl(text, keep_blank_values=True))
    aws_request = botocore.awsrequest.AWSRequest(method=request.method, url=url, params=query, data=request.body)
    for name, value in request.headers:
        aws_request.headers.add_header(name, value)
    key = botocore.credentials.Credentials(credentials.access_key_id, credentials.secret_access_key,
                                           credentials.session_token)
    with mock.patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        if expires is not None:
            botocore.auth.SigV4QueryAuth(key, service, region, expires).add_auth(aws_request)
            return aws_request.url
        botocore.auth.SigV4Auth(key, service, region).add_auth(aws_request)
    return aws_request.headers["Authorization"]


# --- awscrt

def awscrt_signed(request: HttpRequest, credentials: Credentials, *, at: datetime, service: str, region: str,
                  expires: int | None = None, payload_hash: str | None = None, normalize_path: bool = True,
                  double_encode_path: bool = True, sign_session_token: bool = True) -> str:
    """The Authorization header, or for `expires` the path and query."""
    target = re.fullmatch(r"[^:]+://[^/?#]*(.*)", request.url, re.DOTALL)[1]
    # The CRT refuses requests with a header that it is about to add.
    headers = [(name, value) for name, value in request.headers
               if name.lower() not in ("x-amz-date", "x-amz-security-token", "authorization")]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(("Host", urlsplit(request.url).netloc))
    config = awscrt.auth.AwsSigningConfig(
        algorithm=awscrt.auth.AwsSigningAlgorithm.V4,
        signature_type=(awscrt.auth.AwsSignatureType.HTTP_REQUEST_HEADERS if expires is None
                        else awscrt.auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS),
        credentials_provider=awscrt.auth.AwsCredentialsProvider.new_static(
            credentials.access_key_id, credentials.secret_access_key, credentials.session_token),
        region=region, service=service, date=at, use_double_uri_encode=double_encode_path,
        should_normalize_uri_path=normalize_path, signed_body_value=payload_hash, expiration_in_seconds=expires,
        omit_session_token=not sign_session_token)
    crt_request = awscrt.http.HttpRequest(request.method, target, awscrt.http.HttpHeaders(headers),
                                          BytesIO(request.body) if request.body else None)
    signed = awscrt.auth.aws_sign_request(crt_request, config).result(10)
    return signed.path if expires is not None else signed.headers.get("Authorization")


# --- the suite

def _asrproto(case: Case, credentials: Credentials) -> str:
    signer = SigV4Signer(credentials, service=SERVICE, region=REGION, sign_session_token=case.sign_session_token)
    return signer.sign(case.request, at=AT).header("Authorization")


def _botocore(case: Case, credentials: Credentials, *, params: bool) -> str:
    if not case.sign_session_token:
        raise NotImplementedError("no switch for a token that is not signed")
    return botocore_signed(case.request, credentials, at=AT, service=SERVICE, region=REGION, params=params)


def _awscrt(case: Case, credentials: Credentials) -> str:
    return awscrt_signed(case.request, credentials, at=AT, service=SERVICE, region=REGION,
                         sign_session_token=case.sign_session_token)


SIGNERS: dict[str, Callable[[Case, Credentials], str]] = {
    "asrproto": _asrproto,
    f"botocore {botocore.__version__}, query in the URL": lambda case, key: _botocore(case, key, params=False),
    f"botocore {botocore.__version__}, query as a dict": lambda case, key: _botocore(case, key, params=True),
    f"awscrt {awscrt.__version__}": _awscrt,
}


def verdict(signer: Callable[[Case, Credentials], str], case: Case) -> str:
    """Empty if `signer` signs the case as the suite says, else what it does instead."""
    credentials = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, case.session_token)
    try:
        return "" if signer(case, credentials) == case.authorization else "another signature"
    except Exception as error:
        return f"{type(error).__name__}"


def table() -> str:
    """A Markdown table: one row for each case that some signer fails, and the count of all."""
    cases = [sigv4_suite.load(name) for name in CASES]
    verdicts = {who: {case.name: verdict(signer, case) for case in cases} for who, signer in SIGNERS.items()}
    lines = [f"| case | {' | '.join(SIGNERS)} |", f"|---|{'---|' * len(SIGNERS)}"]
    for case in cases:
        row = [verdicts[who][case.name] for who in SIGNERS]
        if any(row):
            lines.append(f"| {case.name} | {' | '.join(text or 'passes' for text in row)} |")
    passed = [sum(not text for text in verdicts[who].values()) for who in SIGNERS]
    lines.append(f"| **passed, of {len(cases)}** | {' | '.join(f'**{count}**' for count in passed)} |")
    return "\n".join(lines)


def written(text: str) -> str:
    """`text` with the table in its place."""
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        path = Path(sys.argv[1])
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())
