"""Options: each in its place in the request, and what is unknown, misplaced or out of range refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from volc_conversations import CREDENTIALS

from asrproto.errors import LocalProtocolError
from asrproto.volcengine.codes import BIG_MODEL_CODES, LEGACY_CODES
from asrproto.volcengine.credentials import ApiKey
from asrproto.volcengine.frames import decode_frame
from asrproto.volcengine.options import BigModelOptions, FlashOptions, LegacyOptions, RecordingOptions
from asrproto.volcengine.recording import flash_request, submit_request
from asrproto.volcengine.streaming import BigModelSession, LegacySession

DEFAULTS = {"audio": {"format": "pcm"}, "request": {"model_name": "bigmodel", "show_utterances": True}}


def big_model(**options: Any) -> Any:
    session = BigModelSession(CREDENTIALS, **options)
    session.handshake()
    return json.loads(decode_frame(session.start()[0]).payload)


def legacy(**options: Any) -> Any:
    session = LegacySession(CREDENTIALS, cluster="a-cluster", reqid="an-id", **options)
    session.handshake()
    return json.loads(decode_frame(session.start()[0]).payload)


def recording(**options: Any) -> Any:
    return json.loads(submit_request(CREDENTIALS, **{"url": "http://xxx.com/a.mp3", "format": "mp3", **options}).body)


def flash(**options: Any) -> Any:
    return json.loads(flash_request(CREDENTIALS, b"audio", **options).body)


def test_defaults() -> None:
    assert big_model() == DEFAULTS
    assert legacy() == {
        "app": {"appid": "123456789", "token": "made-up-token", "cluster": "a-cluster"},
        "user": {"uid": "an-id"},
        "audio": {"format": "raw", "rate": 16000, "bits": 16, "channel": 1, "language": "zh-CN"},
        "request": {"reqid": "an-id", "sequence": 1, "workflow": "audio_in,resample,partition,vad,fe,decode",
                    "show_utterances": True},
    }


def test_the_example_of_the_documentation() -> None:
    assert recording(uid="388808087185088", url="http://xxx.com/obj/sample.mp3", enable_itn=True) == {
        "user": {"uid": "388808087185088"}, "audio": {"format": "mp3", "url": "http://xxx.com/obj/sample.mp3"},
        "request": {"model_name": "bigmodel", "enable_itn": True}}


FLAGS = ["enable_itn", "enable_punc", "enable_ddc", "enable_speaker_info", "show_utterances", "enable_poi_fc",
         "enable_music_fc", "show_speech_rate", "show_volume", "enable_lid", "enable_emotion_detection",
         "enable_gender_detection"]
TABLES = ["boosting_table_name", "boosting_table_id", "correct_table_name", "correct_table_id", "context"]

# Where the vendor's tables have each field, with a value of its kind.
BIG_MODEL_PLACES: dict[tuple[str, ...], dict[str, Any]] = {
    ("user",): dict.fromkeys(["uid", "did", "platform", "sdk_version", "app_version"], "text"),
    ("audio",): {"format": "wav", "codec": "raw", "rate": 16000, "bits": 16, "channel": 2},
    ("request",): {**dict.fromkeys([*FLAGS, "enable_nonstream", "enable_accelerate_text"], True),
                   "model_name": "bigmodel", "ssd_version": "200", "output_zh_variant": "tw", "result_type": "full",
                   "accelerate_score": 20, "vad_segment_duration": 3000, "end_window_size": 200,
                   "force_to_speech_time": 1, "sensitive_words_filter": "{}"},
    ("request", "corpus"): dict.fromkeys(TABLES, "text"),
}
RECORDING_PLACES: dict[tuple[str, ...], dict[str, Any]] = {
    (): {"callback": "http://xxx", "callback_data": "text"},
    ("user",): {"uid": "text"},
    ("audio",): {"url": "http://xxx", "format": "ogg", "codec": "opus", "rate": 8000, "bits": 16, "channel": 2,
                 "language": "de-DE"},
    ("request",): {**dict.fromkeys([*FLAGS, "enable_channel_split", "vad_segment"], True), "model_name": "bigmodel",
                   "model_version": "400", "ssd_version": "200", "end_window_size": 5000,
                   "sensitive_words_filter": "{}"},
    ("request", "corpus"): dict.fromkeys(TABLES, "text"),
}
FLASH_PLACES = {place: {name: value for name, value in options.items() if name != "url"}
                for place, options in RECORDING_PLACES.items() if place}
LEGACY_PLACES: dict[tuple[str, ...], dict[str, Any]] = {
    ("user",): dict.fromkeys(["uid", "device", "platform", "network", "nation", "province", "city"], "text"),
    ("audio",): {"format": "wav", "codec": "raw", "rate": 8000, "bits": 16, "channel": 2, "language": "en-US"},
    ("request",): {"nbest": 2, "confidence": 1, "workflow": "audio_in", "show_utterances": False,
                   "result_type": "full", "boosting_table_name": "text", "correct_table_name": "text"},
}
ALL = {
    "big model": (big_model, BigModelOptions, BIG_MODEL_PLACES, {"language", "enable_auto_lang"}),
    "recording": (recording, RecordingOptions, RECORDING_PLACES, set()),
    "flash": (flash, FlashOptions, FLASH_PLACES, {"url", "data"}),
    "legacy": (legacy, LegacyOptions, LEGACY_PLACES, set()),
}


@pytest.mark.parametrize("kind", ALL)
def test_every_option_goes_to_its_place(kind: str) -> None:
    make, options, places, elsewhere = ALL[kind]
    given = {name: value for values in places.values() for name, value in values.items()}
    groups = {"user", "audio", "request", "corpus"}
    ours = {"hotwords", "dialog"}
    assert set(given) | elsewhere == set(get_type_hints(options)) - groups - ours
    document = make(**given)
    for place, values in places.items():
        at = document
        for step in place:
            at = at[step]
        assert {name: at[name] for name in values} == values


def test_options_by_groups_are_the_same() -> None:
    flat = big_model(uid="u", channel=2, end_window_size=800, boosting_table_name="t")
    assert flat == big_model(user={"uid": "u"}, audio={"channel": 2}, request={
        "end_window_size": 800, "corpus": {"boosting_table_name": "t"}})
    assert flat == big_model(uid="u", channel=2, end_window_size=800, corpus={"boosting_table_name": "t"})


def test_options_that_are_none_are_not_given() -> None:
    assert big_model(enable_itn=None, corpus=None) == DEFAULTS


def test_the_corpus_is_built_from_lists() -> None:
    assert big_model(hotwords=["豆包", {"word": "ASR", "scale": 2}])["request"]["corpus"] == {
        "context": '{"hotwords":[{"word":"豆包"},{"word":"ASR","scale":2}]}'}
    assert recording(dialog=["newest", {"image_url": "http://xxx"}])["request"]["corpus"] == {
        "context": '{"context_type":"dialog_ctx","context_data":[{"text":"newest"},{"image_url":"http://xxx"}]}'}
    assert big_model(context={"loc_info": {"city_name": "北京市"}})["request"]["corpus"] == {
        "context": '{"loc_info":{"city_name":"北京市"}}'}
    assert big_model(sensitive_words_filter={"system_reserved_filter": True})["request"][
        "sensitive_words_filter"] == '{"system_reserved_filter":true}'


def test_a_workflow_may_be_a_list() -> None:
    assert legacy(workflow=["audio_in", "itn"])["request"]["workflow"] == "audio_in,itn"


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (big_model, {"end_windo_size": 800}, r"'end_windo_size'; did you mean 'end_window_size' \(it goes in request\)"),
    (big_model, {"xyzzy": 1}, "no option 'xyzzy'$"),
    (big_model, {"audio": {"end_window_size": 800}}, "end_window_size belongs in request, not in audio"),
    (big_model, {"corpus": {"end_window_size": 800}}, "end_window_size belongs in request, not in request.corpus"),
    (big_model, {"request": {"boosting_table_name": "t"}}, "boosting_table_name belongs in request.corpus"),
    (big_model, {"request": {"hotword": ["a"]}}, "did you mean 'hotwords'"),
    (big_model, {"audio": {"corpus": {}}}, "corpus belongs in request, not in audio"),
    (big_model, {"request": {"audio": {}}}, "audio belongs at the top, not in request"),
    (big_model, {"corpus": "text"}, "corpus must be a mapping"),
    (big_model, {"rate": 8000}, "rate must be one of 16000, not 8000"),
    (big_model, {"channel": 3}, "channel must be one of 1, 2"),
    (big_model, {"format": "flac"}, "format must be one of"),
    (big_model, {"end_window_size": 199}, "end_window_size=199.* >= 200"),
    (big_model, {"end_window_size": "800"}, "end_window_size='800'"),
    (big_model, {"accelerate_score": 21}, "accelerate_score=21"),
    (big_model, {"force_to_speech_time": 0}, "force_to_speech_time=0"),
    (big_model, {"enable_itn": 1}, "enable_itn=1"),
    (big_model, {"rate": True}, "rate"),
    (big_model, {"hotwords": "a"}, "hotwords='a'"),
    (big_model, {"hotwords": ["a"], "dialog": ["b"]}, "hotwords and dialog both make corpus.context"),
    (big_model, {"context": {}, "hotwords": []}, "context and hotwords"),
    (big_model, {"uid": "a", "user": {"uid": "b"}}, "uid is given twice"),
    (big_model, {"uid": "\ud800"}, "UTF-8"),
    (big_model, {"context": {"a": float("nan")}}, "JSON"),
    (big_model, {"language": "en-US"}, "language is not offered at the endpoint 'bigmodel_async', only at"),
    (big_model, {"endpoint": "bigmodel", "enable_nonstream": True}, "enable_nonstream is not offered"),
    (big_model, {"endpoint": "bigmodel", "request": {"enable_lid": True}}, "enable_lid is not offered"),
    (big_model, {"endpoint": "bigmodel_fast"}, "endpoint must be one of"),
    (big_model, {"url": "https://example.org/"}, "url must start with wss:// or ws://"),
    (big_model, {"resource_id": "a b"}, "resource_id"),
    (big_model, {"connect_id": ""}, "connect_id"),
    (big_model, {"chunk_ms": 0}, "chunk_ms"),
    (big_model, {"gzip_level": 10}, "gzip_level"),
    (legacy, {"end_window_size": 800}, "no option 'end_window_size'"),
    (legacy, {"nbest": 0}, "nbest=0"),
    (legacy, {"authorization": "basic"}, "authorization must be one of"),
    (recording, {"end_window_size": 299}, "end_window_size=299"),
    (recording, {"end_window_size": 5001}, "end_window_size=5001"),
    (recording, {"request": {"callback": "http://xxx"}}, "callback belongs at the top, not in request"),
    (recording, {"url": None}, "url must be given"),
    (recording, {"format": None}, "format must be given"),
    (recording, {"format": "pcm"}, "format must be one of"),
    (recording, {"data": "x"}, "no option 'data'"),
    (flash, {"url": "http://xxx"}, "either audio or url"),
    (flash, {"data": "x"}, "audio and data"),
    (flash, {"callback": "x"}, "no option 'callback'"),
]


@pytest.mark.parametrize(("make", "options", "words"), REFUSED)
def test_options_that_are_refused(make: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        make(**options)


def test_language_where_it_is_offered() -> None:
    assert big_model(endpoint="bigmodel_nostream", language="en-US")["audio"]["language"] == "en-US"


def test_credentials_of_the_wrong_kind() -> None:
    with pytest.raises(TypeError):
        BigModelSession("key")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        LegacySession(ApiKey("made-up-key"), cluster="c")  # type: ignore[arg-type]


def test_the_page_names_every_option_and_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "volcengine.md").read_text("utf-8")
    names = {name for _, options, _, _ in ALL.values() for name in get_type_hints(options)} - {"corpus"}
    assert not [name for name in names if f"`{name}`" not in page]
    rows = {line for line in page.splitlines() if line.startswith("| ")}
    for code in (*BIG_MODEL_CODES.values(), *LEGACY_CODES.values()):
        retry = "yes" if code.retryable else ""
        assert f"| {code.number} | {code.meaning} | {code.meaning_zh} | {retry} |" in rows


FILES = {"wav": b"RIFF\x24\0\0\0WAVEfmt ", "ogg": b"OggS\0\x02" + bytes(20), "mp3": b"ID3\x04" + bytes(20)}


@pytest.mark.parametrize("declared", ["pcm", "wav", "ogg", "mp3"])
@pytest.mark.parametrize("sent", ["pcm", "wav", "ogg", "mp3"])
@pytest.mark.parametrize("step", [1, 5, 100])
def test_audio_that_is_not_of_the_declared_format(declared: Any, sent: str, step: int) -> None:
    session = BigModelSession(CREDENTIALS, format=declared)
    session.handshake()
    session.start()
    audio = FILES.get(sent, bytes(range(1, 25)))

    def send() -> None:
        for start in range(0, len(audio), step):
            session.send_audio(audio[start:start + step])
        session.end_audio()

    if declared == sent or (declared == "pcm" and sent == "mp3"):  # three bytes are too few to know an mp3 by
        send()
    else:
        with pytest.raises(LocalProtocolError, match=f"format='{declared}' was declared"):
            send()


def test_a_few_bytes_that_are_not_of_the_declared_format() -> None:
    session = BigModelSession(CREDENTIALS, format="wav")
    session.handshake()
    session.start()
    session.send_audio(b"RI")
    with pytest.raises(LocalProtocolError, match="wav"):
        session.end_audio()
