"""How other signers of SigV4 are asked to sign one request, and which cases each of them fails.

``python tests/aws/sigv4_peers.py`` prints two tables, of AWS's suite and of what it lacks; with a file as argument it
writes them into that file, between the comments that mark their places.
"""

from __future__ import annotations

import hmac
import re
import sys
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
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

from asrproto.aws.sigv4 import Credentials, SigV4Signer, signature_of
from asrproto.http import HttpRequest

NO_SWITCH = "has no such switch"

# --- botocore

def botocore_signed(request: HttpRequest, credentials: Credentials, *, at: datetime, service: str, region: str,
                    expires: int | None = None, params: bool = False, s3: bool = False) -> str:
    """The Authorization header, or for `expires` the URL.

    `params` hands the query over as botocore's clients do, `s3` takes its presigner for S3.
    """
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
            auth = botocore.auth.S3SigV4QueryAuth if s3 else botocore.auth.SigV4QueryAuth
            auth(key, service, region, expires).add_auth(aws_request)
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


# --- tables

SCOPE = {"service": SERVICE, "region": REGION}
Signers = dict[str, Callable[[Credentials], str | None]]


def suite_signers(case: Case) -> Signers:
    """The Authorization header of a case of the suite, by everyone; None where the case asks for what they lack."""
    request, token = case.request, {"sign_session_token": case.sign_session_token}
    signed = case.sign_session_token
    return {
        "asrproto": lambda key: SigV4Signer(key, **SCOPE, **token).sign(request, at=AT).header("Authorization"),
        "awscrt": lambda key: awscrt_signed(request, key, at=AT, **SCOPE, **token),
        "botocore, query in the URL": lambda key: botocore_signed(request, key, at=AT, **SCOPE) if signed else None,
        "botocore, query as a dict": lambda key: (
            botocore_signed(request, key, at=AT, params=True, **SCOPE) if signed else None),
    }


class Probe(NamedTuple):
    """A request that the suite lacks, with the canonical request that it ought to have."""

    name: str
    target: str
    path: str = "/"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    header_lines: str = ""
    method: str = "GET"
    body: bytes = b""
    expires: int | None = 60
    s3: bool = False
    token: str | None = None

    @property
    def request(self) -> HttpRequest:
        return HttpRequest(self.method, f"https://example.amazonaws.com{self.target}", self.headers, self.body)

    @property
    def canonical_request(self) -> str:
        query, lines = self.query, f"{self.header_lines}host:example.amazonaws.com"
        payload = "UNSIGNED-PAYLOAD" if self.s3 else sha256(self.body).hexdigest()
        if self.expires is None:
            lines += "\nx-amz-date:20150830T123600Z"
        else:
            query = query.format(
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice"
                "%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host")
        names = ";".join(line.partition(":")[0] for line in lines.split("\n"))
        return f"{self.method}\n{self.path}\n{query}\n{lines}\n\n{names}\n{payload}"


