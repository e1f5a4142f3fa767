"""``python -m fuzz.seeds``: write the seeds that can be made (conversations with the fakes, published frames).

What a run found is kept beside them under the name ``found-...`` and is not touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from asrproto.audio import wav
from asrproto.aws.eventstream import Int8, Int16, Int32, Int64, Timestamp, encode_message
from asrproto.http import HttpRequest
from fuzz.conversations import CONVERSATIONS, recorded
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

OPENAI = {
    "verbose": b'{"task":"transcribe","language":"english","duration":"3.2","text":" Go on.","segments":[{"id":0,'
               b'"start":0.0,"end":1.5,"text":" Go","words":[{"word":" Go","start":0,"end":1,"probability":0.5}]},'
               b'{"id":"b","start":1.5,"end":3.2,"text":" on.","speaker":"A"}],'
               b'"words":[{"word":"Go","start":0.0,"end":0.4},{"word":"on","start":1.5,"end":3}],"usage":{}}',
    "srt": b"1\n00:00:00,000 --> 00:00:01,500\nGo\n\n2\r\n00:00:01,500 --> 01:00:03,250\r\non\r\nand on\r\n\r\n",
    "vtt": b"WEBVTT - x\n\nNOTE no\n\n00:00.000 --> 00:01.500 line:0%\n<v.loud Jane &amp; Joe>Go <i>on</i></v>\n",
    "error": b'{"error":{"message":"Incorrect key: MarkerOfTheSessionToken0123456789","type":"e","code":"c"}}',
    "detail": b'{"detail":[{"type":"missing","loc":["body","file"],"msg":"Field required"}]}',
    "page": b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>x</h1></body></html>",
}

OPENAI_STREAM = {
    "deltas": SSE["openai"],
    "segments": b'data: {"type":"transcript.text.delta","delta":"a","segment_id":"s"}\n\n'
                b'data: {"type":"transcript.text.segment","id":"s","start":0,"end":1,"speaker":"A","text":"a"}\r\r'
                b'data: {"type":"transcript.text.done","text":"a"}\n\n',
    "vllm": b'data: {"object":"transcription.chunk","choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n',
    "error": b'data: {"text":"a"}\n\ndata: {"error":{"message":"MarkerOfTheSecretAccessKey0123456789abcd"}}\n\n',
}

YOUDAO = {
    "short": '{"errorCode":"0","result":["今天天气不错","x"],"requestId":"r"}'.encode(),
    "error": b'{"errorCode":"202","descCN":"MarkerOfTheSecretAccessKey0123456789abcd","desc":"x","msg":"y"}',
    "prepared": b'{"errorCode":"0","result":"task-1"}',
    "progress": b'{"errorCode":"0","result":[{"status":"9","taskId":"t"}]}',
    "result": b'{"errorCode":"0","result":[{"sentence":"a b","speaker":1,"words":["a","b"],"times":[[0,1]]}]}',
}

RECORDINGS = {
    "wav": wav.header(rate=16000, channels=1) + bytes(100),
    "extensible": wav.header(rate=48000, channels=3, data_size=60) + bytes(60),
    "aac": bytes.fromhex("fff1604000fffc") * 9,
    "mp3": b"ID3\x04\0\0\0\0\0\x05hello" + (bytes.fromhex("fff328c4") + bytes(140)) * 4,
}

SEEDS: dict[str, Mapping[str, bytes]] = {
    "aws_eventstream": EVENT_STREAM,
    "volcengine_frames": VOLCENGINE,
    "http_sse": SSE,
    "sigv4_verify": SIGV4,
    "openai_reply": OPENAI,
    "openai_stream": OPENAI_STREAM,
    "youdao_reply": YOUDAO,
    "recording": RECORDINGS,
}


def main() -> None:
    seeds = SEEDS | {
        f"session_{name}": {"conversation": pack_messages(recorded(name)[0]),
                            "refusal": pack_messages(recorded(name, refused=True)[0])} for name in CONVERSATIONS}
    for target, files in seeds.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
