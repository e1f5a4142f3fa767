"""Tables of options: which there are, where in the request each belongs, and what it may be.

A table is made of TypedDicts, one for each place in the request's JSON, so that type checkers and the check at run time
read the same lines. Options are given by their own names, whatever their place; or inside a mapping named after the
place, as the service's documents write them. A service ignores in silence what stands in the wrong place, so that is
refused here, with the right place in the message; a name that does not exist is refused with the nearest that does.
"""

from __future__ import annotations

import difflib
import json
import reprlib
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from asrproto.errors import LocalProtocolError

__all__ = ["OptionTable", "Values", "json_body", "json_text"]

Values = dict[str, dict[str, Any]]


def json_text(document: Any) -> str:
    """`document` as JSON that keeps every script readable; text is taken to be JSON already."""
    if isinstance(document, str):
        return document
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise LocalProtocolError(f"an option holds what JSON cannot express: {error}") from None


def json_body(document: dict[str, Any]) -> bytes:
    """`document` as it goes on the wire."""
    try:
        return json_text(document).encode()
    except UnicodeEncodeError:
        raise LocalProtocolError("an option holds text that UTF-8 cannot express") from None


class OptionTable:
    """What one request may carry.

    Parameters
    ----------
    places : mapping of str to TypedDict
        By the path of the place in the request's JSON: ``"audio"``, ``"request.corpus"``, ``""`` for the top.
    """

    def __init__(self, places: Mapping[str, type]) -> None:
        self._groups = {place.rpartition(".")[2]: place for place in places if place}
        self._order = tuple(places)
        self._place: dict[str, str] = {}
        self._kind: dict[str, Any] = {}
        for place, options in places.items():
            for name, kind in get_type_hints(options, include_extras=True).items():
                self._place[name] = place
                self._kind[name] = kind

    def arrange(self, options: Mapping[str, Any]) -> Values:
        """The given options by place, each checked; those that are None count as not given.

        Raises
        ------
        LocalProtocolError
            An option is unknown, misplaced, given twice or not of its kind.
        """
        values: Values = {}
        self._take(options, None, values)
        return values

    def _take(self, options: Mapping[str, Any], inside: str | None, values: Values) -> None:
        for name, value in options.items():
            if value is None:
                continue
            group = self._groups.get(name)
            if group is not None:
                outside = group.rpartition(".")[0]
                if inside is not None and outside != inside:
                    raise LocalProtocolError(f"{name} belongs {_where(outside)}, not in {inside}")
                if not isinstance(value, Mapping):
                    raise LocalProtocolError(f"{name} must be a mapping of options, not {type(value).__name__}")
                self._take(value, group, values)
                continue
            place = self._place.get(name)
            if place is None:
                raise LocalProtocolError(f"there is no option {name!r}{self._nearest(name)}")
            if inside is not None and place != inside:
                raise LocalProtocolError(f"{name} belongs {_where(place)}, not in {inside}")
            if name in values.setdefault(place, {}):
                raise LocalProtocolError(f"{name} is given twice")
            values[place][name] = self._checked(name, value)

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(str(name), self._place, n=1)
        return f"; did you mean {near[0]!r} (it goes {_where(self._place[near[0]])})?" if near else ""

    def _checked(self, name: str, value: Any) -> Any:
        kind = self._kind[name]
        if get_origin(kind) is Literal and value not in get_args(kind):
            raise LocalProtocolError(f"{name} must be one of {', '.join(map(repr, get_args(kind)))}, "
                                     f"not {reprlib.repr(value)}")
        try:
            return msgspec.convert(value, kind)
        except (ValueError, RecursionError) as error:
            raise LocalProtocolError(f"{name}={reprlib.repr(value)} will not do: {error}") from None

    def document(self, values: Values) -> dict[str, Any]:
        """The request's JSON with every option in its place."""
        document: dict[str, Any] = {}
        for place in self._order:
            if not values.get(place):
                continue
            at = document
            for step in place.split(".") if place else ():
                at = at.setdefault(step, {})
            at.update(values[place])
        return document


def _where(place: str) -> str:
    return f"in {place}" if place else "at the top"
