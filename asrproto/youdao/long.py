"""Recognition of a long recording, which is uploaded in slices and asked after until it is done.

==========  =============================================================  ==============================
prepare     name, format, langType, sliceNum, fileSize, type=1             the id of the task
upload      q=task, sliceId (from 1), type=1, file; multipart              of each slice of 10 MiB
merge       q=task
progress    q=task                                                         status 9, once it is done
result      q=task                                                         the sentences
==========  =============================================================  ==============================

All are signed by v4. At most four hours (Chinese, English) or one (Japanese, Korean, Cantonese, Spanish). The requests
and replies are pure functions; `LongTask` says which comes next. Source: the vendor's page on long recordings and its
demos.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from asrproto._json import check_shape
from asrproto._redact import Discreet
from asrproto.audio.containers import Recording, as_recording
from asrproto.errors import LocalProtocolError, MalformedFrame, ServiceError
from asrproto.events import Transcript, Word
from asrproto.http import FilePart, HttpRequest, encode_multipart
from asrproto.http.tasks import Failed, RequestTask, Send
from asrproto.session import Clock, utc_now
from asrproto.youdao.replies import read_reply
from asrproto.youdao.short import check_recording, form_request
from asrproto.youdao.signing import auth_fields

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from typing_extensions import Buffer

    from asrproto.http.request import HeadersLike

__all__ = ["LANGUAGES", "SLICE_SIZE", "Done", "Failed", "LongTask", "Progress", "Send", "Step", "merge_request",
           "parse_done", "parse_prepare", "parse_progress", "parse_result", "prepare_request", "progress_request",
           "result_request", "upload_request"]

BASE_URL = "https://openapi.youdao.com/api/audio"
SLICE_SIZE = 10 << 20
POLL_SECONDS = 20.0

LANGUAGES = {"zh-CHS": 4 * 3600.0, "en": 4 * 3600.0, "ja": 3600.0, "ko": 3600.0, "yue": 3600.0, "es": 3600.0}
"""The languages of long recordings, and the most seconds of each."""

_FINISHED = 9
Stage = Literal["prepare", "upload", "merge", "progress", "result"]


class Keys(Discreet, frozen=True):
    """What every request is signed with: the application's id and secret, a salt (fresh without one) and a clock."""

    app_key: str
    app_secret: str
    salt: str | None = None
    clock: Clock = utc_now

    def fields(self) -> dict[str, str]:
        return auth_fields(self.app_key, self.app_secret, sign_type="v4", salt=self.salt, clock=self.clock)

    def __repr__(self) -> str:
        return f"Keys({self.app_key!r}, ***)"


class Progress(msgspec.Struct, frozen=True):
    """How far a task is; `status` is the service's number, 9 where it is done."""

    status: int
    raw: Any = None

    @property
    def done(self) -> bool:
        return self.status == _FINISHED


