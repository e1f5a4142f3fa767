"""Streaming recognition with a big model: ``api/v3/sauc``."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest
from asrproto.volcengine.codes import OK
from asrproto.volcengine.credentials import ApiKey, Credentials, checked_credentials, checked_token
from asrproto.volcengine.frames import GZIP_LEVEL, MAX_PAYLOAD_SIZE
from asrproto.volcengine.options import BIG_MODEL, with_json_texts
from asrproto.volcengine.streaming._conversation import FrameConversation, path_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from asrproto.volcengine.options import BigModelOptions

__all__ = ["ENDPOINTS", "RESOURCE_IDS", "BigModelSession"]

_BASE = "wss://openspeech.bytedance.com/api/v3/sauc/"

ENDPOINTS = {
    "bigmodel": "a reply to every packet",
    "bigmodel_async": "replies when the result changes; what the vendor recommends",
    "bigmodel_nostream": "replies after 15 seconds of audio or at its end, more accurate",
}

RESOURCE_IDS = (
    "volc.bigasr.sauc.duration",
    "volc.bigasr.sauc.concurrent",
    "volc.seedasr.sauc.duration",
    "volc.seedasr.sauc.concurrent",
)

_ASYNC, _NOSTREAM = frozenset({"bigmodel_async"}), frozenset({"bigmodel_nostream"})
_ONLY_AT = {
    "language": _NOSTREAM,
    "enable_auto_lang": _NOSTREAM,
    "enable_nonstream": _ASYNC,
    "show_speech_rate": _ASYNC | _NOSTREAM,
    "show_volume": _ASYNC | _NOSTREAM,
    "enable_lid": _ASYNC | _NOSTREAM,
    "enable_emotion_detection": _ASYNC | _NOSTREAM,
    "enable_gender_detection": _ASYNC | _NOSTREAM,
}


class BigModelSession(FrameConversation):
    """One conversation with the big-model streaming service.

    Parameters
    ----------
    credentials : AppCredentials or ApiKey
        Of the older or the newer console; decides the headers.
    endpoint : {"bigmodel_async", "bigmodel", "bigmodel_nostream"}
        See `ENDPOINTS`.
    url : str, optional
        Another whole address instead, e.g. ``wss://openspeech.bytedance.com/api/v3/asr/bigmodel``; `endpoint` then only
        says which options are allowed.
    resource_id : str
        What is paid for; one of `RESOURCE_IDS`, or another that the console shows.
    connect_id : str, optional
        Names this connection in the service's logs; a random UUID unless given.
    sequence_numbers : bool
        Number the frames (the service checks the numbers), or leave the numbers out.
    gzip : bool
        Pack the request and the audio.
    gzip_level : int
        0 to 9.
    chunk_ms : int
        Length of an audio packet; the vendor advises 100 to 200 ms, 200 best. Of ogg and mp3 a packet has as many bytes
        as of samples, which is more time.
    max_payload_size : int
        The largest response to accept, in bytes, packed and unpacked.
    **options
        Every field of the request by its own name, see `asrproto.volcengine.options.BigModelOptions`; or by groups
        (``request={"enable_itn": True}``). `format` is ``"pcm"`` and `show_utterances` true unless given: without
        utterances the service does not say where a sentence ends, and all of the text stays partial until the end.

    Raises
    ------
    LocalProtocolError
        An option is unknown, misplaced, out of its range or not offered at this endpoint.
    """

    _ok_codes = frozenset({0, 1000, OK})

    def __init__(self, credentials: Credentials, *, endpoint: str = "bigmodel_async", url: str | None = None,
                 resource_id: str = RESOURCE_IDS[0], connect_id: str | None = None, sequence_numbers: bool = True,
                 gzip: bool = True, gzip_level: int = GZIP_LEVEL, chunk_ms: int = 200,
                 max_payload_size: int = MAX_PAYLOAD_SIZE, **options: Unpack[BigModelOptions]) -> None:
        if endpoint not in ENDPOINTS:
            raise LocalProtocolError(f"endpoint must be one of {', '.join(map(repr, ENDPOINTS))}, not {endpoint!r}")
        values = with_json_texts(BIG_MODEL.arrange(options))
        for given in values.values():
            for name in given:
                if endpoint not in _ONLY_AT.get(name, ENDPOINTS):
                    raise LocalProtocolError(f"{name} is not offered at the endpoint {endpoint!r}, only at "
                                             f"{' and '.join(map(repr, sorted(_ONLY_AT[name])))}")
        audio, request = values.setdefault("audio", {}), values.setdefault("request", {})
        audio.setdefault("format", "pcm")
        request.setdefault("model_name", "bigmodel")
        request.setdefault("show_utterances", True)
        self._credentials = checked_credentials(credentials)
        self._url = url if url is not None else _BASE + endpoint
        path_of(self._url)
        self._resource_id = checked_token("resource_id", resource_id)
        self.connect_id = checked_token("connect_id", str(uuid.uuid4()) if connect_id is None else connect_id)
        super().__init__(BIG_MODEL.document(values), own_id=self.connect_id, numbered=sequence_numbers, gzip=gzip,
                         gzip_level=gzip_level, chunk_ms=chunk_ms, max_payload_size=max_payload_size,
                         secrets=credentials.secrets)

    def handshake(self) -> HttpRequest:
        """The request that opens the WebSocket."""
        self._lifecycle.enter("handshake")
        newer = isinstance(self._credentials, ApiKey)
        ids = ((("X-Api-Request-Id", self.connect_id), ("X-Api-Sequence", "-1")) if newer
               else (("X-Api-Connect-Id", self.connect_id),))
        return HttpRequest("GET", self._url,
                           (*self._credentials.headers, ("X-Api-Resource-Id", self._resource_id), *ids))
