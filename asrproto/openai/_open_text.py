"""The texts that are still growing, within a bound.

Deltas add to a text until the service calls it final. A service that never does, or that opens one text after another,
is refused: all of them together, ids included, are held to a number of characters.
"""

from __future__ import annotations

from asrproto.errors import FrameTooLarge

__all__ = ["MAX_OPEN_TEXT", "OpenTexts"]

MAX_OPEN_TEXT = 1 << 20
"""Characters: about twenty hours of speech."""

_OVERHEAD = 64  # what an open text counts for besides its characters


class OpenTexts:
    """Texts by the id of their segment.

    Parameters
    ----------
    limit : int
        Characters in all. One more raises FrameTooLarge (reason ``"too-much-open"``).
    """

    __slots__ = ("_left", "_texts")

    def __init__(self, limit: int = MAX_OPEN_TEXT) -> None:
        self._left = limit
        self._texts: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, segment: str) -> bool:
        return segment in self._texts

    def grow(self, segment: str, delta: str = "") -> str:
        """The text of `segment` with `delta` at its end."""
        text = self._texts.get(segment)
        needed = len(delta) if text is not None else len(delta) + len(segment) + _OVERHEAD
        if needed > self._left:
            raise FrameTooLarge("the service opens more text than it closes", reason="too-much-open")
        self._left -= needed
        grown = self._texts[segment] = (text or "") + delta
        return grown

    def close(self, segment: str) -> None:
        """`segment` is final, if it was open."""
        text = self._texts.pop(segment, None)
        if text is not None:
            self._left += len(text) + len(segment) + _OVERHEAD

    def items(self) -> list[tuple[str, str]]:
        """All that is open, the first opened first."""
        return list(self._texts.items())
