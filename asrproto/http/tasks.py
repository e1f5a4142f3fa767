"""Work that takes several requests, each of which follows from the answer to the one before.

A service's task is a small state machine: it gives steps, and is told what came of them. Whoever drives it waits, sends
and asks for the next::

    step = task.start()
    while isinstance(step, Send):
        time.sleep(step.delay)
        response = httpx.request(step.request.method, step.request.url, ...)
        step = task.receive(response.status_code, response.headers, response.content)
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from asrproto.errors import LocalProtocolError, ServiceError
from asrproto.http.request import HttpRequest

__all__ = ["Failed", "RequestTask", "Send"]

Stage = TypeVar("Stage", bound=str)
Outcome = TypeVar("Outcome")


class Send(msgspec.Struct, Generic[Stage], frozen=True):
    """Wait for `delay` seconds, send `request`, and give the answer to the task's `receive`."""

    request: HttpRequest
    delay: float
    stage: Stage


class Failed(msgspec.Struct, frozen=True):
    """It will not be done; `error` says why, and whether a new task may succeed later."""

    error: ServiceError


class RequestTask(Generic[Stage, Outcome]):
    """What all such tasks have in common: the last step, and the order of calls."""

    def __init__(self) -> None:
        self._step: Send[Stage] | Outcome | Failed | None = None

    @property
    def step(self) -> Send[Stage] | Outcome | Failed | None:
        """The last step that was given; None before `start`."""
        return self._step

    def start(self) -> Send[Stage]:
        """The first step."""
        if self._step is not None:
            raise LocalProtocolError("start() was called twice")
        step = self._first()
        self._step = step
        return step

    def receive_nothing(self) -> Send[Stage] | Outcome | Failed:
        """The last step's request got no answer (the connection failed); give the next step."""
        stage = self._waiting("receive_nothing")
        return self._unanswered(stage, ServiceError("no answer", code="no-answer", retryable=True))

    def _waiting(self, call: str) -> Stage:
        """What is being waited for, or LocalProtocolError where `call` has no place."""
        if not isinstance(self._step, Send):
            raise LocalProtocolError(f"{call}() was called {'before start()' if self._step is None else 'at the end'}")
        return self._step.stage

    def _first(self) -> Send[Stage]:
        raise NotImplementedError

    def _unanswered(self, stage: Stage, error: ServiceError) -> Send[Stage] | Outcome | Failed:
        raise NotImplementedError
