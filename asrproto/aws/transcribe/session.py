"""The conversations with Transcribe: audio in, frames out; the service's frames in, transcripts out.

On a WebSocket every item of what `start`, `send_audio` and `end_audio` return is one binary message, and `receive`
takes one message. On HTTP/2 the items are pieces of the request body, in order, and `receive` takes pieces of the
response body, cut anywhere.

Audio goes out in events of `chunk_ms` each. The encodings that have frames of fixed length are cut between frames;
ogg-opus and flac are handed on as they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from asrproto._chunks import Chunker
from asrproto.aws.eventstream import EventStreamDecoder, Message, MessageEncoder, encode_message
from asrproto.aws.sigv4 import Credentials, EventSigner, SigV4Signer, signature_of
from asrproto.aws.transcribe import operations
from asrproto.aws.transcribe.events import (
    CALL_ANALYTICS_EVENTS,
    SCRIBE_EVENTS,
    TRANSCRIPT_EVENTS,
    EventTable,
    read_event,
)
from asrproto.aws.transcribe.failures import connection_lost, handshake_error, message_error, request_id_in
from asrproto.aws.transcribe.options import Operation, listed
from asrproto.aws.transcribe.transport import (
    MAX_EXPIRES,
    SERVICE,
    TRANSPORTS,
    base_url,
    http2_request,
    websocket_request,
)
from asrproto.errors import LocalProtocolError, MalformedFrame, RemoteProtocolError, ServiceError
from asrproto.events import Event, SessionEnded, SessionFailed, SessionStarted, UnknownEvent
from asrproto.http import HttpRequest
from asrproto.http.request import HeadersLike, find_header, header_pairs
from asrproto.session import Lifecycle, WireMessage, utc_now

if TYPE_CHECKING:
    from typing_extensions import Buffer, Unpack

    from asrproto.aws.transcribe.keywords import (
        CallAnalyticsOptions,
        MedicalOptions,
        MedicalScribeOptions,
        TranscribeOptions,
    )

__all__ = ["CallAnalyticsSession", "MedicalScribeSession", "MedicalSession", "TranscribeSession"]

AUDIO_EVENT = MessageEncoder({
    ":message-type": "event", ":event-type": "AudioEvent", ":content-type": "application/octet-stream"})
CONTAINER_PIECE = 16 * 1024  # bytes of ogg-opus or flac in one event, at most
CHUNK_MS = (50, 200)

SETTINGS: dict[str, Any] = {"transport": "websocket", "sign_frames": False, "expires": MAX_EXPIRES, "endpoint": None,
                            "chunk_ms": 100, "clock": utc_now}
AUDIO = {"sample_rate": 16000, "media_encoding": "pcm"}


def json_event(name: str, document: Any) -> bytes:
    """The frame of an event that is not audio."""
    return encode_message({":message-type": "event", ":event-type": name, ":content-type": "application/json"},
                          msgspec.json.encode(document))


class _Session:
    """What the four conversations have in common."""

    _operation: ClassVar[Operation]
    _events: ClassVar[EventTable]
    _defaults: ClassVar[dict[str, Any]] = AUDIO

    def __init__(self, credentials: Credentials, region: str, options: dict[str, Any]) -> None:
        if not isinstance(credentials, Credentials):
            raise TypeError(f"credentials must be Credentials, not {type(credentials).__name__}")
        settings = SETTINGS | {name: options.pop(name) for name in SETTINGS if name in options}
        self._options = self._operation.check(self._defaults | options, also_known=SETTINGS)
        transport = settings["transport"]
        possible = [name for name in TRANSPORTS if name != "websocket" or self._operation.websocket]
        if transport not in possible:
            raise LocalProtocolError(f"transport must be {listed(map(repr, possible))}, not {transport!r}")
        self._transport: str = transport
        self._expires = _within("expires", settings["expires"], 1, MAX_EXPIRES)
        self._clock = settings["clock"]
        if not isinstance(settings["sign_frames"], bool):
            raise LocalProtocolError(f"sign_frames must be True or False, not {settings['sign_frames']!r}")
        self._sign_frames: bool = settings["sign_frames"] or TRANSPORTS[transport].signs_frames
        self._url = base_url(transport, region, self._operation.path, settings["endpoint"])
        self._signer = SigV4Signer(credentials, service=SERVICE, region=region)
        self._credentials = credentials
        self._chunks, self._frame_size = self._chunker(_within("chunk_ms", settings["chunk_ms"], *CHUNK_MS))
        self._life = Lifecycle()
        self._event_signer: EventSigner | None = None
        self._opening_signature = ""
        self._decoder = EventStreamDecoder()
        self._broken: RemoteProtocolError | None = None
        self._over = False
        self._request_id: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._url} {self._life.phase.value}>"

    def _chunker(self, chunk_ms: int) -> tuple[Chunker, int]:
        encoding = self._options["media-encoding"]
        if encoding not in operations.FRAMES:
            return Chunker(CONTAINER_PIECE, eager=True), 1
        channel_bytes, frames_per_second = operations.FRAMES[encoding]
        frame = channel_bytes * (2 if {"number-of-channels", "channel-roles"} & self._options.keys() else 1)
        rate = frames_per_second or self._options["sample-rate"]
        return Chunker(frame * (rate * chunk_ms // 1000)), frame

    # -- sending ------------------------------------------------------------------------------------------------------

    def handshake(self) -> HttpRequest:
        """The request that opens the connection, signed with the clock's time.

        For a WebSocket a presigned ``GET``, good for `expires` seconds; open its URL exactly as it stands. For HTTP/2
        a ``POST`` whose body are the frames that follow.
        """
        self._life.enter("handshake")
        parameters = self._operation.parameters(self._options)
        request = (websocket_request(self._signer, self._url, parameters, self._clock, self._expires)
                   if self._transport == "websocket" else
                   http2_request(self._signer, self._url, parameters, self._clock))
        self._opening_signature = signature_of(request)
        return request

    def start(self) -> list[WireMessage]:
        """The first frames: the configuration where the operation has one, else none."""
        self._life.enter("start")
        if self._sign_frames:
            self._event_signer = EventSigner(self._signer, prior_signature=self._opening_signature)
        if not self._operation.configured:
            return []
        return [self._signed(json_event("ConfigurationEvent", self._operation.configuration(self._options)))]

    def send_audio(self, pcm: Buffer) -> list[WireMessage]:
        """Take audio in `media_encoding`, any amount of it; give the frames that it filled.

        Once the service has refused the conversation, audio is dropped.
        """
        self._life.enter("send_audio")
        if self._life.failed:
            return []
        return [self._signed(AUDIO_EVENT.encode(chunk)) for chunk in self._chunks.push(pcm)]

    def end_audio(self) -> list[WireMessage]:
        """The frames with the rest of the audio and the end of the stream.

        Raises
        ------
        LocalProtocolError
            The audio ends inside a sample. The session is still open then: send the rest and call this again.
        """
        left = self._chunks.pending % self._frame_size
        if left and not self._life.failed:
            raise LocalProtocolError(f"the audio ends inside a frame: {left} of {self._frame_size} bytes are there")
        self._life.enter("end_audio")
        if self._life.failed:
            return []
        frames = [self._signed(AUDIO_EVENT.encode(chunk)) for chunk in self._chunks.flush()]
        return [*frames, *self._end_frames()]

    def _end_frames(self) -> list[WireMessage]:
        """The end of the stream.

        On a WebSocket an event without audio says it; the signed empty frame after it, if frames are signed at all, is
        what the AWS SDK for JavaScript sends. On HTTP/2 that signed empty frame is all there is.
        """
        frames = [self._signed(AUDIO_EVENT.encode(b""))] if self._transport == "websocket" else []
        return frames if self._event_signer is None else [*frames, self._event_signer.sign_end(at=self._clock())]

    def _signed(self, frame: bytes) -> WireMessage:
        return frame if self._event_signer is None else self._event_signer.sign(frame, at=self._clock())

    # -- receiving ----------------------------------------------------------------------------------------------------

    def receive_handshake(self, status: int, headers: HeadersLike, body: Buffer = b"") -> list[Event]:
        """Take the service's answer to the handshake: `SessionStarted`, or `SessionFailed` with the reason.

        It need not be given; with it, errors name the request id that AWS support asks for.
        """
        if status != TRANSPORTS[self._transport].accepted:
            return self._failed(handshake_error(status, headers, body, credentials=self._credentials))
        self._request_id = request_id_in(headers)
        pairs = header_pairs(headers)
        return [SessionStarted(find_header(pairs, "x-amzn-transcribe-session-id"), raw=pairs)]

    def receive(self, message: WireMessage) -> list[Event]:
        """Take one WebSocket message, or a piece of the HTTP/2 response of any size.

        Raises
        ------
        RemoteProtocolError
            What came is not in the service's format. Events before it in the same piece are given first, and the error
            is raised by the next call.
        """
        if self._broken is not None:
            raise self._broken
        if isinstance(message, str):
            raise MalformedFrame("the service sends binary messages and this is text: if it was decoded on the way, "
                                 "hand on the bytes; else something other than Transcribe is answering",
                                 reason="text-message")
        events: list[Event] = []
        messages: Sequence[Message]
        try:
            messages = self._decoder.feed(message)
        except RemoteProtocolError as error:
            messages, self._broken = error.messages, error
        if self._transport == "websocket" and (self._broken or len(messages) != 1 or self._decoder.buffered):
            messages, self._broken = (), _not_one_frame(message)
        try:
            for one in messages:
                events += self._read(one)
        except RemoteProtocolError as error:
            self._broken = error
        if self._broken is not None and not events:
            raise self._broken
        return events

    def receive_eof(self) -> list[Event]:
        """The connection (on HTTP/2 the response) has ended: `SessionEnded`, or `SessionFailed` if that is too soon.

        Raises
        ------
        TruncatedFrame
            The HTTP/2 response ended inside a frame.
        """
        if self._over:
            return []
        if self._broken is not None:
            raise self._broken
        self._decoder.close()
        if self._life.ended:
            self._over = True
            return [SessionEnded()]
        return self._failed(connection_lost(self._request_id))

    def _read(self, message: Message) -> list[Event]:
        if self._over:
            raise MalformedFrame("a message came after the conversation was over", reason="after-end")
        kind = message.headers.get(":message-type")
        if kind == "event":
            return read_event(message, self._events)
        if kind in ("exception", "error"):
            return self._failed(message_error(message, self._credentials, self._request_id))
        return [UnknownEvent(message)]

    def _failed(self, error: ServiceError) -> list[Event]:
        self._life.fail()
        self._over = True
        return [SessionFailed(error)]


def _not_one_frame(message: bytes) -> RemoteProtocolError:
    """What is wrong with a WebSocket message that is not exactly one frame; offsets are those in the message."""
    try:
        Message.decode(message)
    except RemoteProtocolError as error:
        return error
    return MalformedFrame("a WebSocket message must be exactly one frame", reason="not-one-frame")


def _within(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise LocalProtocolError(f"{name} must be a whole number from {low} to {high}, not {value!r}")
    return value


class TranscribeSession(_Session):
    """Standard transcription.

    Parameters
    ----------
    credentials : Credentials
    region : str
        E.g. ``"us-east-1"``.
    transport : {"websocket", "http2"}
    sign_frames : bool
        Sign each frame on a WebSocket too; on HTTP/2 they always are.
    expires : int
        Seconds for which the WebSocket URL is good, 1 to 300.
    endpoint : str, optional
        Another host (``"host:port"`` or a URL without a path), e.g. of a VPC endpoint or a fake.
    chunk_ms : int
        Milliseconds of audio in each event, 50 to 200.
    clock : callable
        Gives the time for signatures, timezone-aware.
    language_code : str
        Or else ``identify_language=True`` or ``identify_multiple_languages=True`` with `language_options`.
    sample_rate : int
        In Hz; 16000 unless given.
    media_encoding : str
        ``"pcm"`` (s16le) unless given.
    **options
        Every other option of StartStreamTranscription, in snake case; ``docs/transcribe.md`` lists them.

    Raises
    ------
    LocalProtocolError
        An option is unknown, out of range, or does not go with another; the message names it.
    """

    _operation = operations.STANDARD
    _events = TRANSCRIPT_EVENTS

    def __init__(self, credentials: Credentials, *, region: str, **options: Unpack[TranscribeOptions]) -> None:
        super().__init__(credentials, region, dict(options))


class MedicalSession(_Session):
    """Medical transcription, with `specialty` and `type`; otherwise as `TranscribeSession`. English (US) by default."""

    _operation = operations.MEDICAL
    _events = TRANSCRIPT_EVENTS
    _defaults = AUDIO | {"language_code": "en-US"}

    def __init__(self, credentials: Credentials, *, region: str, **options: Unpack[MedicalOptions]) -> None:
        super().__init__(credentials, region, dict(options))


class CallAnalyticsSession(_Session):
    """Call analytics: utterances with sentiment and issues, and categories (`CategoriesMatched`).

    Parameters
    ----------
    channel_roles : sequence of str, optional
        ``"AGENT"`` and ``"CUSTOMER"`` in the order of the audio's two channels.
    output_location, data_access_role_arn, content_redaction_output, output_encryption_kms_key_id : str, optional
        Have the whole call analysed and stored once it is over.
    **options
        As for `TranscribeSession`.
    """

    _operation = operations.CALL_ANALYTICS
    _events = CALL_ANALYTICS_EVENTS

    def __init__(self, credentials: Credentials, *, region: str, **options: Unpack[CallAnalyticsOptions]) -> None:
        super().__init__(credentials, region, dict(options))


class MedicalScribeSession(_Session):
    """AWS HealthScribe, over HTTP/2 only: a consultation becomes a transcript and, once it is over, a clinical note.

    Parameters
    ----------
    resource_access_role_arn, output_bucket_name : str
        Where the note goes, and the role that may write there.
    note_template : str, optional
    channel_roles : sequence of str, optional
        ``"CLINICIAN"`` and ``"PATIENT"`` in the order of the audio's two channels.
    **options
        As for `TranscribeSession`; English (US) and 16 kHz PCM by default.
    """

    _operation = operations.MEDICAL_SCRIBE
    _events = SCRIBE_EVENTS
    _defaults = AUDIO | {"language_code": "en-US"}

    def __init__(self, credentials: Credentials, *, region: str, **options: Unpack[MedicalScribeOptions]) -> None:
        super().__init__(credentials, region, {"transport": "http2", **options})

    def _end_frames(self) -> list[WireMessage]:
        end = self._signed(json_event("SessionControlEvent", {"Type": "END_OF_SESSION"}))
        return [end, *super()._end_frames()]
