"""The shared vocabulary: errors, events, requests, the order of calls."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import subprocess
import sys

import msgspec
import pytest

import asrproto
from asrproto import errors
from asrproto._redact import Discreet, redact
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import Lifecycle

SERVICES = ("aws", "volcengine", "youdao", "openai")


@pytest.mark.parametrize("kind", [errors.RemoteProtocolError, errors.ChecksumMismatch, errors.MalformedFrame,
                                  errors.FrameTooLarge, errors.TruncatedFrame])
def test_remote_errors_say_what_and_where_and_survive_pickling(kind: type[errors.RemoteProtocolError]) -> None:
    error = kind("the prelude is wrong", reason="prelude-checksum", offset=163)
    assert str(error) == "the prelude is wrong [prelude-checksum at byte 163]"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.message, copy.reason, copy.offset) == (error.message, error.reason, error.offset)


def test_service_error_shows_all_that_support_asks_for() -> None:
    error = errors.ServiceError("busy", code="55000031", retryable=True, request_id="log-1", advice="Wait a little.")
    assert str(error) == "55000031: busy (request id log-1)\nWait a little."
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.code, copy.retryable, copy.request_id, copy.advice) == ("55000031", True, "log-1", "Wait a little.")


def test_a_local_error_is_a_value_error() -> None:
    assert issubclass(errors.LocalProtocolError, ValueError)
    assert not issubclass(errors.RemoteProtocolError, ValueError)


def test_importing_the_package_loads_neither_numpy_nor_a_service() -> None:
    code = ("import asrproto, asrproto.http, sys;"
            "heavy = [m for m in sys.modules if m == 'numpy' or m.startswith("
            "('asrproto.aws', 'asrproto.audio', 'asrproto.volcengine', 'asrproto.youdao', 'asrproto.openai'))];"
            "assert not heavy, heavy")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_names_exist() -> None:
    assert all(hasattr(asrproto, name) for name in asrproto.__all__)


def test_requests_keep_order_and_repeats_and_hide_credentials() -> None:
    request = HttpRequest("GET", "wss://host/path?a=1&X-Amz-Signature=c0ffee&access_key=s3cr3t",
                          [("X-Api-Access-Key", "s3cr3t"), ("Accept", "a"), ("accept", "b")])
    assert request.headers == (("X-Api-Access-Key", "s3cr3t"), ("Accept", "a"), ("accept", "b"))
    assert request.header("ACCEPT") == "a"
    assert request.header("missing") is None
    assert "s3cr3t" not in repr(request)
    assert "c0ffee" not in repr(request)
    assert "a=1" in repr(request)
    assert HttpRequest("GET", "https://h/", {"A": "b"}) == HttpRequest("GET", "https://h/", (("A", "b"),))
    assert "s3cr3t" not in repr(HttpResponse(200, {"Set-Cookie": "s3cr3t"}))
    with pytest.raises(AttributeError):
        request.method = "POST"  # type: ignore[misc]


def structs() -> list[type[msgspec.Struct]]:
    for found in pkgutil.walk_packages(asrproto.__path__, "asrproto."):
        if found.name.startswith(("asrproto.http", *(f"asrproto.{name}" for name in SERVICES))):
            importlib.import_module(found.name)
    found, new = [], [msgspec.Struct]
    while new:
        new = [below for kind in new for below in kind.__subclasses__() if below.__module__.startswith("asrproto")]
        found += new
    return found


@pytest.mark.parametrize("kind", [kind for kind in structs() if kind.__repr__ is not msgspec.Struct.__repr__])
def test_what_repr_leaves_out_no_pretty_printer_shows(kind: type[msgspec.Struct]) -> None:
    # msgspec gives every struct a __rich_repr__ with all its fields.
    assert issubclass(kind, Discreet)


def test_pretty_printers_show_the_repr() -> None:
    request = HttpRequest("GET", "https://host/?X-Amz-Security-Token=s3cr3t", [("Authorization", "s3cr3t")])
    assert repr(request.__rich_repr__()[0][1]) == repr(request)[len("HttpRequest("):-1]
    assert isinstance(request, Discreet)


def test_redaction_also_finds_percent_encoded_spellings() -> None:
    assert redact("key a/b+c== or a%2Fb%2Bc%3D%3D", ["a/b+c=="]) == "key *** or ***"
    assert redact("a cat", ["a", None, ""]) == "a cat"


def test_calls_out_of_order_are_refused() -> None:
    lifecycle = Lifecycle()
    for call in ("start", "send_audio", "end_audio"):
        with pytest.raises(errors.LocalProtocolError, match=call):
            lifecycle.enter(call)
    for call in ("handshake", "handshake", "start", "send_audio", "send_audio", "end_audio"):
        lifecycle.enter(call)
    assert lifecycle.ended
    for call in ("handshake", "start", "send_audio", "end_audio"):
        with pytest.raises(errors.LocalProtocolError, match=r"after end_audio\(\)"):
            lifecycle.enter(call)
