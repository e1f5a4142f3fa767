"""Credentials, out of environment variables or a prompt that does not show them; never out of arguments.

Arguments are seen by every user of the machine and stay in the shell's history.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

import click

from asrproto.cli.terminal import USAGE, Stop

__all__ = ["AWS", "OPENAI", "VOLC_OPENAPI", "VOLC_SPEECH", "YOUDAO", "Key", "ask"]


class Key(NamedTuple):
    """One credential; `example` stands in for it where any will do."""

    variable: str
    words: str
    example: str
    secret: bool = True
    optional: bool = False


AWS = (Key("AWS_ACCESS_KEY_ID", "AWS access key id", "AKIDEXAMPLE", secret=False),
       Key("AWS_SECRET_ACCESS_KEY", "AWS secret access key", "example-secret-access-key"),
       Key("AWS_SESSION_TOKEN", "AWS session token", "", optional=True))
VOLC_OPENAPI = (Key("VOLC_ACCESSKEY", "Volcengine access key id", "AKLTexample", secret=False),
                Key("VOLC_SECRETKEY", "Volcengine secret access key", "example-secret-key"))
VOLC_SPEECH = (Key("VOLC_SPEECH_APP_ID", "Volcengine speech app id", "1234567890", secret=False),
               Key("VOLC_SPEECH_ACCESS_TOKEN", "Volcengine speech access token", "example-access-token"),
               Key("VOLC_SPEECH_SECRET_KEY", "Volcengine speech secret key", "example-secret-key"))
YOUDAO = (Key("YOUDAO_APP_KEY", "Youdao application id", "example-app-key", secret=False),
          Key("YOUDAO_APP_SECRET", "Youdao application secret", "example-app-secret"))
OPENAI = (Key("OPENAI_API_KEY", "OpenAI API key", "sk-example"),)


def ask(*keys: Key) -> list[str]:
    """The values of `keys`; an optional one that is not set is empty."""
    return [_ask(key) for key in keys]


def _ask(key: Key) -> str:
    value = os.environ.get(key.variable, "")
    if value or key.optional:
        return value
    if not sys.stdin.isatty():
        raise Stop(f"{key.variable} is not set, and there is no terminal to ask for it", status=USAGE)
    answer: str = click.prompt(f"{key.words} ({key.variable})", hide_input=key.secret, err=True)
    return answer


def listed(*groups: tuple[Key, ...]) -> str:
    """The variables' names, for a help text."""
    return ", ".join(key.variable for group in groups for key in group)
