"""Fakes of the two streaming services."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from asrproto._json import read_json
from asrproto.errors import RemoteProtocolError
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import WireMessage
from asrproto.testing.recogniser import RecogniserFactory
from asrproto.testing.service import HandshakeRefused, checked_code
from asrproto.testing.volcengine._hearing import EPOCH, NO_ERRORS, Hearing, Refusal, new_log_id
from asrproto.volcengine.codes import BIG_MODEL_CODES, LEGACY_CODES, LEGACY_OK, Code, find_code
from asrproto.volcengine.credentials import ApiKey, AppCredentials, Credentials
from asrproto.volcengine.frames import (
    Compression,
    Flags,
    Frame,
    MessageType,
    Serialization,
    decode_frame,
    encode_frame,
)
from asrproto.volcengine.signing import hmac256_authorization

__all__ = ["BigModelService", "LegacyService", "check_keys"]

_WAV_HEADER = 44
PATIENCE = 10.0
"""Seconds without a packet; the vendor has a code for it, but does not say how many they are."""


def check_keys(request: HttpRequest, credentials: Credentials, resource_ids: Sequence[str] | None) -> None:
    """Refuse a request whose headers do not carry these credentials and one of these resource ids."""
    for name, value in credentials.headers:
        if not compare_digest((request.header(name) or "").encode(), value.encode()):
            raise Refusal(45000010, f"load grant: requested grant not found: {name}={request.header(name)}")
    resource_id = request.header("X-Api-Resource-Id")
    if not resource_id or (resource_ids is not None and resource_id not in resource_ids):
        raise Refusal(45000030, f"requested resource not granted: {resource_id}")


def _codes(table: Mapping[int, Code]) -> tuple[str, ...]:
    return tuple(str(code) for code in table if code not in NO_ERRORS)


def _named(code: str, codes: Sequence[str]) -> Refusal:
    """The refusal with `code`, in the words of the vendor's table."""
    return Refusal(int(checked_code(code, codes)), find_code(int(code)).meaning_zh)