HANDSHAKE = (("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw=="),
             ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Extensions", "permessage-deflate"))
PROBES = (
    Probe("a parameter given twice alike, presigned", "/?a=1&a=1", query="{}&a=1&a=1"),
    Probe("raw UTF-8 in the query, presigned", "/?\u1234=1", query="%E1%88%B4=1&{}"),
    Probe("a byte in the query that is not UTF-8, presigned", "/?a=%FF", query="{}&a=%FF"),
    Probe("escapes in lower case", "/?a=%c3%a9", query="a=%C3%A9", expires=None),
    Probe("a raw plus in the query", "/?a=x+y", query="a=x%20y", expires=None),
    Probe("a raw plus in the query, presigned", "/?a=x+y", query="{}&a=x%20y"),
    Probe("a no-break space in a header", "/", headers=(("A", "x\u00a0 y"),), header_lines="a:x\u00a0 y\n",
          expires=None),
    Probe("a body, presigned", "/", query="{}", method="POST", body=b"body"),
    Probe("the headers of a WebSocket handshake, presigned", "/", query="{}", headers=HANDSHAKE),
    Probe("a session token appended after signing, presigned", "/", query="{}", token="session/token"),
    Probe("S3: a path that is not normalised, presigned", "/a//b/../c%20d", "/a//b/../c%20d", "{}", s3=True),
    Probe("S3: a path that is not encoded, presigned", "/a$b", "/a%24b", "{}", s3=True),
)


def probe_signers(probe: Probe) -> Signers:
    """The signature of a probe by everyone; None where it asks for what they lack."""
    request, expires = probe.request, {"expires": probe.expires}
    options = {"normalize_path": not probe.s3, "double_encode_path": not probe.s3, "sign_session_token": False}
    payload = {"payload_hash": "UNSIGNED-PAYLOAD"} if probe.s3 else {}

    def ours(key: Credentials) -> str:
        signer = SigV4Signer(key, **SCOPE, **options)
        return signature_of(signer.sign(request, at=AT, **payload) if probe.expires is None
                            else signer.presign(request, at=AT, **payload, **expires))

    return {
        "asrproto": ours,
        "awscrt": lambda key: awscrt_signed(request, key, at=AT, **SCOPE, **options, **payload, **expires),
        "botocore": lambda key: (None if probe.token else
                                 botocore_signed(request, key, at=AT, **SCOPE, s3=probe.s3, **expires)),
    }


def reference(canonical: str) -> str:
    """The signature that belongs to a canonical request, by the letter of AWS's description."""
    key = b"AWS4" + SECRET_ACCESS_KEY.encode()
    for part in (b"20150830", REGION.encode(), SERVICE.encode(), b"aws4_request"):
        key = hmac.digest(key, part, "sha256")
    to_sign = (f"AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/{REGION}/{SERVICE}/aws4_request\n"
               f"{sha256(canonical.encode()).hexdigest()}")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def verdict(sign: Callable[[Credentials], str | None], token: str | None, signature: str) -> str:
    """Empty if `sign` comes to `signature`, else what it does instead."""
    try:
        signed = sign(Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, token))
    except Exception as error:
        return f"raises {type(error).__name__}"
    if signed is None:
        return NO_SWITCH
    return "" if signature in signed else "signs something else"


def verdicts(signers: Signers, token: str | None, signature: str) -> dict[str, str]:
    return {who: verdict(sign, token, signature) for who, sign in signers.items()}


def suite_verdicts() -> dict[str, dict[str, str]]:
    cases = map(sigv4_suite.load, CASES)
    return {case.name: verdicts(suite_signers(case), case.session_token, case.authorization[-64:]) for case in cases}


def probe_verdicts() -> dict[str, dict[str, str]]:
    return {probe.name: verdicts(probe_signers(probe), probe.token, reference(probe.canonical_request))
            for probe in PROBES}


VERSIONS = {"awscrt": awscrt.__version__, "botocore": botocore.__version__}


def table(found: dict[str, dict[str, str]]) -> str:
    """A Markdown table of the cases that someone fails, and the count of all that each passes."""
    everyone = list(next(iter(found.values())))
    heads = [re.sub(r"^(awscrt|botocore)", lambda name: f"{name[0]} {VERSIONS[name[0]]}", who) for who in everyone]
    rows = [[name, *(text or "passes" for text in row.values())] for name, row in found.items() if any(row.values())]
    passed = [f"**{sum(not row[who] for row in found.values())}**" for who in everyone]
    rows.append([f"**passed, of {len(found)}**", *passed])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (["case", *heads], ["---"] * (len(heads) + 1), *rows))


TABLES = {"suite": suite_verdicts, "beyond the suite": probe_verdicts}


def written(text: str) -> str:
    """`text` with the tables in their places."""
    for name, found in TABLES.items():
        begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
        head, _, rest = text.partition(begin)
        text = f"{head}{begin}{table(found())}{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    if len(sys.argv) > 1:
        path = Path(sys.argv[1])
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print("\n\n".join(table(found()) for found in TABLES.values()))
