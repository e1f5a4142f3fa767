"""Marker secrets go into every signer and session and must show in nothing that people read."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from malformed import PROTOCOLS
from work import REQUEST

from asrproto.audio import wav
from asrproto.aws.sigv4 import Credentials, EventSigner, SigV4Signer, verify_presigned, verify_signed
from asrproto.errors import AsrProtoError
from asrproto.events import Event
from asrproto.http import HttpRequest
from asrproto.openai.transcription import transcription_request, transcription_upload
from asrproto.testing import HandshakeRefused
from asrproto.volcengine.credentials import ApiKey, AppCredentials
from asrproto.volcengine.openapi import OpenApiSigner
from asrproto.volcengine.recording import RecordingTask, query_request, submit_request
from asrproto.volcengine.signing import legacy_stream_url
from asrproto.youdao.long import Keys, LongTask
from asrproto.youdao.short import short_request
from fuzz.conversations import AT, CONVERSATIONS, SECRETS, at, opened

SECRET, TOKEN = SECRETS
AWS = Credentials("AKIDEXAMPLE", SECRET, TOKEN)
APP = AppCredentials("123456789", TOKEN, SECRET)
SIGNER = SigV4Signer(AWS, service="transcribe", region="us-east-1")
WAV = wav.header(rate=16000, channels=1, data_size=3200) + bytes(3200)


def _verified() -> object:
    return verify_presigned(SIGNER.presign(REQUEST, at=AT, expires=60), credentials_for=lambda _: AWS, at=AT)


HOLDERS: dict[str, Callable[[], Any]] = {
    "AWS credentials": lambda: AWS,
    "SigV4 signer": lambda: SIGNER,
    "its header-signed request": lambda: SIGNER.sign(REQUEST, at=AT),
    "its presigned request": lambda: SIGNER.presign(REQUEST, at=AT, expires=60),
    "event signer": lambda: EventSigner(SIGNER, prior_signature="0" * 64),
    "verified request": _verified,
    "event verifier": lambda: _verified().event_verifier(),  # type: ignore[attr-defined]
    "Volcengine credentials": lambda: APP,
    "Volcengine API key": lambda: ApiKey(TOKEN),
    "Volcengine OpenAPI signer": lambda: OpenApiSigner("AKEXAMPLE", SECRET, service="iam", region="cn-beijing"),
    "Volcengine recorded-file requests": lambda: [
        submit_request(APP, url="https://example.com/a.wav", format="wav"), query_request(APP, request_id="r")],
    "Volcengine recorded-file task": lambda: RecordingTask(APP, url="https://example.com/a.wav", format="wav"),
    "Volcengine's oldest URL": lambda: HttpRequest("GET", legacy_stream_url(
        access_key=TOKEN, secret_key=SECRET, appkey="app", resource_id="r", timestamp=1)),
    "Youdao keys": lambda: Keys("app", SECRET),
    "Youdao long task": lambda: LongTask(WAV, app_key="app", app_secret=SECRET, language="en"),
    "Youdao short request": lambda: short_request(WAV, app_key="app", app_secret=SECRET, language="en"),
    "OpenAI request": lambda: transcription_request(WAV, api_key=TOKEN, model="whisper-1"),
    "OpenAI upload": lambda: transcription_upload(WAV, api_key=TOKEN, model="whisper-1"),
    **{f"new session {name}": row.session for name, row in CONVERSATIONS.items()},
    **{f"handshake of {name}": lambda row=row: row.session().handshake() for name, row in CONVERSATIONS.items()},
    **{f"open session {name}": lambda name=name: pickle.loads(opened(name)) for name in CONVERSATIONS},
    **{f"fake {name}": row.service for name, row in CONVERSATIONS.items()},
}

JUNK: tuple[Any, ...] = (None, 7, "junk", b"junk", b"\0" * 16, "{}", [], {})


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Whatever a test gathers, and all that was logged, warned and printed, must hold no secret."""
    caplog.set_level(logging.DEBUG)
    gathered: list[str] = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield gathered
    gathered += [str(warning) for warning in warned]
    gathered += [record.getMessage() for record in caplog.records]
    gathered += capfd.readouterr()
    assert not secrets_in(gathered)


def secrets_in(texts: list[str]) -> list[str]:
    """The secrets of which `texts` hold the whole or the beginning."""
    text = "\n".join(texts)
    return [secret for secret in SECRETS if secret[:20] in text]


def test_a_secret_is_seen() -> None:
    assert secrets_in([told(ValueError(f"wrong token: {TOKEN[:25]}..."))]) == [TOKEN]


