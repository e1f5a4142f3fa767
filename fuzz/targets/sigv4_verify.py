"""Signatures as a service sees them: hostile requests are refused, what botocore signed is accepted.

The input is a request as text: ``METHOD URL``, header lines, an empty line, the body. A mutated request is signed
again, so that what is checked behind the signature is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime, timezone
from random import Random

from asrproto.aws.sigv4 import Credentials, SignatureRejected, SigV4Signer, Verified, verify_presigned, verify_signed
from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest
from fuzz.harness import Target
from fuzz.mutate import mutate_lines

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
CREDENTIALS = Credentials("AKIDEXAMPLE", "made-up/secret+of/no+account/anywhere+0")
SIGNER = SigV4Signer(CREDENTIALS, service="transcribe", region="us-east-1")
KNOWN = {CREDENTIALS.access_key_id: CREDENTIALS}


def request_of(data: bytes) -> HttpRequest:
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    method, _, url = first.partition(" ")
    pairs = (line.partition(":") for line in lines)
    return HttpRequest(method, url, [(name, value) for name, _, value in pairs], body)


def text_of(request: HttpRequest) -> bytes:
    lines = [f"{request.method} {request.url}", *(f"{name}:{value}" for name, value in request.headers)]
    return "\n".join(lines).encode("utf-8", "replace") + b"\n\n" + request.body


def outcome(verify: Callable[..., Verified], request: HttpRequest) -> str:
    try:
        verified = verify(request, credentials_for=KNOWN.get, at=AT, service="transcribe")
    except SignatureRejected as rejected:
        told = f"{rejected}{rejected!r}{rejected.canonical_request}{rejected.string_to_sign}"
        if CREDENTIALS.secret_access_key in told:
            raise AssertionError("the refusal tells the secret") from None
        return rejected.reason
    assert verified.credentials == CREDENTIALS
    return "accepted"


def read(data: bytes) -> Hashable:
    request = request_of(data)
    return outcome(verify_presigned, request), outcome(verify_signed, request)


def mutate(data: bytes, random: Random) -> bytes:
    changed = mutate_lines(data, random)
    if random.random() < 0.5:
        return changed
    request = request_of(changed)
    try:
        if random.random() < 0.5:
            return text_of(SIGNER.presign(request, at=AT, expires=300))
        return text_of(SIGNER.sign(request, at=AT))
    except LocalProtocolError:
        return changed


TARGETS = (Target("sigv4_verify", read, allowed=(LocalProtocolError,), mutate=mutate),)