def prepare_request(keys: Keys, *, name: str, format: str, language: str, size: int, slice_size: int = SLICE_SIZE,
                    base_url: str = BASE_URL) -> HttpRequest:
    """Announce a recording of `size` bytes."""
    if language not in LANGUAGES:
        raise LocalProtocolError(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
    if size <= 0 or slice_size <= 0:
        raise LocalProtocolError("size and slice_size must be positive")
    return form_request(f"{base_url}/prepare", {
        "name": name, "format": format, "langType": language, "sliceNum": str(-(-size // slice_size)),
        "fileSize": str(size), "type": "1", **keys.fields()})


def upload_request(keys: Keys, task_id: str, slice_id: int, content: Buffer, *, boundary: str | None = None,
                   base_url: str = BASE_URL) -> HttpRequest:
    """Upload one slice; the first has the id 1."""
    if slice_id < 1:
        raise LocalProtocolError("slice_id counts from 1")
    fields = {"q": task_id, "sliceId": str(slice_id), "type": "1", **keys.fields()}
    body = encode_multipart([*fields.items(), FilePart("file", f"slice{slice_id}", content)], boundary=boundary)
    return HttpRequest("POST", f"{base_url}/upload", (("Content-Type", body.content_type),), bytes(body))


def merge_request(keys: Keys, task_id: str, *, base_url: str = BASE_URL) -> HttpRequest:
    """All slices are there."""
    return form_request(f"{base_url}/merge", {"q": task_id, **keys.fields()})


def progress_request(keys: Keys, task_id: str, *, base_url: str = BASE_URL) -> HttpRequest:
    """Ask how far it is."""
    return form_request(f"{base_url}/get_progress", {"q": task_id, **keys.fields()})


def result_request(keys: Keys, task_id: str, *, base_url: str = BASE_URL) -> HttpRequest:
    """Ask for the sentences."""
    return form_request(f"{base_url}/get_result", {"q": task_id, **keys.fields()})


class _Status(msgspec.Struct):
    status: int


class _Sentence(msgspec.Struct):
    sentence: str
    speaker: str | int | None = None
    words: list[str] | None = None


def parse_prepare(body: Buffer | str, *, status: int = 200, secrets: Iterable[str | None] = ()) -> str:
    """The id of the task. These parsers raise what `asrproto.youdao.short.parse_short` does."""
    task_id = read_reply(body, status=status, secrets=secrets).get("result")
    if not isinstance(task_id, str) or not task_id:
        raise MalformedFrame("the reply has no task id", reason="wrong-shape")
    return task_id


def parse_done(body: Buffer | str, *, status: int = 200, secrets: Iterable[str | None] = ()) -> None:
    """Nothing, where an upload or a merge was accepted."""
    read_reply(body, status=status, secrets=secrets)


def parse_progress(body: Buffer | str, *, status: int = 200, secrets: Iterable[str | None] = ()) -> Progress:
    """How far it is."""
    document = read_reply(body, status=status, secrets=secrets)
    rows = document.get("result")
    row = rows[0] if isinstance(rows, list) and rows else rows
    return Progress(check_shape(row, _Status, what="the progress").status, document)


def parse_result(body: Buffer | str, *, status: int = 200, secrets: Iterable[str | None] = ()) -> list[Transcript]:
    """The sentences, each a final Transcript; further fields, such as times of words, are in `raw`."""
    rows = read_reply(body, status=status, secrets=secrets).get("result")
    transcripts = []
    for index, row in enumerate(check_shape(rows, list[Any], what="the result")):
        found = check_shape(row, _Sentence, what="the sentence")
        transcripts.append(Transcript(
            found.sentence, True, words=tuple(Word(word) for word in found.words or ()),
            speaker=None if found.speaker is None else str(found.speaker), segment_id=str(index), raw=row))
    return transcripts


class Done(msgspec.Struct, frozen=True):
    """The recording is recognised."""

    transcripts: list[Transcript]


Step = Send[Stage] | Done | Failed


class LongTask(RequestTask[Stage, Done]):
    """One long recording from the announcement to its text; `asrproto.http.tasks` shows how to drive it.

    Parameters
    ----------
    audio : bytes-like, path-like, or array of samples
        As in `asrproto.youdao.short.short_request`; a path is mapped, not read.
    app_key, app_secret : str
    language : str
        One of `LANGUAGES`.
    name : str, optional
        Of the recording, for people.
    format, rate : optional
        As in `short_request`.
    poll_seconds : float
        Between questions.
    max_attempts : int
        How often one request is tried where the error may pass.
    salt, clock
        As in `short_request`. A fixed salt is for tests: the service refuses a second use.
    slice_size, base_url

    Raises
    ------
    LocalProtocolError
        The service would refuse the recording.
    """

    def __init__(self, audio: Buffer | os.PathLike[str] | ArrayLike, *, app_key: str, app_secret: str, language: str,
                 name: str | None = None, format: str | None = None, rate: int | None = None,
                 poll_seconds: float = POLL_SECONDS, max_attempts: int = 3, salt: str | None = None,
                 clock: Clock = utc_now, slice_size: int = SLICE_SIZE, base_url: str = BASE_URL) -> None:
        if poll_seconds < 0 or max_attempts < 1:
            raise LocalProtocolError("poll_seconds must not be negative, and max_attempts at least 1")
        self._audio = Path(audio) if isinstance(audio, os.PathLike) else as_recording(audio, rate=rate)
        self._size, found = _checked(self._audio, language, format, rate)
        default = self._audio.name if isinstance(self._audio, Path) else f"audio.{found.container}"
        self._name, self._format, self._language = name or default, found.container, language
        self._keys = Keys(app_key, app_secret, salt, clock)
        self._base_url, self._slice_size = base_url, slice_size
        self._poll_seconds, self._max_attempts = poll_seconds, max_attempts
        self._prepare_request()  # what it refuses is refused now, not later
        self._task_id = ""
        self._slice = 1
        self._attempts = 0
        super().__init__()

    def receive(self, status: int, headers: HeadersLike, body: Buffer = b"") -> Step:
        """Take the answer to the last step's request; give the next step.

        Raises
        ------
        RemoteProtocolError
            The answer breaks the protocol; the step stays as it was and may be repeated.
        """
        stage = self._waiting("receive")
        try:
            following = self._after(stage, body, status)
        except ServiceError as error:
            return self._again(stage, error)
        self._attempts = 0
        self._step = following
        return following

    def _first(self) -> Send[Stage]:
        return self._send("prepare")

    def _unanswered(self, stage: Stage, error: ServiceError) -> Step:
        return self._again(stage, error)

    def _after(self, stage: Stage, body: Buffer, status: int) -> Step:
        secrets = (self._keys.app_secret,)
        if stage == "prepare":
            self._task_id = parse_prepare(body, status=status, secrets=secrets)
            return self._send("upload")
        if stage == "progress":
            done = parse_progress(body, status=status, secrets=secrets).done
            return self._send("result") if done else self._send("progress", self._poll_seconds)
        if stage == "result":
            return Done(parse_result(body, status=status, secrets=secrets))
        parse_done(body, status=status, secrets=secrets)
        if stage == "merge":
            return self._send("progress", self._poll_seconds)
        self._slice += 1
        return self._send("upload" if (self._slice - 1) * self._slice_size < self._size else "merge")

    def _again(self, stage: Stage, error: ServiceError) -> Step:
        self._attempts += 1
        if error.retryable and self._attempts < self._max_attempts:
            return self._send(stage, self._poll_seconds)
        self._step = Failed(error)
        return self._step

    def _send(self, stage: Stage, delay: float = 0.0) -> Send[Stage]:
        step: Send[Stage] = Send(self._request(stage), delay, stage)
        self._step = step
        return step

    def _request(self, stage: Stage) -> HttpRequest:
        if stage == "prepare":
            return self._prepare_request()
        if stage == "upload":
            return upload_request(self._keys, self._task_id, self._slice, self._slice_content(),
                                  base_url=self._base_url)
        make = {"merge": merge_request, "progress": progress_request, "result": result_request}[stage]
        return make(self._keys, self._task_id, base_url=self._base_url)

    def _prepare_request(self) -> HttpRequest:
        return prepare_request(self._keys, name=self._name, format=self._format, language=self._language,
                               size=self._size, slice_size=self._slice_size, base_url=self._base_url)

    def _slice_content(self) -> bytes:
        at = (self._slice - 1) * self._slice_size
        if isinstance(self._audio, bytes):
            return self._audio[at:at + self._slice_size]
        with self._audio.open("rb") as file:
            file.seek(at)
            return file.read(self._slice_size)


def _checked(audio: bytes | Path, language: str, format: str | None, rate: int | None) -> tuple[int, Recording]:
    """The size of a recording and what is known of it; a file is mapped for that, not read."""
    if language not in LANGUAGES:
        raise LocalProtocolError(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
    if isinstance(audio, Path) and audio.stat().st_size:
        with audio.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return len(content), check_recording(content, format=format, rate=rate, max_seconds=LANGUAGES[language])
    whole = b"" if isinstance(audio, Path) else audio
    return len(whole), check_recording(whole, format=format, rate=rate, max_seconds=LANGUAGES[language])
