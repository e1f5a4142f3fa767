"""Both sessions against the fake services: from the handshake to the last word."""

from __future__ import annotations

import itertools
import json
import pickle
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from volc_conversations import AT, CREDENTIALS, LOG_ID, SEVEN, converse, finals, partials

from asrproto.events import SessionEnded, SessionFailed, SessionStarted, Transcript
from asrproto.http import HttpRequest
from asrproto.testing import HandshakeRefused, ScriptedRecogniser
from asrproto.testing.volcengine import BigModelService, LegacyService
from asrproto.volcengine.credentials import ApiKey, AppCredentials
from asrproto.volcengine.frames import Compression, Flags, Frame, MessageType, decode_frame, encode_frame
from asrproto.volcengine.streaming import BigModelSession, LegacySession

TWO_SECONDS = [bytes(3000)] * 21 + [bytes(1000)]
SENTENCES = [("0", "one two three"), ("1", "four five six"), ("2", "seven")]


def big_model(**options: Any) -> BigModelSession:
    return BigModelSession(CREDENTIALS, **options)


def big_model_service(**options: Any) -> BigModelService:
    return BigModelService(SEVEN, credentials=CREDENTIALS, **{"words_per_utterance": 3, "log_id": LOG_ID, **options})


@pytest.mark.parametrize("endpoint", ["bigmodel", "bigmodel_async", "bigmodel_nostream"])
@pytest.mark.parametrize("gzip", [True, False])
@pytest.mark.parametrize("sequence_numbers", [True, False])
@pytest.mark.parametrize("result_type", [None, "full", "single"])
@pytest.mark.parametrize("service", [{}, {"gzip": True}, {"numbered": False}])
def test_every_way_of_talking_gives_the_same_finals(endpoint: str, gzip: bool, sequence_numbers: bool,
                                                    result_type: Any, service: dict[str, bool]) -> None:
    session = big_model(endpoint=endpoint, gzip=gzip, sequence_numbers=sequence_numbers, result_type=result_type)
    events = converse(session, big_model_service(**service), TWO_SECONDS)
    assert finals(events) == SENTENCES
    assert isinstance(events[0], SessionStarted)
    assert events[0].session_id == LOG_ID
    assert isinstance(events[-1], SessionEnded)
    assert not session.can_continue
    spoken = partials(events)
    assert len(spoken) == len(set(spoken)), "an unchanged partial is not repeated"
    assert bool(spoken) is (endpoint != "bigmodel_nostream")


def test_times_and_words() -> None:
    first = next(event for event in converse(big_model(), big_model_service(), TWO_SECONDS)
                 if isinstance(event, Transcript) and event.is_final)
    assert (first.start, first.end) == (0.0, 0.9)
    assert [(word.text, word.start, word.end) for word in first.words] == [
        ("one", 0.0, 0.3), ("two", 0.3, 0.6), ("three", 0.6, 0.9)]
    assert first.raw["definite"] is True


def test_without_utterances_the_text_is_one_segment() -> None:
    events = converse(big_model(show_utterances=False), big_model_service(), TWO_SECONDS)
    assert finals(events) == [("0", "one two three four five six seven")]
    assert partials(events)[:2] == [("0", "one"), ("0", "one two")]


@pytest.mark.parametrize("authorization", ["token", "hmac256", "hmac256-documented"])
@pytest.mark.parametrize("gzip", [True, False])
@pytest.mark.parametrize("result_type", [None, "single"])
def test_the_older_conversation(authorization: Any, gzip: bool, result_type: Any) -> None:
    session = LegacySession(CREDENTIALS, cluster="volcengine_streaming_common", authorization=authorization, gzip=gzip,
                            result_type=result_type)
    service = LegacyService(SEVEN, credentials=CREDENTIALS, cluster="volcengine_streaming_common",
                            words_per_utterance=3, log_id=LOG_ID)
    events = converse(session, service, TWO_SECONDS)
    assert finals(events) == SENTENCES
    assert isinstance(events[-1], SessionEnded)
    assert session.log_id == LOG_ID


def sent_packets(session: Any, pieces: list[bytes]) -> list[Frame]:
    session.handshake()
    messages = [*session.start(), *itertools.chain.from_iterable(map(session.send_audio, pieces)),
                *session.end_audio()]
    return [decode_frame(message) for message in messages]


