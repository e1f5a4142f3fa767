"""JSON from a peer: read whole, then given a type, and never any error but MalformedFrame.

A document is kept as plain dicts and lists, for a Transcript's ``raw``, so that no field is lost that this version does
not know. Its shape is checked beside that, against a msgspec Struct that names only the fields in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from asrproto.errors import MalformedFrame

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Number", "check_shape", "read_json"]

T = TypeVar("T")

Number = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
"""A finite number in a shape: "nan" and "inf" are no numbers here, though they are floats where they come as text."""


def read_json(data: Buffer | str, *, what: str = "the message") -> Any:
    """The document in `data`; MalformedFrame (reason ``"not-json"``) where there is none."""
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:  # a msgspec.DecodeError and a UnicodeError are ValueErrors
        raise MalformedFrame(f"{what} is not JSON: {error}", reason="not-json") from None


def check_shape(document: Any, shape: type[T], *, what: str = "the message") -> T:
    """`document` as a `shape`; MalformedFrame (reason ``"wrong-shape"``) where it is not one.

    Numbers that a service writes as text are taken for numbers where `shape` says so.
    """
    try:
        return msgspec.convert(document, shape, strict=False)
    except (ValueError, RecursionError) as error:
        raise MalformedFrame(f"{what} has an unexpected shape: {error}", reason="wrong-shape") from None
