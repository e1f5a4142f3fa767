"""What to do next with a recorded file: a small state machine over the status codes.

::

    answer to            a submission       a question
    20000000 done        ask                done
    20000001, 20000002   ask                ask again
    20000003 silent      done               done
    55000031 busy        submit again       ask again
    55xxxxxx, 550xxxx    submit again       submit again: the task is lost
    anything else        failed for good    failed for good

An answer without a code (a gateway's 502, say) and no answer at all count as busy. Each submission has an id of its
own, since the service refuses an id that it has seen. Waiting grows from question to question.

The vendor says of silent audio: submit it anew rather than ask again. The same audio would be as silent the second
time, so it is done here, with nothing said.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from asrproto.errors import LocalProtocolError, ServiceError
from asrproto.http.tasks import Failed, RequestTask, Send
from asrproto.volcengine.credentials import Credentials
from asrproto.volcengine.recording.requests import (
    BASE_URL,
    Recording,
    parse_query,
    parse_submit,
    query_request,
    submit_request,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer, Unpack

    from asrproto.http.request import HeadersLike
    from asrproto.volcengine.options import RecordingOptions

__all__ = ["Done", "Failed", "RecordingTask", "Send", "Step"]

BUSY = "55000031"

Stage = Literal["submit", "query"]
Outcome = Literal["accepted", "pending", "silent", "busy", "lost", "refused"]

_NEXT: dict[tuple[Stage, Outcome], Literal["submit", "query", "done", "failed"]] = {
    ("submit", "accepted"): "query",
    ("submit", "pending"): "query",
    ("submit", "silent"): "done",
    ("submit", "busy"): "submit",
    ("submit", "lost"): "submit",
    ("submit", "refused"): "failed",
    ("query", "accepted"): "done",
    ("query", "pending"): "query",
    ("query", "silent"): "done",
    ("query", "busy"): "query",
    ("query", "lost"): "submit",
    ("query", "refused"): "failed",
}


class Done(msgspec.Struct, frozen=True):
    """The recording is recognised."""

    recording: Recording


Step = Send[Stage] | Done | Failed


class RecordingTask(RequestTask[Stage, Done]):
    """One recording from its submission to its text.

    ::

        task = RecordingTask(credentials, url="https://example.com/a.wav", format="wav")
        step = task.start()
        while isinstance(step, Send):
            time.sleep(step.delay)
            response = httpx.request(step.request.method, step.request.url, ...)
            step = task.receive(response.status_code, response.headers, response.content)

    Parameters
    ----------
    credentials : AppCredentials or ApiKey
    first_delay, growth, longest_delay : float
        Seconds before the first question, by what each further wait is longer, and what none exceeds. Submissions
        after the first wait likewise.
    max_submissions : int
        How often to submit before giving up.
    max_questions : int, optional
        How often to ask about one submission before giving up; without end unless given.
    new_id : callable
        Makes the id of a submission.
    resource_id, idle, base_url, **options
        Those of `submit_request`.
    """

    def __init__(self, credentials: Credentials, *, resource_id: str | None = None, idle: bool = False,
                 base_url: str = BASE_URL, first_delay: float = 1.0, growth: float = 1.5, longest_delay: float = 30.0,
                 max_submissions: int = 3, max_questions: int | None = None,
                 new_id: Callable[[], object] = uuid.uuid4, **options: Unpack[RecordingOptions]) -> None:
        if not (0 <= first_delay <= longest_delay and growth >= 1):
            raise LocalProtocolError("delays must be 0 <= first_delay <= longest_delay, and growth at least 1")
        if max_submissions < 1 or (max_questions is not None and max_questions < 1):
            raise LocalProtocolError("max_submissions and max_questions must be at least 1")
        self._credentials = credentials
        self._resource_id, self._idle, self._base_url = resource_id, idle, base_url
        self._first_delay, self._growth, self._longest_delay = first_delay, growth, longest_delay
        self._max_submissions, self._max_questions = max_submissions, max_questions
        self._new_id = new_id
        self._options = options
        self._submissions = self._questions = 0
        self._request_id = ""
        self._log_id: str | None = None
        super().__init__()

    def receive(self, status: int, headers: HeadersLike, body: Buffer = b"") -> Step:
        """Take the answer to the last step's request; give the next step.

        Raises
        ------
        RemoteProtocolError
            The answer breaks the protocol (see `parse_query`); the step stays as it was and may be repeated.
        """
        stage = self._waiting("receive")
        parse = parse_submit if stage == "submit" else parse_query
        try:
            recording = parse(headers, body, status=status, credentials=self._credentials)
        except ServiceError as error:
            return self._go(stage, _outcome(error), None, error)
        self._log_id = recording.log_id or self._log_id
        outcome: Outcome = "pending" if recording.pending else "silent" if recording.silent else "accepted"
        return self._go(stage, outcome, recording, None)

    def _first(self) -> Send[Stage]:
        return self._submit()

    def _unanswered(self, stage: Stage, error: ServiceError) -> Step:
        error.request_id = self._log_id
        return self._go(stage, "busy", None, error)

    def _go(self, stage: Stage, outcome: Outcome, recording: Recording | None, error: ServiceError | None) -> Step:
        step: Step
        following = _NEXT[stage, outcome]
        if following == "done" and recording is not None:
            step = Done(recording)
        elif following == "query" and self._questions != self._max_questions:
            step = self._query()
        elif following == "submit" and self._submissions < self._max_submissions:
            step = self._submit()
        else:
            step = Failed(error or ServiceError(f"not done after {self._questions} questions", code="gave-up",
                                                retryable=True, request_id=self._log_id))
        self._step = step
        return step

    def _wait(self, times: int) -> float:
        delay = self._first_delay
        for _ in range(times):
            if delay >= self._longest_delay:
                break
            delay *= self._growth
        return min(delay, self._longest_delay)

    def _submit(self) -> Send[Stage]:
        self._request_id = str(self._new_id())
        request = submit_request(self._credentials, request_id=self._request_id, resource_id=self._resource_id,
                                 idle=self._idle, base_url=self._base_url, **self._options)
        delay = self._wait(self._submissions - 1) if self._submissions else 0.0
        self._submissions += 1
        self._questions = 0
        return Send(request, delay, "submit")

    def _query(self) -> Send[Stage]:
        request = query_request(self._credentials, request_id=self._request_id, resource_id=self._resource_id,
                                idle=self._idle, log_id=self._log_id, base_url=self._base_url)
        delay = self._wait(self._questions)
        self._questions += 1
        return Send(request, delay, "query")


def _outcome(error: ServiceError) -> Outcome:
    if not error.retryable:
        return "refused"
    http_status = len(error.code) == 3
    return "busy" if error.code == BUSY or http_status else "lost"