@pytest.mark.parametrize("length", [0, 1, 6399, 6400, 6401, 12800, 20001])
@pytest.mark.parametrize("numbered", [True, False])
def test_exactly_one_last_packet(length: int, numbered: bool) -> None:
    """Also when the audio fills its last packet, and when there is none."""
    audio = bytes(range(256)) * 80
    request, *packets = sent_packets(big_model(sequence_numbers=numbered), [audio[:length]])
    assert request.message_type is MessageType.FULL_CLIENT_REQUEST
    assert [bool(packet.flags & Flags.LAST) for packet in packets] == [False] * (len(packets) - 1) + [True]
    assert b"".join(packet.payload for packet in packets) == audio[:length]
    assert all(len(packet.payload) == 6400 for packet in packets[:-1])
    sequences = [packet.sequence for packet in (request, *packets)]
    count = len(sequences)
    assert sequences == ([*range(1, count), -count] if numbered else [None] * count)


def test_older_frames_have_no_sequences() -> None:
    frames = sent_packets(LegacySession(CREDENTIALS, cluster="c"), [bytes(6400)])
    assert [(frame.sequence, frame.flags) for frame in frames] == [(None, 0), (None, 0), (None, Flags.LAST)]


@given(st.lists(st.binary(max_size=900), max_size=12))
def test_cutting_the_audio_anywhere_gives_the_same_packets(pieces: list[bytes]) -> None:
    def packets(pieces: list[bytes]) -> list[Frame]:
        return sent_packets(big_model(chunk_ms=10, connect_id="c", gzip=False), [bytes(12), *pieces])

    assert packets(pieces) == packets([b"".join(pieces)])


def test_audio_of_any_buffer() -> None:
    samples = np.arange(3200, dtype="<i2")
    views = [samples, memoryview(samples.tobytes()), np.repeat(samples, 2)[::2], samples.reshape(2, 1600),
             bytearray(samples.tobytes())]
    for view in views:
        session = big_model()
        session.handshake()
        session.start()
        packet, = session.send_audio(view)
        assert decode_frame(packet).payload == samples.tobytes()
        assert session.send_audio(b"") == session.send_audio(np.zeros(0, "<i2")) == []


def test_stereo_packets_are_as_long_in_time() -> None:
    _, packet, _ = sent_packets(big_model(channel=2, chunk_ms=100), [bytes(6400)])
    assert len(packet.payload) == 6400


def test_old_and_new_keys() -> None:
    old = big_model(connect_id="an-id").handshake()
    assert old.url == "wss://openspeech.bytedance.com/api/v3/sauc/bigmodel_async"
    assert old.headers == (("X-Api-App-Key", "123456789"), ("X-Api-Access-Key", "made-up-token"),
                           ("X-Api-Resource-Id", "volc.bigasr.sauc.duration"), ("X-Api-Connect-Id", "an-id"))
    new = BigModelSession(ApiKey("made-up-key"), connect_id="an-id", endpoint="bigmodel_nostream",
                          resource_id="volc.seedasr.sauc.concurrent").handshake()
    assert new.url.endswith("/bigmodel_nostream")
    assert new.headers == (("X-Api-Key", "made-up-key"), ("X-Api-Resource-Id", "volc.seedasr.sauc.concurrent"),
                           ("X-Api-Request-Id", "an-id"), ("X-Api-Sequence", "-1"))
    url = "wss://openspeech.bytedance.com/api/v3/asr/bigmodel_async"
    assert big_model(url=url).handshake().url == url
    assert "made-up" not in f"{old} {new}"


def test_the_new_key_is_accepted() -> None:
    service = BigModelService(SEVEN, credentials=ApiKey("made-up-key"), words_per_utterance=3)
    assert finals(converse(BigModelSession(ApiKey("made-up-key")), service, TWO_SECONDS)) == SENTENCES


@pytest.mark.parametrize(("credentials", "code"), [
    (AppCredentials("123456789", "another-token"), "45000010"), (ApiKey("made-up-key"), "45000010")])
def test_a_refused_handshake(credentials: Any, code: str) -> None:
    session = BigModelSession(credentials)
    with pytest.raises(HandshakeRefused) as caught:
        big_model_service().accept(session.handshake(), at=AT)
    response = caught.value.response
    failed, = session.receive_handshake(response.status, response.headers, response.body)
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.request_id, failed.error.retryable) == (code, LOG_ID, False)
    assert "another-token" not in str(failed.error)
    assert not session.can_continue


def test_a_resource_that_is_not_granted() -> None:
    session = big_model(resource_id="volc.seedasr.sauc.duration")
    with pytest.raises(HandshakeRefused) as caught:
        big_model_service(resource_ids=["volc.bigasr.sauc.duration"]).accept(session.handshake(), at=AT)
    assert caught.value.response.header("X-Api-Status-Code") == "45000030"


