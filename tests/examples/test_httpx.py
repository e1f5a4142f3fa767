"""The services of plain requests with httpx, over real sockets."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from examples_services import APP, HEARD, KEY, TEXT, YOUDAO

from asrproto.cli.loopback import Loopback
from asrproto.errors import ServiceError
from asrproto.events import Transcript
from asrproto.openai.transcription import parse_transcription, transcription_request
from asrproto.testing.faults import Fail, FaultyHttpService
from asrproto.testing.openai import TranscriptionService
from asrproto.testing.volcengine import RecordingService
from asrproto.testing.youdao import LongService, ShortService
from asrproto.volcengine.recording.requests import flash_request, parse_query
from asrproto.volcengine.recording.task import Done as Recognised
from asrproto.volcengine.recording.task import RecordingTask
from asrproto.youdao.long import Done, Failed, LongTask
from asrproto.youdao.short import parse_short, short_request

httpx = pytest.importorskip("httpx")


@pytest.fixture
def driver() -> ModuleType:
    return importlib.import_module("drivers.httpx_requests")


@pytest.fixture
def recording(speech: Any) -> bytes:
    content: bytes = (speech / "goforward.wav").read_bytes()
    return content


@pytest.fixture
def client() -> Iterator[Any]:
    with httpx.Client(trust_env=False, timeout=20) as client:
        yield client


def origin(loopback: Loopback) -> str:
    return "http://{}:{}".format(*loopback.address)


def test_openai(driver: ModuleType, client: Any, recording: bytes) -> None:
    service = FaultyHttpService(TranscriptionService(HEARD, api_key=KEY), Fail("rate_limit_exceeded", after=2))
    with Loopback(service) as loopback:
        def request(**options: Any) -> Any:
            return transcription_request(recording, filename="a.wav", api_key=KEY, model="m",
                                         base_url=f"{origin(loopback)}/v1", **options)

        response = driver.fetch(client, request())
        [transcript] = parse_transcription(response.content, status=response.status_code, response_format="json")
        assert transcript.text == TEXT
        events = list(driver.stream(client, request(stream=True)))
        assert [event.text for event in events if isinstance(event, Transcript) and event.is_final] == [TEXT]
        assert len(events) > 2
        with pytest.raises(ServiceError, match="rate_limit_exceeded"):
            list(driver.stream(client, request(stream=True)))


def test_youdao_short(driver: ModuleType, client: Any, recording: bytes) -> None:
    key, secret = YOUDAO
    with Loopback(ShortService(HEARD, app_key=key, app_secret=secret)) as loopback:
        response = driver.fetch(client, short_request(recording, app_key=key, app_secret=secret, language="en",
                                                      endpoint=f"{origin(loopback)}/asrapi"))
    assert parse_short(response.content, status=response.status_code).text == TEXT


def test_youdao_long(driver: ModuleType, client: Any, recording: bytes) -> None:
    key, secret = YOUDAO
    waits: list[float] = []
    with Loopback(FaultyHttpService(LongService(HEARD, app_key=key, app_secret=secret), Fail("303", after=3))
                  ) as loopback:
        def task() -> LongTask:
            return LongTask(recording, app_key=key, app_secret=secret, language="en", slice_size=40_000,
                            base_url=f"{origin(loopback)}/api/audio")

        last = driver.run(client, task(), sleep=waits.append)
        assert isinstance(last, Done)
        assert " ".join(transcript.text for transcript in last.transcripts) == TEXT
        assert sum(waits) > 0
    with Loopback(FaultyHttpService(LongService(HEARD, app_key=key, app_secret=secret), Fail("202"))) as loopback:
        assert isinstance(driver.run(client, task(), sleep=waits.append), Failed)


def test_volcengine_recordings(driver: ModuleType, client: Any, recording: bytes) -> None:
    service = RecordingService(HEARD, recordings={"https://example.com/a.wav": recording}, credentials=APP,
                               query_codes=[20000002, 20000001])
    waits: list[float] = []
    with Loopback(service) as loopback:
        base_url = f"{origin(loopback)}/api/v3/auc/bigmodel"
        last = driver.run(client, RecordingTask(APP, url="https://example.com/a.wav", format="wav", base_url=base_url),
                          sleep=waits.append)
        assert isinstance(last, Recognised)
        assert last.recording.text == TEXT
        assert len(waits) == 4
        response = driver.fetch(client, flash_request(APP, recording, base_url=base_url))
    assert parse_query(response.headers.items(), response.content, status=response.status_code).text == TEXT
