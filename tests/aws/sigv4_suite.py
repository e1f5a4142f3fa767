"""AWS's published SigV4 test suite, in the edition that botocore's source distribution carries.

It is fetched through pip into ``.cache/`` once and never committed. Each case is a folder of five files: the raw
request (``.req``), its canonical request (``.creq``), string to sign (``.sts``), ``Authorization`` header (``.authz``)
and the signed request (``.sreq``).
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from asrproto.http import HttpRequest

SDIST = "botocore==1.44.5"
SHA256 = "a988f39e3a4484def0b8010f41128f71157da0515a4804fccce4739aa8f216da"
FOLDER = "tests/unit/auth/aws4_testsuite"
CACHE = Path(__file__).parents[2] / ".cache" / f"aws4_testsuite-{SDIST.replace('==', '-')}"

# What the suite's credential scope and its dates say; the secret is the suite's own made-up one.
ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"
SERVICE = "service"
AT = datetime(2015, 8, 30, 12, 36, tzinfo=timezone.utc)

CASES = (
    "get-header-key-duplicate",
    "get-header-value-multiline",
    "get-header-value-order",
    "get-header-value-trim",
    "get-unreserved",
    "get-utf8",
    "get-vanilla",
    "get-vanilla-empty-query-key",
    "get-vanilla-query",
    "get-vanilla-query-order-encoded",
    "get-vanilla-query-order-key",
    "get-vanilla-query-order-key-case",
    "get-vanilla-query-order-value",
    "get-vanilla-query-unreserved",
    "get-vanilla-utf8-query",
    "get-vanilla-with-session-token",
    "normalize-path/get-relative",
    "normalize-path/get-relative-relative",
    "normalize-path/get-slash",
    "normalize-path/get-slash-dot-slash",
    "normalize-path/get-slash-pointless-dot",
    "normalize-path/get-slashes",
    "normalize-path/get-space",
    "normalize-path/get-special-character",
    "post-header-key-case",
    "post-header-key-sort",
    "post-header-value-case",
    "post-sts-token/post-sts-header-after",
    "post-sts-token/post-sts-header-before",
    "post-vanilla",
    "post-vanilla-empty-query-value",
    "post-vanilla-query",
    "post-x-www-form-urlencoded",
    "post-x-www-form-urlencoded-parameters",
)


class Case(NamedTuple):
    """One case of the suite."""

    name: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    session_token: str | None
    sign_session_token: bool
    canonical_request: str
    string_to_sign: str
    authorization: str
    signed_request: str

    @property
    def host(self) -> str:
        return dict(self.headers)["Host"]

    @property
    def request(self) -> HttpRequest:
        return HttpRequest(self.method, f"https://{self.host}{self.target}", self.headers, self.body)


def folder() -> Path:
    """Where the suite lies, fetched if it is not there yet."""
    if not CACHE.exists():
        CACHE.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as work:
            done = subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                 "--no-binary", "botocore", "--dest", work, SDIST], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"cannot fetch AWS's SigV4 test suite: pip download {SDIST} failed; it needs a "
                                   f"package index once, later runs use {CACHE}\n{done.stderr}")
            (sdist,) = Path(work).glob("*.tar.gz")
            assert hashlib.sha256(sdist.read_bytes()).hexdigest() == SHA256, f"{sdist.name} is not the pinned one"
            suite = Path(work) / "suite"
            with tarfile.open(sdist) as archive:
                for member in archive:
                    _, inside, name = member.name.partition(f"/{FOLDER}/")
                    if inside and member.isfile():
                        (suite / name).parent.mkdir(parents=True, exist_ok=True)
                        (suite / name).write_bytes(archive.extractfile(member).read())
            try:
                suite.rename(CACHE)
            except OSError:  # another test process was faster
                assert CACHE.exists()
    return CACHE


def names() -> set[str]:
    """The cases that the fetched edition holds."""
    return {path.parent.relative_to(folder()).as_posix() for path in folder().rglob("*.req")}


def load(name: str) -> Case:
    """Read one case."""
    stem = folder() / name / name.rpartition("/")[2]
    request, canonical, to_sign, authorization, signed = (
        stem.with_suffix(kind).read_bytes().decode() for kind in (".req", ".creq", ".sts", ".authz", ".sreq"))
    head, _, body = request.partition("\n\n")
    first, *lines = head.split("\n")
    method, target = re.fullmatch(r"(\S+) (.*) HTTP/1\.1", first).groups()
    token = re.search(r"^X-Amz-Security-Token:(.*)$|^x-amz-security-token:(.*)$", signed + "\n" + canonical, re.M)
    return Case(name, method, target, tuple(headers(lines)), body.encode(), token and (token[1] or token[2]),
                token is None or "x-amz-security-token" in canonical, canonical, to_sign, authorization, signed)


def headers(lines: list[str]) -> list[tuple[str, str]]:
    """Header lines as pairs; a line that begins with white space goes on with the value before it."""
    pairs: list[tuple[str, str]] = []
    for line in filter(None, lines):
        if line[0] in " \t":
            name, value = pairs.pop()
            pairs.append((name, f"{value}\n{line}"))
        else:
            name, _, value = line.partition(":")
            pairs.append((name, value))
    return pairs
