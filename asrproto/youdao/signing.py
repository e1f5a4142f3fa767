"""Youdao's signatures: a digest of what identifies the request, with the secret in it.

======  ====================================================  =====================
v1      appKey + q + salt + secret                            MD5, upper case hex
v2, v3  appKey + truncate(q) + salt + curtime + secret        SHA-256, lower case hex
v4      appKey + salt + curtime + secret                      SHA-256, lower case hex
======  ====================================================  =====================

``q`` is signed as it is, before it is percent-encoded into a form: what is sent and what is signed must be one string.
The formula of v3 and the vendor's demos of v2 (in five languages) are on its page about short recognition; v4 is what
streaming and long recordings use.
"""

from __future__ import annotations

import hashlib
import uuid

from asrproto.errors import LocalProtocolError
from asrproto.session import Clock, utc_now

__all__ = ["SIGN_TYPES", "auth_fields", "sign", "string_to_sign", "truncate"]

# sign type: (how q enters the text, whether curtime does, digest)
SIGN_TYPES: dict[str, tuple[str, bool, str]] = {
    "v1": ("whole", False, "md5"),
    "v2": ("truncated", True, "sha256"),
    "v3": ("truncated", True, "sha256"),
    "v4": ("absent", True, "sha256"),
}


def truncate(q: str) -> str:
    """`q` where it has at most 20 characters, else its first 10, its length, and its last 10."""
    return q if len(q) <= 20 else f"{q[:10]}{len(q)}{q[-10:]}"


def sign(app_key: str, app_secret: str, *, salt: str, curtime: int | str | None = None, q: str | None = None,
         sign_type: str) -> str:
    """The ``sign`` field of one request.

    Parameters
    ----------
    app_key, app_secret : str
    salt : str
        A text that was never used before; the service refuses a second use (error 207).
    curtime : int or str
        Seconds since 1970 (all types but v1); too far from the service's clock is error 206.
    q : str
        The text that the request carries as ``q``, exactly as it is sent (all types but v4, which leave it out).
    sign_type : {"v1", "v2", "v3", "v4"}

    Raises
    ------
    LocalProtocolError
        No key or secret; an unknown `sign_type`, or one that needs `q` or `curtime` without it.
    """
    if not app_key or not app_secret:
        raise LocalProtocolError("app_key and app_secret must not be empty")
    text = string_to_sign(app_key, app_secret, salt=salt, curtime=curtime, q=q, sign_type=sign_type)
    value = hashlib.new(SIGN_TYPES[sign_type][2], text.encode(), usedforsecurity=False).hexdigest()
    return value.upper() if sign_type == "v1" else value


def string_to_sign(app_key: str, app_secret: str, *, salt: str, curtime: int | str | None = None,
                   q: str | None = None, sign_type: str) -> str:
    """The text whose digest `sign` gives. It ends with the secret; give another text in its place to show it."""
    if sign_type not in SIGN_TYPES:
        raise LocalProtocolError(f"sign_type must be one of {', '.join(SIGN_TYPES)}, not {sign_type!r}")
    q_form, with_time, _ = SIGN_TYPES[sign_type]
    if q_form != "absent" and q is None:
        raise LocalProtocolError(f"sign_type {sign_type} signs q, which is missing")
    if with_time and curtime is None:
        raise LocalProtocolError(f"sign_type {sign_type} signs curtime, which is missing")
    signed_q = {"whole": q, "truncated": truncate(q or ""), "absent": ""}[q_form]
    return f"{app_key}{signed_q}{salt}{curtime if with_time else ''}{app_secret}"


def auth_fields(app_key: str, app_secret: str, *, sign_type: str, q: str | None = None, salt: str | None = None,
                clock: Clock = utc_now) -> dict[str, str]:
    """The fields ``appKey``, ``salt``, ``curtime``, ``signType`` and ``sign`` that every request carries.

    The salt is a fresh UUID and the time is now, unless they are given.
    """
    salt = str(uuid.uuid4()) if salt is None else salt
    curtime = str(int(clock().timestamp()))
    value = sign(app_key, app_secret, salt=salt, curtime=curtime, q=q, sign_type=sign_type)
    return {"appKey": app_key, "salt": salt, "curtime": curtime, "signType": sign_type, "sign": value}