def told(error: BaseException) -> str:
    """An error in every form that people see it in, its causes and contexts included."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error) + repr(error.args)


def outcome(call: Callable[[], Any]) -> str:
    """How a call fails; nothing where it does not, since what it gives may be meant for the wire."""
    try:
        call()
    except Exception as error:
        return told(error)
    return ""


def calls(holder: Any) -> Iterator[Callable[[], Any]]:
    """Every public method of `holder`, with junk for arguments, and what any object can be asked to do."""
    for name in dir(type(holder)):
        if name.startswith("_"):
            continue
        method = getattr(holder, name)
        if callable(method):
            for junk in JUNK:
                yield lambda method=method, junk=junk: method(junk)
                yield lambda method=method, junk=junk: method(junk, at=junk)
            yield method
    for junk in JUNK:
        yield lambda junk=junk: holder + junk
        yield lambda junk=junk: holder[junk]
        yield lambda junk=junk: type(holder)(junk)
        yield lambda junk=junk: setattr(holder, "no_such_attribute", junk)
    yield lambda: holder.no_such_attribute
    yield lambda: holder < holder
    yield lambda: json.dumps(holder)
    yield lambda: f"{holder:>10}"


@pytest.mark.parametrize("name", HOLDERS)
def test_what_it_looks_like(name: str, said: list[str]) -> None:
    holder = HOLDERS[name]()
    said += [repr(holder), str(holder), f"{holder}", ascii(holder), "%s %r" % (holder, holder)]  # noqa: UP031
    said += [pprint.pformat(holder), pprint.pformat([holder, {"key": holder}])]
    said.append(str(getattr(holder, "__rich_repr__", list)()))
    logging.getLogger("asrproto").warning("%s %r", holder, holder)


@pytest.mark.parametrize("name", HOLDERS)
def test_errors_of_wrong_use(name: str, said: list[str]) -> None:
    said += [outcome(call) for call in calls(HOLDERS[name]())]


@pytest.mark.parametrize("name", HOLDERS)
def test_errors_of_pickling(name: str, said: list[str]) -> None:
    holder = HOLDERS[name]()
    said += [outcome(lambda: pickle.dumps(holder) and None), outcome(lambda: pickle.dumps(holder, 0) and None),
             outcome(lambda: copy.deepcopy(holder)), outcome(lambda: pickle.dumps([holder, lambda: None]) and None)]
    data = b""
    with suppress(Exception):
        data = pickle.dumps(holder)
    for end in range(0, len(data), max(1, len(data) // 200)):  # broken off
        said.append(outcome(lambda end=end: pickle.loads(data[:end])))


@pytest.mark.parametrize(("make", "name"), [
    (lambda text: Credentials("AKIDEXAMPLE", text, None), "secret_access_key"),
    (lambda text: Credentials("AKIDEXAMPLE", "x", text), "session_token"),
    (lambda text: AppCredentials("1", text), "access_token"),
    (lambda text: AppCredentials("1", "x", text), "secret_key"),
    (ApiKey, "key"),
    (lambda text: OpenApiSigner("AK", text, service="iam", region="cn-beijing"), "secret_access_key"),
    (lambda text: transcription_request(WAV, api_key=text, model="m"), "api_key"),
])
@pytest.mark.parametrize("spoilt", [SECRET + "\n", "\t" + SECRET, SECRET + "\x7f", SECRET.encode()],
                         ids=["newline", "tab", "delete", "bytes"])
def test_errors_of_credentials_that_are_refused(make: Any, name: str, spoilt: Any, said: list[str]) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        make(spoilt)
    said.append(told(caught.value))


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.title)
def test_errors_of_malformed_input(protocol: Any, said: list[str]) -> None:
    for fault in protocol.faults:
        with pytest.raises(AsrProtoError) as caught:
            protocol.decode(fault.data)
        said.append(told(caught.value))


KNOWN = {"volcengine_single": (TOKEN,), "youdao": (SECRET,), "openai": (TOKEN,)}  # the others know both


def echoes(secret: str, token: str) -> Iterator[tuple[int, tuple[tuple[str, str], ...], bytes]]:
    """Refusals of a handshake that repeat the credentials, in every place that a service has for text."""
    echo = f"signature mismatch for key {secret} and token {token}, again {secret}"
    documents = [{"message": echo}, {"Message": echo}, {"error": echo}, {"error": {"message": echo, "code": secret}},
                 {"errorCode": "202", "desc": echo, "requestId": token}, {"__type": secret, "message": token},
                 {"detail": [{"loc": [secret], "msg": token}]}]
    bodies = [json.dumps(document).encode() for document in documents]
    bodies += [echo.encode(), f"<Error><Code>{secret}</Code><Message>{echo}</Message></Error>".encode(),
               f"<html><title>{echo}</title></html>".encode()]
    for status in (400, 403, 429, 500):
        for body in bodies:
            yield status, (("X-Api-Message", echo), ("X-Api-Status-Code", "45000010")), body
            yield status, (("x-amzn-errortype", secret),), body
            yield status, (), body


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_echo_in_a_refused_handshake(name: str, said: list[str]) -> None:
    known = next((secrets for prefix, secrets in KNOWN.items() if name.startswith(prefix)), SECRETS)
    for status, headers, body in echoes(known[0], known[-1]):
        session: Any = CONVERSATIONS[name].session()
        session.handshake()
        events: list[Event] = session.receive_handshake(status, headers, body)
        assert events
        said += [f"{event!r} {told(event.error)}" for event in events]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_requests_that_a_fake_refuses(name: str, said: list[str]) -> None:
    """What fakes and verifiers say of a wrong signature; a client with another account's keys."""
    request = CONVERSATIONS[name].session().handshake()
    changed = HttpRequest(request.method, request.url.replace("a", "b", 3),
                          [(key, value[:-1] + "x") for key, value in request.headers])
    for one in (request, changed, REQUEST):
        with suppress(HandshakeRefused):
            try:
                CONVERSATIONS[name].service().accept(one, at=AT)
            except HandshakeRefused as refused:
                said.append(told(refused))
                raise
    for verify in (verify_presigned, verify_signed):
        with pytest.raises(AsrProtoError) as caught:
            verify(changed, credentials_for=lambda _: AWS, at=at())
        said.append(told(caught.value) + repr(vars(caught.value)))