class _Conversation:
    """What both kinds have in common: frames in, frames out, one request, then audio until the last packet."""

    error_codes: Sequence[str]
    _bad_parameters: int
    _timeout: str
    _bad_format: int
    _empty: int

    def __init__(self, recognisers: RecogniserFactory, *, gzip: bool, words_per_utterance: int | None,
                 log_id: str) -> None:
        self._recognisers = recognisers
        self._gzip = gzip
        self._words_per_utterance = words_per_utterance
        self._log_id = log_id
        self._request: dict[str, Any] | None = None
        self._hearing: Hearing | None = None
        self._bytes_per_second = 0
        self._header_left = 0
        self._shown = 0  # definite utterances that a response has shown, for result_type=single
        self.received: list[Frame] = []
        self.closed = False

    @property
    def response_headers(self) -> Sequence[tuple[str, str]]:
        return (("X-Tt-Logid", self._log_id),)

    def receive(self, message: WireMessage) -> Sequence[WireMessage]:
        if self.closed:
            return []
        try:
            if isinstance(message, str):
                raise Refusal(self._bad_parameters, "text message")
            try:
                frame = decode_frame(message)
            except RemoteProtocolError as error:
                raise Refusal(self._bad_parameters, f"invalid frame: {error}") from None
            self.received.append(frame)
            return self._take(frame, bytes(message))
        except Refusal as refusal:
            self.closed = True
            return [self._refuse(refusal)]

    def receive_eof(self) -> None:
        self.closed = True

    def fail(self, code: str) -> Sequence[WireMessage]:
        """End with the error `code`, in the words of the vendor's table."""
        refusal = _named(code, self.error_codes)
        self.closed = True
        return [self._refuse(refusal)]

    def time_out(self) -> Sequence[WireMessage]:
        """No packet has come for too long."""
        return self.fail(self._timeout)

    @property
    def seconds_heard(self) -> float:
        """How much audio came."""
        return 0.0 if self._hearing is None else self._hearing.bytes_heard / self._bytes_per_second

    def _take(self, frame: Frame, wire: bytes) -> list[WireMessage]:
        raise NotImplementedError

    def _refuse(self, refusal: Refusal) -> bytes:
        raise NotImplementedError

    def _document(self, frame: Frame) -> dict[str, Any]:
        """The request's JSON, its groups being objects."""
        if frame.message_type != MessageType.FULL_CLIENT_REQUEST:
            raise Refusal(self._bad_parameters, "the first frame must be the full client request")
        try:
            document = read_json(frame.payload)
        except RemoteProtocolError as error:
            raise Refusal(self._bad_parameters, f"unmarshal request: {error}") from None
        if not (isinstance(document, dict) and isinstance(document.get("audio"), dict)
                and isinstance(document.get("request"), dict)):
            raise Refusal(self._bad_parameters, "audio and request are required")
        return document

    def _open(self, document: dict[str, Any], formats: Sequence[str], window_ms: int) -> None:
        """Start to listen."""
        audio = document["audio"]
        if audio.get("format") not in formats:
            raise Refusal(self._bad_format, f"this fake hears {' and '.join(formats)}, not {audio.get('format')}")
        if audio.get("channel", 1) != 1 or audio.get("bits", 16) != 16:
            raise Refusal(self._bad_format, "this fake hears mono 16-bit audio")
        rate = audio.get("rate", 16000)
        if type(rate) is not int or rate < 1:
            raise Refusal(self._bad_parameters, f"invalid rate: {rate}")
        self._request = document
        self._bytes_per_second = 2 * rate
        self._header_left = _WAV_HEADER if audio["format"] == "wav" else 0
        self._hearing = Hearing(self._recognisers(rate), window=window_ms / 1000,
                                words_per_utterance=self._words_per_utterance)

    def _listen(self, frame: Frame) -> bool:
        """Hear an audio packet; tell whether that changed the text."""
        if frame.message_type != MessageType.AUDIO_ONLY_REQUEST:
            raise Refusal(self._bad_parameters, "audio packets must follow the request")
        hearing = self._hearing
        assert hearing is not None
        pcm = frame.payload
        if self._header_left:
            if self._header_left == _WAV_HEADER and pcm and not pcm.startswith(b"RIFF"):
                raise Refusal(self._bad_format, "declared wav, but there is no RIFF header")
            skipped = pcm[:self._header_left]
            self._header_left -= len(skipped)
            pcm = pcm[len(skipped):]
        changed = hearing.accept(pcm) if pcm else False
        if frame.flags & Flags.LAST:
            if not hearing.bytes_heard:
                raise Refusal(self._empty, "empty audio")
            hearing.finish()
        return changed

    def _result(self) -> dict[str, Any]:
        hearing, request = self._hearing, self._request
        assert hearing is not None
        assert request is not None
        options = request["request"]
        since = self._shown if options.get("result_type") == "single" else 0
        self._shown = hearing.definite_count
        return hearing.result(utterances=options.get("show_utterances") is True, since=since)

    def _duration(self) -> int:
        assert self._hearing is not None
        return self._hearing.bytes_heard * 1000 // self._bytes_per_second

    def _response(self, document: dict[str, Any], *, flags: int = 0, sequence: int | None = None) -> bytes:
        return encode_frame(Frame(MessageType.FULL_SERVER_RESPONSE, flags=flags, serialization=Serialization.JSON,
                                  compression=Compression.GZIP if self._gzip else Compression.NONE, sequence=sequence,
                                  payload=json.dumps(document, ensure_ascii=False).encode()))


