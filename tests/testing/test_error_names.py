"""Every error of every service can be provoked by the name that the client's side has for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asrproto.errors import LocalProtocolError, ServiceError
from asrproto.events import Event, SessionFailed
from asrproto.http import HttpResponse
from asrproto.openai.transcription import parse_transcription
from asrproto.testing import ScriptedRecogniser
from asrproto.testing.openai import TranscriptionService
from asrproto.testing.volcengine import RecordingService
from asrproto.testing.youdao import LongService, ShortService
from asrproto.volcengine.credentials import ApiKey
from asrproto.volcengine.recording import parse_query
from asrproto.youdao.short import parse_short
from fuzz.conversations import AT, CONVERSATIONS

HTTP_SERVICES: dict[str, tuple[Any, Callable[[HttpResponse], object]]] = {
    "openai": (TranscriptionService(ScriptedRecogniser, api_key="k"),
               lambda response: parse_transcription(response.body, status=response.status, response_format="json")),
    "youdao_short": (ShortService(ScriptedRecogniser, app_key="k", app_secret="s"),
                     lambda response: parse_short(response.body, status=response.status)),
    "youdao_long": (LongService(ScriptedRecogniser, app_key="k", app_secret="s"),
                    lambda response: parse_short(response.body, status=response.status)),
    "volcengine_recording": (RecordingService(ScriptedRecogniser, recordings={}, credentials=ApiKey("k")),
                             lambda response: parse_query(response.headers, response.body, status=response.status)),
}


def streaming_codes(kind: str) -> list[tuple[str, str]]:
    return [(name, code) for name, conversation in CONVERSATIONS.items()
            for code in getattr(conversation.service(), kind)]


def error_in(events: list[Event]) -> ServiceError:
    [failed] = [event for event in events if isinstance(event, SessionFailed)]
    return failed.error


@pytest.mark.parametrize(("name", "code"), streaming_codes("error_codes"))
def test_a_conversation_fails(name: str, code: str) -> None:
    session, service = CONVERSATIONS[name].session(), CONVERSATIONS[name].service()
    fake: Any = service.accept(session.handshake(), at=AT)
    for message in session.start():
        for answer in fake.receive(message):
            session.receive(answer)
    [said] = fake.fail(code)
    assert fake.closed
    assert error_in(session.receive(said)).code == code
    assert fake.receive(b"more") == []
    assert session.receive_eof() == []


@pytest.mark.parametrize(("name", "code"), streaming_codes("handshake_codes"))
def test_a_handshake_is_refused(name: str, code: str) -> None:
    session, service = CONVERSATIONS[name].session(), CONVERSATIONS[name].service()
    session.handshake()
    refusal: HttpResponse = service.refusal(code)  # type: ignore[attr-defined]
    assert refusal.status >= 400
    events = session.receive_handshake(refusal.status, refusal.headers, refusal.body)  # type: ignore[attr-defined]
    assert error_in(events).code == code


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, (service, _) in HTTP_SERVICES.items()
                                            for code in service.error_codes])
def test_a_request_is_refused(name: str, code: str) -> None:
    service, parse = HTTP_SERVICES[name]
    try:
        result: Any = parse(service.refusal(code))
        found = str(result.code)
    except ServiceError as error:
        found = error.code
    assert found == code


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_an_error_that_the_service_does_not_have(name: str) -> None:
    session, service = CONVERSATIONS[name].session(), CONVERSATIONS[name].service()
    fake: Any = service.accept(session.handshake(), at=AT)
    for call in (fake.fail, service.refusal):  # type: ignore[attr-defined]
        with pytest.raises(LocalProtocolError, match="no error 'Nonsense' there, but "):
            call("Nonsense")
    assert not fake.closed