def test_a_gateway_in_between() -> None:
    session = big_model(connect_id="an-id")
    session.handshake()
    failed, = session.receive_handshake(502, {}, b"bad gateway for made-up-token")
    assert isinstance(failed, SessionFailed)
    assert (failed.error.code, failed.error.retryable, failed.error.request_id) == ("502", True, "an-id")
    assert failed.error.message == "bad gateway for ***"


def wav(speech: Path, name: str = "goforward.wav") -> tuple[bytes, bytes]:
    path = speech / name
    with wave.open(str(path)) as file:
        return path.read_bytes(), file.readframes(file.getnframes())


def test_wav_as_a_file(speech: Path) -> None:
    content, samples = wav(speech)
    heard: list[bytes] = []

    class Listener(ScriptedRecogniser):
        def accept(self, pcm: bytes) -> Any:
            heard.append(pcm)
            return super().accept(pcm)

    service = BigModelService(lambda rate: Listener("go forward ten meters", rate), credentials=CREDENTIALS)
    events = converse(big_model(format="wav"), service, [content])
    assert finals(events) == [("0", "go forward ten meters")]
    assert b"".join(heard) == content[44:]
    assert samples in content


def test_no_audio_at_all_is_refused_by_the_service() -> None:
    failed = converse(big_model(), big_model_service(), [])[-1]
    assert isinstance(failed, SessionFailed)
    assert failed.error.code == "45000002"


def mangled(session: Any, service: Any, mangle: Any) -> SessionFailed:
    """What comes back when the frames of a session are altered on their way."""
    conversation = service.accept(session.handshake(), at=AT)
    session.receive_handshake(101, conversation.response_headers)
    messages = [*session.start(), *session.send_audio(bytes(6400 * 2)), *session.end_audio()]
    events: list[Any] = []
    for number, message in enumerate(messages):
        for answer in conversation.receive(mangle(number, message)):
            events += session.receive(answer)
    assert isinstance(events[-1], SessionFailed)
    assert conversation.closed
    return events[-1]


def test_audio_packets_may_be_called_json() -> None:
    """As the vendor's demo does (0x11), where its documentation has them raw (0x01)."""
    service = big_model_service().accept(big_model().handshake(), at=AT)
    session = big_model()
    session.handshake()
    answers = []
    for message in [*session.start(), *session.send_audio(bytes(64000)), *session.end_audio()]:
        marked = bytearray(message)
        marked[2] = 0x11
        answers += service.receive(bytes(marked))
    assert decode_frame(answers[-1]).flags & Flags.LAST
    assert b"seven" in decode_frame(answers[-1]).payload


def renumbered(number: int, at: int, sequence: int, message: bytes) -> bytes:
    if number != at:
        return message
    frame = decode_frame(message)
    return encode_frame(Frame(frame.message_type, flags=frame.flags, serialization=frame.serialization,
                              compression=frame.compression, sequence=sequence, payload=frame.payload))


@pytest.mark.parametrize(("at", "sequence"), [(0, 2), (1, 1), (2, 2), (3, 4), (3, -3)])
def test_a_wrong_sequence_is_refused_by_the_service(at: int, sequence: int) -> None:
    failed = mangled(big_model(), big_model_service(),
                     lambda number, message: renumbered(number, at, sequence, message))
    assert failed.error.code == "45000000"
    assert "autoAssignedSequence" in failed.error.message
    assert "mismatch" in failed.error.message
    assert failed.error.request_id == LOG_ID


@pytest.mark.parametrize("mangle", [
    lambda number, message: "text",
    lambda number, message: message[:-1],
    lambda number, message: message + b"x",
    lambda number, message: message[:2] + b"\x10" + message[3:],  # still gzip, called JSON without packing
    lambda number, message: encode_frame(Frame(2, flags=1, sequence=1)),
    lambda number, message: encode_frame(Frame(1, flags=1, sequence=1, payload=b"[]")),
    lambda number, message: encode_frame(Frame(1, flags=1, sequence=1, payload=b'{"audio":{},"request":{}}')),
])
def test_a_bad_request_is_refused_by_the_service(mangle: Any) -> None:
    assert mangled(big_model(), big_model_service(), mangle).error.code == "45000001"


def first_answer(service: Any, request: dict[str, Any], audio: bytes = bytes(640)) -> Frame:
    """The last of what a service answers to a hand-made request and one last packet of audio."""
    conversation = service.accept(big_model().handshake(), at=AT)
    answers = list(conversation.receive(encode_frame(Frame(1, serialization=1, payload=json.dumps(request).encode()))))
    answers += conversation.receive(encode_frame(Frame(2, flags=Flags.LAST, payload=audio)))
    return decode_frame(answers[-1])


