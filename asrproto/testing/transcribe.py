"""Amazon Transcribe seen from the service's side: it checks what the real one checks and answers as it answers.

The handshake: path, signature, clock, scope, expiry. The stream: options, frames and their checksums, signatures of
signed frames, headers, the configuration where one is due, size and alignment of audio, the end. What is wrong with the
handshake is refused with an HTTP error, what is wrong later with an exception frame, after which the service hangs up.

The words come from a recogniser (`asrproto.testing.recogniser`). Of the many options only those that change the shape
of answers have an effect: channels, speaker labels, language identification, stabilisation.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl

import msgspec
import numpy as np
from numpy.typing import NDArray

from asrproto._json import check_shape, read_json
from asrproto.audio import alaw_to_int16, ulaw_to_int16
from asrproto.aws.eventstream import EventStreamDecoder, Message, encode_message
from asrproto.aws.sigv4 import Credentials, EventVerifier, SignatureRejected, Verified, verify_presigned, verify_signed
from asrproto.aws.transcribe.failures import EXCEPTIONS
from asrproto.aws.transcribe.operations import CALL_ANALYTICS, FRAMES, MEDICAL, MEDICAL_SCRIBE, STANDARD
from asrproto.aws.transcribe.options import HEADER_PREFIX, Operation
from asrproto.errors import AsrProtoError, LocalProtocolError, RemoteProtocolError, ServiceError
from asrproto.events import Word
from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import Clock, WireMessage, utc_now
from asrproto.testing.recogniser import Recogniser, RecogniserFactory
from asrproto.testing.service import HandshakeRefused, checked_code

__all__ = ["FakeTranscribe", "TranscribeConversation"]

MAX_EXPIRES = 300
MAX_SECONDS_AN_EVENT = 1.0
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562: URL

IDLE = "Your request timed out because no new audio was received for 15 seconds."
TEXT_FRAME = "Unexpected WebSocket frame received."
NO_END_FRAME = "A complete signal was sent without the preceding empty frame."
TOO_BIG = "Your stream is too big. Reduce the frame size and try your request again."
NOT_AUDIO = "Could not decode the audio stream that you provided. Check that the audio stream is valid and try again."
# What an exception says unless there is a reason to say something else; the texts of the API Reference, in short.
TEXTS = {
    "BadRequestException": "One or more arguments to the operation were not valid.",
    "ConflictException": "A new stream started with the same session ID. The current stream has been terminated.",
    "LimitExceededException": "Your client has exceeded one of the Amazon Transcribe limits.",
    "InternalFailureException": "A problem occurred while processing the audio.",
    "ServiceUnavailableException": "The service is currently unavailable. Try your request later.",
    "UnrecognizedClientException": "The security token included in the request is invalid.",
    "InvalidSignatureException": "The request signature we calculated does not match the signature you provided.",
    "ExpiredTokenException": "The security token included in the request is expired",
    "AccessDeniedException": "User is not authorized to perform: transcribe:StartStreamTranscriptionWebSocket",
    "ThrottlingException": "Rate exceeded",
    "UnknownOperationException": "",
}
HANDSHAKE_STATUSES = {**EXCEPTIONS, "InvalidSignatureException": 403, "ExpiredTokenException": 403,
                      "AccessDeniedException": 403, "ThrottlingException": 429, "UnknownOperationException": 404}
MAGIC = {"flac": b"fLaC", "ogg-opus": b"OggS"}


class FakeTranscribe:
    """The service.

    Parameters
    ----------
    recogniser : callable
        Makes one recogniser for each channel of each stream from its sample rate. It hears s16le where `media_encoding`
        is pcm or G.711, and else the bytes as they come.
    credentials : Credentials
        The one account that it knows.
    region : str
        The one that requests must be signed for.
    clock : callable
        The service's time, against which signed frames are checked.
    """

    def __init__(self, recogniser: RecogniserFactory, *, credentials: Credentials, region: str = "us-east-1",
                 clock: Clock = utc_now) -> None:
        self.recogniser = recogniser
        self.credentials = credentials
        self.region = region
        self.clock = clock

    patience = 15.0
    error_codes = tuple(EXCEPTIONS)
    handshake_codes = tuple(HANDSHAKE_STATUSES)

    def refusal(self, code: str) -> HttpResponse:
        """The answer to a handshake that is refused with `code`."""
        checked_code(code, self.handshake_codes)
        return _refused(HANDSHAKE_STATUSES[code], code, TEXTS[code]).response

    def accept(self, request: HttpRequest, *, at: datetime) -> TranscribeConversation:
        """Check the opening of a WebSocket or of an HTTP/2 stream, or raise HandshakeRefused."""
        path = "/" + request.url.partition("://")[2].partition("?")[0].partition("/")[2]
        route = _ROUTES.get((request.method, path))
        if route is None:
            raise _refused(404, "UnknownOperationException", "")
        credentials = {self.credentials.access_key_id: self.credentials}
        try:
            verified = route.verify(request, credentials_for=credentials.get, at=at, region=self.region,
                                    service="transcribe", **route.limits)
        except SignatureRejected as rejected:
            raise _refused(403, rejected.code, rejected.message) from None
        except LocalProtocolError as error:
            raise _refused(400, "BadRequestException", str(error)) from None
        return TranscribeConversation(self, route.operation, route.parameters(request), verified,
                                      http2=request.method == "POST")


def _refused(status: int, code: str, message: str) -> HandshakeRefused:
    return HandshakeRefused(HttpResponse(
        status, (("x-amzn-requestid", str(uuid.uuid5(NAMESPACE, code + message))), ("x-amzn-errortype", code),
                 ("content-type", "application/json")), msgspec.json.encode({"message": message})))


def _in_query(request: HttpRequest) -> list[tuple[str, str]]:
    pairs = parse_qsl(request.url.partition("?")[2], keep_blank_values=True)
    return [(name, value) for name, value in pairs if not name.startswith("X-Amz-")]


def _in_headers(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name[len(HEADER_PREFIX):].lower(), value) for name, value in request.headers
            if name.lower().startswith(HEADER_PREFIX)]


def _from_pcm(payload: bytes) -> NDArray[np.int16]:
    return np.frombuffer(payload, "<i2").astype(np.int16)


_TO_INT16: Mapping[str, Callable[[bytes], NDArray[np.int16]]] = {
    "pcm": _from_pcm, "g711-alaw": alaw_to_int16, "g711-ulaw": ulaw_to_int16}


class _Route(NamedTuple):
    operation: Operation
    verify: Callable[..., Verified]
    limits: Mapping[str, Any]
    parameters: Callable[[HttpRequest], list[tuple[str, str]]]


_OPERATIONS = (STANDARD, MEDICAL, CALL_ANALYTICS, MEDICAL_SCRIBE)
_ROUTES = {
    **{("POST", one.path): _Route(one, verify_signed, {}, _in_headers) for one in _OPERATIONS},
    **{("GET", f"{one.path}-websocket"): _Route(one, verify_presigned, {"max_expires": MAX_EXPIRES}, _in_query)
       for one in _OPERATIONS if one.websocket},
}


class _Refusal(AsrProtoError):
    """What ends the stream: the name and text of an exception frame."""

    def __init__(self, message: str, kind: str = "BadRequestException") -> None:
        super().__init__(message)
        self.kind = kind


class _ChannelDefinition(msgspec.Struct, rename="pascal"):
    channel_id: int
    participant_role: str


class _Configuration(msgspec.Struct, rename="pascal"):
    channel_definitions: Annotated[list[_ChannelDefinition], msgspec.Meta(min_length=2, max_length=2)] = []


class TranscribeConversation:
    """The service's side of one stream.

    Attributes
    ----------
    options : dict
        What the client asked for, by wire name.
    configuration : dict or None
        The client's ConfigurationEvent.
    roles : list of str
        Who it says speaks on which channel.
    failure : str or None
        The message of the exception with which the service ended the stream.
    audio_bytes, audio_events : int
        How much audio came, and in how many events.
    """

    def __init__(self, service: FakeTranscribe, operation: Operation, parameters: Sequence[tuple[str, str]],
                 verified: Verified, *, http2: bool) -> None:
        self.closed = False
        self.failure: str | None = None
        self.configuration: dict[str, Any] | None = None
        self.roles: list[str] = []
        self.audio_bytes = self.audio_events = 0
        self._service = service
        self._operation = operation
        self._http2 = http2
        self._decoder = EventStreamDecoder()
        self._verifier: EventVerifier = verified.event_verifier()
        self._signed = http2
        self._control_seen = False
        self._channels: list[_Channel] = []
        self._bad_option: str | None = None
        try:
            self.options = operation.parse(parameters)
        except LocalProtocolError as error:
            self.options, self._bad_option = {}, str(error)
        self._identity = verified.signature
        self.session_id = self.options.get("session-id") or self._uuid("session")

    def _uuid(self, what: str) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{self._identity} {what}"))

    @property
    def response_headers(self) -> Sequence[tuple[str, str]]:
        """Headers of the 101 or 200 response: ids, and the options once more."""
        return (("x-amzn-request-id", self._uuid("request")), (f"{HEADER_PREFIX}session-id", self.session_id),
                *((HEADER_PREFIX + name, text) for name, text in self._operation.parameters(self.options)
                  if name != "session-id"))

    # -- what comes ---------------------------------------------------------------------------------------------------

    def receive(self, message: WireMessage) -> list[WireMessage]:
        """Take one WebSocket message, or a piece of the HTTP/2 request body; give the frames that answer it."""
        if self.closed:
            return []
        answers: list[WireMessage] = []
        try:
            if self._bad_option:
                raise _Refusal(self._bad_option)
            for frame in self._frames(message):
                answers += self._hear(frame)
        except _Refusal as refusal:
            answers += self._refuse(str(refusal), refusal.kind)
        except RemoteProtocolError as error:
            answers += self._refuse(f"The event stream is malformed: {error}")
        except ServiceError as error:
            answers += self._refuse(error.message)
        return answers

    def receive_eof(self) -> None:
        """The client has gone; on HTTP/2 it must have sent the signed empty frame before."""
        if self._http2 and not self.closed:
            self.failure = NO_END_FRAME
        self.closed = True

    def fail(self, code: str) -> list[WireMessage]:
        """End the stream with the exception `code`."""
        return self._refuse(TEXTS[checked_code(code, FakeTranscribe.error_codes)], code)

    @property
    def seconds_heard(self) -> float:
        """How much audio came; 0 for audio in containers."""
        encoding = self.options["media-encoding"]
        if encoding not in FRAMES:
            return 0.0
        frame, frames_per_second = FRAMES[encoding]
        return (self.audio_bytes / (frame * self._channel_count())
                / (frames_per_second or self.options["sample-rate"]))

    def time_out(self) -> list[WireMessage]:
        """Fifteen seconds have passed without audio."""
        return self._refuse(IDLE)

    def _frames(self, message: WireMessage) -> list[Message]:
        if isinstance(message, str):
            raise _Refusal(TEXT_FRAME)
        return self._decoder.feed(message) if self._http2 else [Message.decode(message)]

    def _refuse(self, text: str, kind: str = "BadRequestException") -> list[WireMessage]:
        self.closed, self.failure = True, text
        return [encode_message({":exception-type": kind, ":content-type": "application/json",
                                ":message-type": "exception"}, msgspec.json.encode({"Message": text}))]

    def _hear(self, frame: Message) -> list[WireMessage]:
        """One frame, signed or plain."""
        if self.closed:
            return []
        if ":chunk-signature" in frame.headers:
            self._signed = True
            inner = self._verifier.verify(frame.headers, frame.payload, at=self._service.clock())
            if not inner:
                return self._finish()
            frame = Message.decode(inner)
        elif self._signed:
            raise _Refusal("The frame is not signed.")
        handler = self._HANDLERS.get(str(frame.headers.get(":event-type")))
        if handler is None or frame.headers.get(":message-type") != "event":
            raise _Refusal("The event type is not supported.")
        kind, handle = handler
        if frame.headers.get(":content-type") != kind:
            raise _Refusal(f"The content type must be {kind}.")
        return handle(self, frame.payload)

    def _configure(self, payload: bytes) -> list[WireMessage]:
        if not self._operation.configured or self.configuration is not None or self.audio_events:
            raise _Refusal("A ConfigurationEvent is not expected here.")
        document = read_json(payload)
        self.roles = [one.participant_role for one in check_shape(document, _Configuration).channel_definitions]
        self.configuration = document
        for option in self._operation.options:
            if option.place and option.required:
                value: Any = document
                for section in option.place:
                    value = value.get(section) if isinstance(value, dict) else None
                if value is None:
                    raise _Refusal(f"The ConfigurationEvent lacks {'.'.join(option.place)}.")
        return []

    def _control(self, payload: bytes) -> list[WireMessage]:
        if self._operation is not MEDICAL_SCRIBE or read_json(payload) != {"Type": "END_OF_SESSION"}:
            raise _Refusal("The session control event is not supported.")
        self._control_seen = True
        return []

    def _audio(self, payload: bytes) -> list[WireMessage]:
        if self._operation.configured and self.configuration is None:
            raise _Refusal("The first event must be a ConfigurationEvent.")
        if self._control_seen:
            raise _Refusal("Audio came after the end of the session.")
        if not payload:
            return self._finish() if not self._http2 else []
        self._check_audio(payload)
        self.audio_bytes += len(payload)
        self.audio_events += 1
        if not self._channels:
            self._channels = [_Channel(self._service.recogniser(self.options["sample-rate"]), number,
                                       self._uuid(f"result {number}")) for number in range(self._channel_count())]
        answers: list[WireMessage] = []
        for channel, pcm in zip(self._channels, self._split(payload), strict=True):
            words = list(channel.recogniser.accept(pcm))
            if words != channel.words:
                channel.words = words
                answers.append(self._result(channel, partial=True))
        return answers

    _HANDLERS: ClassVar[Mapping[str, tuple[str, Callable[..., list[WireMessage]]]]] = {
        "AudioEvent": ("application/octet-stream", _audio),
        "ConfigurationEvent": ("application/json", _configure),
        "SessionControlEvent": ("application/json", _control),
    }

    def _channel_count(self) -> int:
        return 2 if self.roles or "number-of-channels" in self.options else 1

    def _check_audio(self, payload: bytes) -> None:
        encoding = self.options["media-encoding"]
        if encoding in FRAMES:
            frame, frames_per_second = FRAMES[encoding]
            frame *= self._channel_count()
            if len(payload) % frame:
                raise _Refusal(f"An audio event of {len(payload)} bytes does not hold whole frames of {frame} bytes.")
            if len(payload) > MAX_SECONDS_AN_EVENT * frame * (frames_per_second or self.options["sample-rate"]):
                raise _Refusal(TOO_BIG)
            if not self.audio_events and payload.startswith((b"RIFF", *MAGIC.values())):
                raise _Refusal(NOT_AUDIO)
        elif not self.audio_events and not payload.startswith(MAGIC[encoding]):
            raise _Refusal(NOT_AUDIO)

    def _split(self, payload: bytes) -> list[bytes]:
        """The audio of each channel."""
        count, decode = len(self._channels), _TO_INT16.get(self.options["media-encoding"])
        if decode is None:
            return [payload] * count
        samples = decode(payload).reshape(-1, count)
        return [samples[:, number].tobytes() for number in range(count)]

    def _finish(self) -> list[WireMessage]:
        self.closed = True
        answers: list[WireMessage] = []
        for channel in self._channels:
            channel.words = list(channel.recogniser.finish())
            answers.append(self._result(channel, partial=False))
        return answers

    # -- what is answered ---------------------------------------------------------------------------------------------

    def _result(self, channel: _Channel, *, partial: bool) -> WireMessage:
        name, document = _RENDERERS[self._operation.name](self, channel, partial)
        return encode_message({":message-type": "event", ":event-type": name, ":content-type": "application/json"},
                              msgspec.json.encode(document))


class _Channel:
    """One recogniser and what it has heard."""

    def __init__(self, recogniser: Recogniser, number: int, result_id: str) -> None:
        self.recogniser = recogniser
        self.number = number
        self.result_id = result_id
        self.words: list[Word] = []

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def start(self) -> float:
        return (self.words[0].start if self.words else None) or 0.0

    @property
    def end(self) -> float:
        return (self.words[-1].end if self.words else None) or 0.0


Document = dict[str, Any]


def _item(word: Word) -> Document:
    return {"Type": "punctuation" if word.is_punctuation else "pronunciation", "Content": word.text,
            **({} if word.confidence is None else {"Confidence": word.confidence})}


def _transcript_event(stream: TranscribeConversation, channel: _Channel, partial: bool) -> tuple[str, Document]:
    options = stream.options
    items = [{"StartTime": word.start, "EndTime": word.end, **_item(word)} for word in channel.words]
    for item in items:
        if "show-speaker-label" in options:
            item["Speaker"] = "0"
        if "enable-partial-results-stabilization" in options:
            item["Stable"] = not partial or item is not items[-1]
    result = {"ResultId": channel.result_id, "StartTime": channel.start, "EndTime": channel.end, "IsPartial": partial,
              "Alternatives": [{"Transcript": channel.text, "Items": items}], "ChannelId": f"ch_{channel.number}"}
    if languages := options.get("language-options"):
        code = options.get("preferred-language", languages[0])
        result |= {"LanguageCode": code, "LanguageIdentification": [{"LanguageCode": code, "Score": 0.9}]}
    return "TranscriptEvent", {"Transcript": {"Results": [result]}}


def _millis(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _utterance_event(stream: TranscribeConversation, channel: _Channel, partial: bool) -> tuple[str, Document]:
    roles = stream.roles
    return "UtteranceEvent", {
        "UtteranceId": channel.result_id, "IsPartial": partial, "Transcript": channel.text,
        "BeginOffsetMillis": _millis(channel.start), "EndOffsetMillis": _millis(channel.end),
        "Items": [{"BeginOffsetMillis": _millis(word.start), "EndOffsetMillis": _millis(word.end), **_item(word)}
                  for word in channel.words],
        **({"ParticipantRole": roles[channel.number]} if roles else {}),
        **({} if partial else {"Sentiment": "NEUTRAL"}),
    }


def _segment_event(stream: TranscribeConversation, channel: _Channel, partial: bool) -> tuple[str, Document]:
    return "TranscriptEvent", {"TranscriptSegment": {
        "SegmentId": channel.result_id, "IsPartial": partial, "Content": channel.text,
        "BeginAudioTime": channel.start, "EndAudioTime": channel.end, "ChannelId": str(channel.number),
        "Items": [{"BeginAudioTime": word.start, "EndAudioTime": word.end, **_item(word)} for word in channel.words],
    }}


_RENDERERS: Mapping[str, Callable[[TranscribeConversation, _Channel, bool], tuple[str, Document]]] = {
    STANDARD.name: _transcript_event,
    MEDICAL.name: _transcript_event,
    CALL_ANALYTICS.name: _utterance_event,
    MEDICAL_SCRIBE.name: _segment_event,
}
