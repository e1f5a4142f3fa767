"""What can be asked of Transcribe, as data, and how it is checked and put on the wire.

An option has one name: ``language-code`` in the query of a WebSocket URL, ``x-amzn-transcribe-language-code`` as a
header on HTTP/2, ``language_code`` as a Python keyword. What call analytics and HealthScribe are asked for in their
first message (`ConfigurationEvent`) is in the same tables, with its place in that JSON document.

Source: Amazon Transcribe API Reference, the Start...Stream... operations of the streaming service and their data types.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from asrproto.errors import LocalProtocolError

__all__ = ["HEADER_PREFIX", "Operation", "Option", "Rule"]

HEADER_PREFIX = "x-amzn-transcribe-"


def keyword(name: str) -> str:
    """The Python keyword of the option that is called `name` on the wire."""
    return name.replace("-", "_")


def listed(words: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    *rest, final = words
    return f"{', '.join(rest)} {last} {final}" if rest else final


class Kind(Protocol):
    """A set of values: what the caller may give, and how it is written."""

    def check(self, value: Any) -> Any:
        """The value to write, or ValueError with what it must be."""
        ...

    def parse(self, text: str) -> Any:
        """The value that `text` on the wire stands for, for `check` to judge."""
        ...


@dataclass(frozen=True)
class Text:
    """A string of printable characters that matches a pattern from end to end."""

    pattern: str
    wanted: str

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or not value.isprintable() or not re.fullmatch(self.pattern, value):
            raise ValueError(self.wanted)
        return value

    def parse(self, text: str) -> str:
        return text


@dataclass(frozen=True)
class Choice:
    """One of a few strings."""

    values: tuple[str, ...]

    def check(self, value: Any) -> str:
        if value not in self.values:
            raise ValueError(listed(map(repr, self.values)))
        return str(value)

    def parse(self, text: str) -> str:
        return text


@dataclass(frozen=True)
class Integer:
    """A whole number within bounds."""

    low: int
    high: int

    def check(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError(f"a whole number from {self.low} to {self.high}" if self.low < self.high
                             else f"{self.low}")
        return value

    def parse(self, text: str) -> Any:
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


@dataclass(frozen=True)
class Flag:
    """True, or nothing at all."""

    def check(self, value: Any) -> bool | None:
        if not isinstance(value, bool):
            raise ValueError("True or False")
        return value or None

    def parse(self, text: str) -> Any:
        return {"true": True, "false": False}.get(text, text)


@dataclass(frozen=True)
class Several:
    """Strings of another kind; one string with commas between them will do as well."""

    each: Kind
    at_least: int = 1
    at_most: int = 1000
    longest: int = 3000

    def check(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray | memoryview):
            raise ValueError("a sequence of strings")
        if not self.at_least <= len(value) <= self.at_most:
            raise ValueError(f"exactly {self.at_least} values" if self.at_least == self.at_most else
                             f"at least {self.at_least} of them" if len(value) < self.at_least else
                             f"at most {self.at_most} of them")
        checked = tuple(self.each.check(one) for one in value)
        if sum(map(len, checked)) + len(checked) - 1 > self.longest:
            raise ValueError(f"at most {self.longest} characters together")
        return checked

    def parse(self, text: str) -> str:
        return text


@dataclass(frozen=True)
class StringMap:
    """A mapping of printable strings to printable strings, none of them empty."""

    def check(self, value: Any) -> dict[str, str]:
        texts = [text for pair in value.items() for text in pair] if isinstance(value, Mapping) else []
        if not texts or not all(isinstance(text, str) and text and text.isprintable() for text in texts):
            raise ValueError("a mapping of printable strings to printable strings, none of them empty")
        return dict(value)

    def parse(self, text: str) -> str:
        return text


@dataclass(frozen=True)
class ChannelRoles:
    """Who speaks on which channel, first channel first; written as the API's list of channel definitions."""

    roles: tuple[str, ...]

    def check(self, value: Any) -> list[dict[str, Any]]:
        spoken = Several(Choice(self.roles), at_least=2, at_most=2).check(value)
        if len(set(spoken)) < 2:
            raise ValueError(f"both of {listed(map(repr, self.roles), 'and')}, in the order of the channels")
        return [{"ChannelId": channel, "ParticipantRole": role} for channel, role in enumerate(spoken)]

    def parse(self, text: str) -> str:
        return text