class _BigModelConversation(_Conversation):
    error_codes = _codes(BIG_MODEL_CODES)
    _bad_parameters, _bad_format, _empty = 45000001, 45000151, 45000002
    _timeout = "45000081"

    def __init__(self, recognisers: RecogniserFactory, *, endpoint: str, numbered: bool, gzip: bool,
                 words_per_utterance: int | None, log_id: str) -> None:
        super().__init__(recognisers, gzip=gzip, words_per_utterance=words_per_utterance, log_id=log_id)
        self._endpoint = endpoint
        self._numbered = numbered
        self._sent = 0
        self._unanswered = 0.0  # seconds of audio, at the endpoint that answers after 15

    def _take(self, frame: Frame, wire: bytes) -> list[WireMessage]:
        self._check_sequence(frame)
        if self._request is None:
            self._begin(self._document(frame))
            return [self._answer({"text": "", "additions": {"log_id": self._log_id}}, last=False)]
        changed = self._listen(frame)
        last = bool(frame.flags & Flags.LAST)
        self.closed = last
        self._unanswered += len(frame.payload) / self._bytes_per_second
        due = {"bigmodel": True, "bigmodel_nostream": self._unanswered >= 15}.get(self._endpoint, changed)
        if not (due or last):
            return []
        self._unanswered = 0.0
        return [self._answer({**self._result(), "additions": {"log_id": self._log_id}}, last=last)]

    def _begin(self, document: dict[str, Any]) -> None:
        options = document["request"]
        window = options.get("end_window_size", options.get("vad_segment_duration", 3000))
        if options.get("model_name") != "bigmodel":
            raise Refusal(45000001, f"unknown model_name: {options.get('model_name')}")
        if type(window) is not int:
            raise Refusal(45000001, f"invalid window: {window}")
        if document["audio"].get("rate", 16000) != 16000:
            raise Refusal(45000001, "audio.rate must be 16000")
        self._open(document, ("pcm", "wav"), window)

    def _check_sequence(self, frame: Frame) -> None:
        """The service numbers what comes in by itself, and holds the numbers that come with it to that."""
        if frame.sequence is None:
            return
        expected = len(self.received)
        if frame.flags & Flags.LAST:
            expected = -expected
        if frame.sequence != expected:
            raise Refusal(45000000, "decode ws request failed: unable to decode V1 protocol message: "
                                    f"autoAssignedSequence ({expected}) mismatch "
                                    f"sequence in request ({frame.sequence})")

    def _answer(self, result: dict[str, Any], *, last: bool) -> bytes:
        self._sent += 1
        flags = (Flags.LAST if last else Flags.NONE) | (Flags.SEQUENCE if self._numbered else Flags.NONE)
        return self._response({"audio_info": {"duration": self._duration()}, "result": result}, flags=flags,
                              sequence=self._sent if self._numbered else None)

    def _refuse(self, refusal: Refusal) -> bytes:
        return encode_frame(Frame(MessageType.ERROR, serialization=Serialization.JSON, error_code=refusal.code,
                                  payload=json.dumps({"error": refusal.message}).encode()))


def _refused_handshake(refusal: Refusal, log_id: str) -> HttpResponse:
    return HttpResponse(503 if refusal.code >= 50000000 else 403,
                        (("X-Tt-Logid", log_id), ("X-Api-Status-Code", str(refusal.code))),
                        json.dumps({"error": refusal.message}).encode())


class BigModelService:
    """Big-model streaming.

    Parameters
    ----------
    recognisers : callable
        Makes a recogniser for a sample rate.
    credentials : AppCredentials or ApiKey
        What a client must show.
    resource_ids : sequence of str, optional
        The resources that are granted; any unless given.
    numbered, gzip : bool
        Whether responses have a sequence, and whether they are packed: neither depends on the request.
    words_per_utterance : int, optional
        End an utterance after so many words, besides at a pause.
    log_id : str, optional
        A random one unless given.
    """

    def __init__(self, recognisers: RecogniserFactory, *, credentials: Credentials,
                 resource_ids: Sequence[str] | None = None, numbered: bool = True, gzip: bool = False,
                 words_per_utterance: int | None = None, log_id: str | None = None) -> None:
        self._recognisers = recognisers
        self._credentials = credentials
        self._resource_ids = resource_ids
        self._numbered = numbered
        self._gzip = gzip
        self._words_per_utterance = words_per_utterance
        self._log_id = log_id

    patience = PATIENCE
    error_codes = _BigModelConversation.error_codes
    handshake_codes = ("45000001", "45000010", "45000030", "45000292", "55000031")

    def refusal(self, code: str) -> HttpResponse:
        """The answer to a handshake that is refused with `code`."""
        return _refused_handshake(_named(code, self.handshake_codes), self._log_id or new_log_id(EPOCH))

    def accept(self, request: HttpRequest, *, at: datetime) -> _BigModelConversation:
        log_id = self._log_id or new_log_id(at)
        try:
            check_keys(request, self._credentials, self._resource_ids)
            newer = isinstance(self._credentials, ApiKey)
            if newer and (request.header("X-Api-Sequence") != "-1" or not request.header("X-Api-Request-Id")):
                raise Refusal(45000001, "X-Api-Request-Id and X-Api-Sequence: -1 are required")
        except Refusal as refusal:
            raise HandshakeRefused(_refused_handshake(refusal, log_id)) from None
        return _BigModelConversation(self._recognisers, endpoint=urlsplit(request.url).path.rpartition("/")[2],
                                     numbered=self._numbered, gzip=self._gzip, log_id=log_id,
                                     words_per_utterance=self._words_per_utterance)


