"""What a caller identifies itself with, and the headers that carry it.

Older console accounts have an app id and an access token (and a secret key for signatures), newer ones a single API
key. Source: the vendor's pages on the big-model interfaces.
"""

from __future__ import annotations

import re

from asrproto._redact import HIDDEN, Discreet
from asrproto.errors import LocalProtocolError
from asrproto.http.request import HeaderPairs

__all__ = ["ApiKey", "AppCredentials"]

_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


def checked_token(name: str, value: object) -> str:
    """`value`, if it is text that a header can carry. The message does not repeat it: it may be a secret."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, not {type(value).__name__}")
    if not _HEADER_SAFE.fullmatch(value):
        raise LocalProtocolError(f"{name} must be visible ASCII characters, at least one and no spaces")
    return value


class AppCredentials(Discreet, frozen=True):
    """App id and access token of the older console.

    Parameters
    ----------
    app_id : str
        Goes out as ``X-Api-App-Key`` (big models) or ``app.appid`` (older interface).
    access_token : str
        Goes out as ``X-Api-Access-Key`` or ``app.token``.
    secret_key : str, optional
        For the HMAC256 authorisation of the older interface; never sent.
    """

    app_id: str
    access_token: str
    secret_key: str | None = None

    def __post_init__(self) -> None:
        checked_token("app_id", self.app_id)
        checked_token("access_token", self.access_token)
        if self.secret_key is not None:
            checked_token("secret_key", self.secret_key)

    @property
    def headers(self) -> HeaderPairs:
        return ("X-Api-App-Key", self.app_id), ("X-Api-Access-Key", self.access_token)

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """What no text for people may contain."""
        return self.access_token, self.secret_key

    def __repr__(self) -> str:
        return f"AppCredentials(app_id={self.app_id!r}, access_token={HIDDEN})"


class ApiKey(Discreet, frozen=True):
    """The single API key of the newer console; goes out as ``X-Api-Key``."""

    key: str

    def __post_init__(self) -> None:
        checked_token("key", self.key)

    @property
    def headers(self) -> HeaderPairs:
        return (("X-Api-Key", self.key),)

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """What no text for people may contain."""
        return (self.key,)

    def __repr__(self) -> str:
        return f"ApiKey({HIDDEN})"


Credentials = AppCredentials | ApiKey


def checked_credentials(credentials: object) -> Credentials:
    """`credentials`, if they are of a kind that the big-model interfaces take."""
    if not isinstance(credentials, AppCredentials | ApiKey):
        raise TypeError(f"credentials must be AppCredentials or ApiKey, not {type(credentials).__name__}")
    return credentials
