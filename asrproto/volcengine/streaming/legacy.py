"""The older streaming recognition: ``api/v2/asr``.

Its frames have no sequences; that of a response is in its JSON, negative in the last one.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Literal

from asrproto.errors import LocalProtocolError
from asrproto.http import HttpRequest
from asrproto.volcengine.codes import LEGACY_OK
from asrproto.volcengine.credentials import AppCredentials, checked_token
from asrproto.volcengine.frames import GZIP_LEVEL, MAX_PAYLOAD_SIZE
from asrproto.volcengine.options import LEGACY
from asrproto.volcengine.signing import hmac256_authorization
from asrproto.volcengine.streaming._conversation import FrameConversation, path_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from asrproto.volcengine.options import LegacyOptions

__all__ = ["DEFAULT_WORKFLOW", "LEGACY_URL", "LegacySession"]

LEGACY_URL = "wss://openspeech.bytedance.com/api/v2/asr"

DEFAULT_WORKFLOW = "audio_in,resample,partition,vad,fe,decode"
"""What the service does with the audio; may be followed by ``itn``, ``nlu_ddc`` and ``nlu_punctuate``."""

AUTHORIZATIONS = ("token", "hmac256", "hmac256-documented")


class LegacySession(FrameConversation):
    """One conversation with the older streaming service.

    Parameters
    ----------
    credentials : AppCredentials
        With a secret key where `authorization` is a signature.
    cluster : str
        The kind of recogniser, from the console.
    authorization : {"token", "hmac256", "hmac256-documented"}
        The access token alone, or a signature over the handshake and the first frame in the form of the vendor's demo
        or of its documentation, see `asrproto.volcengine.signing.hmac256_authorization`.
    url : str
    reqid : str, optional
        Names this request in the service's logs; a random UUID unless given.
    gzip, gzip_level, chunk_ms, max_payload_size
        As in `BigModelSession`.
    **options
        Every field of the request by its own name, see `asrproto.volcengine.options.LegacyOptions`. `format` is
        ``"raw"``, `language` ``"zh-CN"``, `workflow` `DEFAULT_WORKFLOW` and `show_utterances` true unless given; a
        workflow may be a list of its steps.
    """

    _ok_codes = frozenset({LEGACY_OK})

    def __init__(self, credentials: AppCredentials, *, cluster: str,
                 authorization: Literal["token", "hmac256", "hmac256-documented"] = "token", url: str = LEGACY_URL,
                 reqid: str | None = None, gzip: bool = True, gzip_level: int = GZIP_LEVEL, chunk_ms: int = 200,
                 max_payload_size: int = MAX_PAYLOAD_SIZE, **options: Unpack[LegacyOptions]) -> None:
        if not isinstance(credentials, AppCredentials):
            raise TypeError("the older interface needs AppCredentials")
        if authorization not in AUTHORIZATIONS:
            raise LocalProtocolError(f"authorization must be one of {', '.join(map(repr, AUTHORIZATIONS))}, "
                                     f"not {authorization!r}")
        if authorization != "token" and credentials.secret_key is None:
            raise LocalProtocolError(f"authorization={authorization!r} needs credentials with a secret_key")
        self._path = path_of(url)
        self.reqid = checked_token("reqid", str(uuid.uuid4()) if reqid is None else reqid)
        self._credentials = credentials
        self._authorization = authorization
        self._url = url
        values = LEGACY.arrange(options)
        audio, request = values.setdefault("audio", {}), values.setdefault("request", {})
        values.setdefault("user", {}).setdefault("uid", self.reqid)
        for name, value in (("format", "raw"), ("rate", 16000), ("bits", 16), ("channel", 1), ("language", "zh-CN")):
            audio.setdefault(name, value)
        if isinstance(request.setdefault("workflow", DEFAULT_WORKFLOW), list):
            request["workflow"] = ",".join(request["workflow"])
        request.setdefault("show_utterances", True)
        request.update(reqid=self.reqid, sequence=1)
        document = {"app": {"appid": credentials.app_id, "token": credentials.access_token, "cluster": cluster},
                    **LEGACY.document(values)}
        super().__init__(document, own_id=self.reqid, numbered=False, gzip=gzip, gzip_level=gzip_level,
                         chunk_ms=chunk_ms, max_payload_size=max_payload_size, secrets=credentials.secrets)

    def handshake(self) -> HttpRequest:
        """The request that opens the WebSocket."""
        self._lifecycle.enter("handshake")
        token, secret = self._credentials.access_token, self._credentials.secret_key
        if self._authorization == "token" or secret is None:
            return HttpRequest("GET", self._url, (("Authorization", f"Bearer; {token}"),))
        signed = ("Custom", "auth_custom")
        form: Literal["demo", "documented"] = "demo" if self._authorization == "hmac256" else "documented"
        value = hmac256_authorization(access_token=token, secret_key=secret, path=self._path, body=self._opening,
                                      headers=(signed,), form=form)
        return HttpRequest("GET", self._url, (signed, ("Authorization", value)))