GOOD: dict[str, Any] = {"audio": {"format": "pcm"}, "request": {"model_name": "bigmodel"}}


@pytest.mark.parametrize(("group", "field", "value", "code"), [
    ("audio", "format", "pcm", None),
    ("request", "end_window_size", 800, None),
    ("request", "unknown", "is ignored, as the service does", None),
    ("audio", "format", "flac", 45000151),
    ("audio", "format", "wav", 45000151),  # and no header in the audio
    ("audio", "bits", 8, 45000151),
    ("audio", "rate", 8000, 45000001),
    ("audio", "rate", "16000", 45000001),
    ("request", "model_name", "other", 45000001),
    ("request", "end_window_size", "800", 45000001),
])
def test_fields_that_the_service_refuses(group: str, field: str, value: Any, code: int | None) -> None:
    request = {**GOOD, group: {**GOOD[group], field: value}}
    assert first_answer(big_model_service(), request).error_code == code


def test_the_service_wants_a_request_first_and_audio_after_it() -> None:
    frames = {"audio": Frame(2), "request": Frame(1, payload=json.dumps(GOOD).encode())}
    for name in frames:
        conversation = big_model_service().accept(big_model().handshake(), at=AT)
        answers = [*conversation.receive(encode_frame(frames["request"]))] if name == "request" else []
        answers += conversation.receive(encode_frame(frames[name]))
        assert decode_frame(answers[-1]).error_code == 45000001
        assert conversation.receive(encode_frame(frames["request"])) == []


def test_new_keys_need_their_other_headers() -> None:
    service = BigModelService(SEVEN, credentials=ApiKey("made-up-key"))
    request = BigModelSession(ApiKey("made-up-key")).handshake()
    for missing in ("X-Api-Sequence", "X-Api-Request-Id"):
        headers = [pair for pair in request.headers if pair[0] != missing]
        with pytest.raises(HandshakeRefused) as caught:
            service.accept(HttpRequest("GET", request.url, headers), at=AT)
        assert caught.value.response.header("X-Api-Status-Code") == "45000001"


def test_what_the_older_service_refuses() -> None:
    def failure(session: LegacySession, mangle: Any = lambda number, message: message) -> str:
        service = LegacyService(SEVEN, credentials=CREDENTIALS, cluster="c", log_id=LOG_ID)
        return mangled(session, service, mangle).error.code

    forged = AppCredentials("123456789", "made-up-token", "another-secret")
    assert failure(LegacySession(forged, cluster="c", authorization="hmac256")) == "1002"
    assert failure(LegacySession(CREDENTIALS, cluster="d")) == "1002"
    assert failure(LegacySession(CREDENTIALS, cluster="c"), lambda number, message: message[:-1]) == "1001"
    assert failure(LegacySession(CREDENTIALS, cluster="c", channel=2)) == "1012"
    with pytest.raises(HandshakeRefused):
        LegacyService(SEVEN, credentials=CREDENTIALS, cluster="c").accept(
            LegacySession(AppCredentials("1", "another-token"), cluster="c").handshake(), at=AT)


def test_sessions_pickle_with_their_state() -> None:
    session: Any = big_model()
    service = big_model_service()
    conversation = service.accept(session.handshake(), at=AT)
    events: list[Any] = []
    session = pickle.loads(pickle.dumps(session))
    steps = [lambda: session.start(), *[lambda: session.send_audio(bytes(5000))] * 13, lambda: session.end_audio()]
    for step in steps:
        for message in step():
            for answer in conversation.receive(message):
                events += session.receive(answer)
        session = pickle.loads(pickle.dumps(session))
    assert finals(events) == SENTENCES


def test_packing_can_be_turned_off_and_down() -> None:
    packed, plain = (sent_packets(big_model(gzip=gzip), [bytes(6400)]) for gzip in (True, False))
    assert {frame.compression for frame in packed} == {Compression.GZIP}
    assert {frame.compression for frame in plain} == {Compression.NONE}
    session = big_model(gzip_level=0)
    session.handshake()
    session.start()
    assert len(session.send_audio(bytes(6400))[0]) > 6400


def test_float_samples_are_not_taken_for_bytes() -> None:
    session = big_model()
    session.handshake()
    session.start()
    with pytest.raises(TypeError, match="float samples"):
        session.send_audio(np.zeros(1600, np.float32))
