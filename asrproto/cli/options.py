"""Options that several commands share: a session's own options as ``-o name=value``, and points in time."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import click
import msgspec

from asrproto.cli.terminal import USAGE, Stop

__all__ = ["at_option", "check_names", "session_options"]


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """A point in time, written as in ISO 8601 or in seconds since 1970; UTC unless it says otherwise."""
    if value is None:
        return None
    try:
        if value.isdigit():
            return datetime.fromtimestamp(int(value), timezone.utc)
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(f"{value!r} is not a time such as 2026-01-31T12:00:00Z", ctx, param) from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


at_option = click.option("--at", metavar="TIME", callback=moment, help="The time in signatures; now unless given.")


def session_options(pairs: tuple[str, ...]) -> dict[str, Any]:
    """``("sample_rate=8000", "show_speaker_label=true")`` as keyword arguments; a value is JSON, or else text."""
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.replace("-", "_").isidentifier():
            raise click.UsageError(f"-o takes name=value, not {pair!r}.")
        try:
            options[name.replace("-", "_")] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            options[name.replace("-", "_")] = text
    return options


def check_names(error: TypeError) -> Stop:
    """What a TypeError of a session's constructor means for whoever gave its options."""
    return Stop(str(error).partition("() ")[2] or str(error), status=USAGE)