class _LegacyConversation(_Conversation):
    error_codes = _codes(LEGACY_CODES)
    _bad_parameters, _bad_format, _empty = 1001, 1012, 1013
    _timeout = "1020"

    def __init__(self, recognisers: RecogniserFactory, *, handshake: HttpRequest, credentials: AppCredentials,
                 cluster: str, gzip: bool, words_per_utterance: int | None, log_id: str) -> None:
        super().__init__(recognisers, gzip=gzip, words_per_utterance=words_per_utterance, log_id=log_id)
        self._handshake = handshake
        self._credentials = credentials
        self._cluster = cluster
        self._reqid = ""

    def _take(self, frame: Frame, wire: bytes) -> list[WireMessage]:
        if frame.sequence is not None:
            raise Refusal(1001, "frames of this interface have no sequence")
        if self._request is None:
            self._check_signature(wire)
            document = self._document(frame)
            self._check_app(document)
            self._open(document, ("raw", "wav"), 3000)
            return [self._answer([], sequence=1)]
        self._listen(frame)
        self.closed = bool(frame.flags & Flags.LAST)
        sequence = len(self.received)
        return [self._answer([{**self._result(), "confidence": 0}], sequence=-sequence if self.closed else sequence)]

    def _check_signature(self, wire: bytes) -> None:
        """Of the HMAC256 kinds; it covers the first frame, so it can be checked no earlier."""
        shown = self._handshake.header("Authorization") or ""
        secret = self._credentials.secret_key
        if not shown.startswith("HMAC256;"):
            return
        signed = ("Custom", self._handshake.header("Custom") or "")
        path = "/" + self._handshake.url.partition("://")[2].partition("/")[2]
        accepted = secret is not None and any(
            compare_digest(shown.encode(), hmac256_authorization(
                access_token=self._credentials.access_token, secret_key=secret, path=path, body=wire,
                headers=(signed,), form=form).encode())
            for form in ("demo", "documented"))
        if not accepted:
            raise Refusal(1002, "authenticate fail: signature mismatch")

    def _check_app(self, document: dict[str, Any]) -> None:
        app, request = document.get("app"), document["request"]
        expected = {"appid": self._credentials.app_id, "token": self._credentials.access_token,
                    "cluster": self._cluster}
        if app != expected:
            raise Refusal(1002, "access denied: app")
        if not isinstance(request.get("reqid"), str) or request.get("sequence") != 1:
            raise Refusal(1001, "request.reqid must be given and request.sequence be 1")
        self._reqid = request["reqid"]

    def _answer(self, result: list[dict[str, Any]], *, sequence: int) -> bytes:
        return self._response({"reqid": self._reqid, "code": LEGACY_OK, "message": "Success", "sequence": sequence,
                               "result": result, "addition": {"duration": str(self._duration()),
                                                              "logid": self._log_id}})

    def _refuse(self, refusal: Refusal) -> bytes:
        return self._response({"reqid": self._reqid, "code": refusal.code, "message": refusal.message, "sequence": -1})


class LegacyService:
    """The older streaming service.

    Parameters
    ----------
    recognisers : callable
    credentials : AppCredentials
        With a secret key where clients may sign.
    cluster : str
    gzip, words_per_utterance, log_id
        As in `BigModelService`.
    """

    def __init__(self, recognisers: RecogniserFactory, *, credentials: AppCredentials, cluster: str,
                 gzip: bool = True, words_per_utterance: int | None = None, log_id: str | None = None) -> None:
        self._recognisers = recognisers
        self._credentials = credentials
        self._cluster = cluster
        self._gzip = gzip
        self._words_per_utterance = words_per_utterance
        self._log_id = log_id

    patience = PATIENCE
    error_codes = _LegacyConversation.error_codes
    handshake_codes = ("401",)

    def refusal(self, code: str) -> HttpResponse:
        """The answer to a handshake that is refused with `code`."""
        checked_code(code, self.handshake_codes)
        return self._unauthorised("", self._log_id or new_log_id(EPOCH))

    def _unauthorised(self, shown: str, log_id: str) -> HttpResponse:
        return HttpResponse(401, (("X-Tt-Logid", log_id),),
                            json.dumps({"error": f"invalid auth token: {shown}"}).encode())

    def accept(self, request: HttpRequest, *, at: datetime) -> _LegacyConversation:
        log_id = self._log_id or new_log_id(at)
        shown = request.header("Authorization") or ""
        bearer = f"Bearer; {self._credentials.access_token}"
        if not (shown.startswith("HMAC256; ") or compare_digest(shown.encode(), bearer.encode())):
            raise HandshakeRefused(self._unauthorised(shown, log_id))
        return _LegacyConversation(self._recognisers, handshake=request, credentials=self._credentials,
                                   cluster=self._cluster, gzip=self._gzip, log_id=log_id,
                                   words_per_utterance=self._words_per_utterance)