@dataclass(frozen=True)
class Option:
    """One option of one or several operations.

    Attributes
    ----------
    name : str
        On the wire.
    kind : Kind
    needs : tuple of str
        At least one of these must be given with it.
    excludes : tuple of str
        None of these may be given with it.
    required : bool
    place : tuple of str
        Where its value stands in the ConfigurationEvent; empty for an option of the query or headers.
    """

    name: str
    kind: Kind
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    required: bool = False
    place: tuple[str, ...] = ()

    @property
    def keyword(self) -> str:
        return keyword(self.name)


Rule = Callable[[Mapping[str, Any]], str | None]
"""What must hold between several options beyond what each says for itself: takes the options given (wire name to
checked value), gives what is wrong with them or None."""


@dataclass(frozen=True)
class Operation:
    """One kind of conversation that the service holds.

    Attributes
    ----------
    name : str
        The API's name of the operation.
    path : str
        On HTTP/2; on a WebSocket ``-websocket`` follows.
    options : tuple of Option
        In the order in which they are written.
    rules : tuple of Rule
    websocket : bool
        Whether it can be held over a WebSocket.
    configured : bool
        Whether a ConfigurationEvent comes before the audio.
    elsewhere : mapping
        Options of other operations, and names that other libraries use: keyword to what to say about it.
    """

    name: str
    path: str
    options: tuple[Option, ...]
    rules: tuple[Rule, ...] = ()
    websocket: bool = True
    configured: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def check(self, given: Mapping[str, Any], *, also_known: Iterable[str] = ()) -> dict[str, Any]:
        """Judge options as the caller gave them.

        Parameters
        ----------
        given : mapping
            Keyword to value; None stands for an option that is not given.
        also_known : iterable of str
            Keywords that are no options of the service but may be meant where a name is unknown.

        Returns
        -------
        dict
            Wire name to checked value, in the order of the table.

        Raises
        ------
        LocalProtocolError
            For the first fault found, with the name of the option.
        """
        given = {name: value for name, value in given.items() if value is not None}
        known = {option.keyword for option in self.options}
        for name in given:
            if name not in known:
                raise LocalProtocolError(self._unknown(name, known.union(also_known)))
        checked = {option.name: value for option in self.options if option.keyword in given
                   and (value := _checked(option, given[option.keyword])) is not None}
        for complaint in self._complaints(checked):
            raise LocalProtocolError(complaint)
        return checked

    def parse(self, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Judge options as they came over the wire: the service's side of `check`."""
        visible = replace(self, options=tuple(option for option in self.options if not option.place))
        kinds = {option.name: option.kind for option in visible.options}
        given: dict[str, Any] = {}
        for name, text in pairs:
            if keyword(name) in given:
                raise LocalProtocolError(f"{name} is given twice")
            given[keyword(name)] = kinds[name].parse(text) if name in kinds else text
        return visible.check(given)

    def parameters(self, checked: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The options that go into the query or the headers, as (wire name, text)."""
        return [(option.name, written(checked[option.name])) for option in self.options
                if not option.place and option.name in checked]

    def configuration(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        """The options that go into the ConfigurationEvent, as its JSON document."""
        document: dict[str, Any] = {}
        for option in self.options:
            if option.place and option.name in checked:
                *sections, last = option.place
                inner = document
                for section in sections:
                    inner = inner.setdefault(section, {})
                inner[last] = checked[option.name]
        return document

    def _unknown(self, name: str, known: set[str]) -> str:
        if hint := self.elsewhere.get(name):
            return f"{name} is not an option of {self.name}: {hint}"
        close = difflib.get_close_matches(keyword(name).lower(), sorted(known), n=1, cutoff=0.6)
        return f"{name} is not an option of {self.name}" + (f"; did you mean {close[0]}?" if close else "")

    def _complaints(self, checked: Mapping[str, Any]) -> Iterable[str]:
        for rule in self.rules:
            if complaint := rule(checked):
                yield complaint
        for option in self.options:
            if option.name not in checked:
                if option.required:
                    yield f"{option.keyword} must be given"
                continue
            for other in option.excludes:
                if other in checked:
                    yield f"{option.keyword} and {keyword(other)} exclude each other"
            if option.needs and not any(other in checked for other in option.needs):
                yield f"{option.keyword} needs {listed(map(keyword, option.needs))} as well"


def _checked(option: Option, value: Any) -> Any:
    try:
        return option.kind.check(value)
    except ValueError as error:
        shown = repr(value)
        raise LocalProtocolError(f"{option.keyword} must be {error}, not "
                                 f"{shown if len(shown) <= 100 else shown[:100] + '...'}") from None


def written(value: Any) -> str:
    """A checked value as text."""
    if value is True:
        return "true"
    return ",".join(value) if isinstance(value, tuple) else str(value)
