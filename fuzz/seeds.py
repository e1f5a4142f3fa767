"""``python -m fuzz.seeds``: write the seeds that can be made (conversations with the fakes, published frames).

What a run found is kept beside them under the name ``found-...`` and is not touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from asrproto.audio import wav
from asrproto.aws.eventstream import Int8, Int16, Int32, Int64, Timestamp, encode_message
from asrproto.http import HttpRequest
from fuzz.conversations import CONVERSATIONS, SECRETS, recorded, sent
from fuzz.harness import CORPUS
from fuzz.mutate import pack_messages
from fuzz.targets import sigv4_verify

# From the vendor's documentation (OD) and captures of the live service (CAP).
VOLCENGINE = {
    "start-connection": bytes.fromhex("1114100000000001000000027b7d"),
    "start-session": bytes.fromhex(
        "11141000000000640000002437356136313236652d343237662d343961312d613263312d3632313134336361396462330000003c"
    ) + '{"dialog":{"bot_name":"豆包","dialog_id":"","extra":null}}'.encode(),
    "tts-response-cut-short": bytes.fromhex(
        "11b40000000001600000002433633739316137642d323237612d343434362d393933622d323466396533303263633938000007fc4f676753"),
    "connection-started": bytes.fromhex(
        "11941000000000320000002433396633656636632d323839662d343336382d396436372d363336636437663263393933000000027b7d"),
    "error": bytes.fromhex("11f0100002aea59100000099")
    + b'{"error":"[Timeout waiting next packet] Handle response: pre-handle: schedule request: allocate session: '
      b'waiting next packet timeout, session has ended"}',
    "first-response": bytes.fromhex("11911000000000010000006e")
    + b'{"audio_info":{"duration":0},"result":{"additions":{"log_id":"20260409175957B079592BDCD6D1DEF28C"},"text":""}}',
}

SSE = {
    "plain": b"data: one\n\ndata: two\ndata: lines\n\n",
    "fields": b"\xef\xbb\xbf: comment\r\nevent: add\r\nid: 7\r\nretry: 1000\r\ndata:x\r\n\r\nid\r\rdata\n\n",
    "openai": 'data: {"type":"transcript.text.delta","delta":"Hé\u2028llo"}\n\n'
              'event: x\ndata: {"type":"transcript.text.done","text":"Hello"}\n\ndata: [DONE]\n\n'.encode(),
    "unfinished": b"data: a\n\ndata: b\nid: 1\n",
}

_host = "transcribestreaming.us-east-1.amazonaws.com:8443"
_url = f"https://{_host}/stream/a%20b//../c?sample-rate=16000&b=%7E&a=1&a=0&empty"
_request = HttpRequest("GET", _url, [("Host", _host), ("X-A", "a  b")], b"{}")
SIGV4 = {
    "presigned": sigv4_verify.text_of(sigv4_verify.SIGNER.presign(_request, at=sigv4_verify.AT, expires=300)),
    "signed": sigv4_verify.text_of(sigv4_verify.SIGNER.sign(_request, at=sigv4_verify.AT, content_sha256_header=True)),
    "unsigned": sigv4_verify.text_of(_request),
}

EVENT_STREAM = {
    # what Transcribe answers to JSON text; quoted in a user's question
    "bad-request": b"\x00\x00\x00\xa3\x00\x00\x00ah\x10k\xe1\x0f:exception-type\x07\x00\x13BadRequestException"
                   b"\r:content-type\x07\x00\x10application/json\r:message-type\x07\x00\texception"
                   b'{"Message":"Unexpected WebSocket frame received."}\xbd\xceK\x8a',
    "every-type": encode_message({"0": True, "1": False, "2": Int8(2), "3": Int16(3), "4": Int32(4), "5": Int64(5),
                                  "6": b"bytes", "7": "utf8", "8": Timestamp(8), "9": UUID(int=9)}, b"payload"),
    "three": encode_message({}) + encode_message({":event-type": "AudioEvent"}, bytes(100)) + encode_message({}, b"{}"),
    "cut": encode_message({"a": "b"}, b"0123456789")[:-3],
}

MULTIPART = {
    "fields": pack_messages(["model\0whisper-1", "prompt\0two\r\nlines", "name\"\0", b"file\0RIFF....WAVE"]),
    "unicode": pack_messages(["\u8bed\u8a00\0zh", b"\xc3\xa9\0--boundary\r\n\r\n"]),
}

_words = [{"word": "go", "start": 0.0, "end": 0.2}, {"word": "forward", "start": 0.2, "end": 0.5, "probability": 0.9}]
_segments = [{"id": 0, "start": 0.0, "end": 0.5, "text": " go forward", "words": _words, "speaker": "A"},
             {"id": "s1", "start": 0.5, "end": 0.9, "text": " ten"}]
_vtt = "WEBVTT\n\nNOTE x\n\n1\n00:00.000 --> 00:01.500\n<v Fred>go &amp; <b>forward</b>\n\n" \
       "00:00:02.000 --> 00:00:03.000\nx\n"
_utterances = [{"text": "go forward", "start_time": 0, "end_time": 500, "definite": True, "additions": {"speaker": "1"},
                "words": [{"text": "go", "start_time": 0, "end_time": 200, "confidence": 0.5}]}]


def _replies(**rows: tuple[int, str | dict[str, Any]]) -> dict[str, bytes]:
    """The way to ask, and the body."""
    return {name: bytes((way,)) + (body if isinstance(body, str) else json.dumps(body)).encode()
            for name, (way, body) in rows.items()}


REPLIES = {
    "openai": _replies(
        json=(0, {"text": "go forward", "usage": {"type": "tokens"}}),
        text=(2, "go forward\n"),
        srt=(4, "1\n00:00:00,000 --> 00:00:01,500\ngo forward\n\n2\n00:00:02,000 --> 00:00:03,000\nx\n"),
        verbose=(6, {"text": "go forward ten", "language": "english", "duration": "0.9", "segments": _segments,
                     "words": _words}),
        vtt=(8, _vtt),
        diarized=(10, {"text": "go forward", "duration": 0.9, "segments": _segments, "task": "transcribe"}),
        refused=(1, {"error": {"message": f"Incorrect API key provided: {SECRETS[1]}.", "type": "invalid_request_error",
                               "param": None, "code": "invalid_api_key"}}),
        fastapi=(1, {"detail": [{"loc": ["body", "file"], "msg": "field required", "type": "missing"}]}),
        page=(3, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"),
        siliconflow=(0, {"code": 20012, "message": "Model does not exist", "data": None}),
    ),
    "youdao": _replies(
        short=(0, {"errorCode": "0", "result": ["go forward", "go for word"], "requestId": "r"}),
        prepare=(2, {"errorCode": "0", "result": "task-1"}),
        done=(4, {"errorCode": "0", "result": True}),
        progress=(6, {"errorCode": "0", "result": [{"taskId": "task-1", "status": "9"}]}),
        result=(8, {"errorCode": "0", "result": [{"sentence": "go forward", "words": ["go", "forward"]}]}),
        refused=(0, {"errorCode": "202", "desc": f"signature check failed {SECRETS[0]}", "requestId": "r"}),
        refused_http=(1, {"errorCode": 411, "msg": "frequency limited"}),
    ),
    "volcengine": _replies(
        submitted=(0, "20000000\n"),
        done=(1, "20000000\n" + json.dumps({"audio_info": {"duration": 500}, "result": {
            "text": "go forward", "utterances": _utterances, "additions": {"log_id": "L"}}})),
        listed=(1, "20000000\n" + json.dumps({"result": [{"text": "go", "confidence": 1}, {"text": "oh"}]})),
        queued=(1, "20000002\n"),
        refused=(1, "45000001\n{}"),
    ),
}


def _said(*documents: Any) -> bytes:
    return b"".join(f"data: {json.dumps(document)}\n\n".encode() for document in documents) + b"data: [DONE]\n\n"


OPENAI_STREAM = {
    "deltas": _said({"type": "transcript.text.delta", "delta": "go"},
                    {"type": "transcript.text.delta", "delta": " forward", "segment_id": "s"},
                    {"type": "transcript.text.done", "text": "go forward", "usage": {"type": "tokens"}}),
    "segments": _said({"type": "transcript.text.segment", "id": "s", "start": 0, "end": 0.5, "text": " go",
                       "speaker": "A"}, {"type": "transcript.text.done", "text": "go"}),
    "vllm": _said({"object": "transcription.chunk", "choices": [{"delta": {"content": "go"}}]},
                  {"object": "transcription.chunk", "choices": [{"delta": {}, "finish_reason": "stop"}]}),
    "refused": _said({"error": {"message": f"no {SECRETS[1]}", "code": 500}}),
    "plain": _said({"text": "go"}),
}

RECORDINGS = {
    "wav": wav.header(rate=16000, channels=1) + bytes(100),
    "extensible": wav.header(rate=48000, channels=3, data_size=60) + bytes(60),
    "aac": bytes.fromhex("fff1604000fffc") * 9,
    "mp3": b"ID3\x04\0\0\0\0\0\x05hello" + (bytes.fromhex("fff328c4") + bytes(140)) * 4,
}

WAVES = {
    **{name: wav.header(rate=16000, channels=2, sample_format=name, data_size=48) + bytes(range(48))
       for name in ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "ulaw", "alaw")},
    "streamed": wav.header(rate=8000, channels=1) + bytes(range(31)),
    "rf64": wav.header(rate=8000, channels=1, data_size=1 << 33) + bytes(32),
    "chunks": wav.header(rate=8000, channels=1)[:12] + b"LIST\5\0\0\0abcde\0"
              + wav.header(rate=8000, channels=1, data_size=6)[12:] + b"abcdef" + b"id3 \2\0\0\0ab",
}

SEEDS: dict[str, Mapping[str, bytes]] = {
    "aws_eventstream": EVENT_STREAM,
    "volcengine_frames": VOLCENGINE,
    "http_sse": SSE,
    "http_multipart": MULTIPART,
    "openai_stream": OPENAI_STREAM,
    "recordings": RECORDINGS,
    "cli_inspect": {"event-stream": EVENT_STREAM["three"].hex().encode(), "frame": repr(VOLCENGINE["error"]).encode(),
                    "events": SSE["fields"], "wav": WAVES["chunks"]},
    "wav_files": WAVES,
    "sigv4_verify": SIGV4,
    **{f"replies_{name}": seeds for name, seeds in REPLIES.items()},
}


def main() -> None:
    seeds = SEEDS | {
        f"session_{name}": {"conversation": pack_messages(recorded(name)[0]),
                            "refusal": pack_messages(recorded(name, refused=True)[0])} for name in CONVERSATIONS
    } | {f"fake_{name}": {"conversation": pack_messages(sent(name))} for name in CONVERSATIONS}
    for target, files in seeds.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
