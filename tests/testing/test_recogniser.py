"""A plain function as a recogniser."""

from __future__ import annotations

from asrproto.events import Word
from asrproto.testing import hearing_with


def test_it_is_asked_once_and_its_words_are_spread() -> None:
    heard: list[bytes] = []

    def words_in(pcm: bytes) -> str:
        heard.append(pcm)
        return "go forward"

    recogniser = hearing_with(words_in)(1000)
    assert recogniser.accept(b"a" * 1000) == ()
    assert recogniser.accept(b"b" * 3000) == ()
    assert recogniser.finish() == [Word("go", start=0.0, end=1.0), Word("forward", start=1.0, end=2.0)]
    assert heard == [b"a" * 1000 + b"b" * 3000]


def test_partial_results() -> None:
    recogniser = hearing_with(lambda pcm: [f"{len(pcm)}"], every=0.5)(1000)
    said = [[word.text for word in recogniser.accept(bytes(400))] for _ in range(6)]
    assert said == [[], [], ["1200"], ["1200"], ["1200"], ["2400"]]


def test_words_with_times_are_left_alone() -> None:
    word = Word("ten", start=0.3, end=0.4, confidence=0.5)
    recogniser = hearing_with(lambda pcm: [word])(16000)
    recogniser.accept(bytes(32000))
    assert recogniser.finish() == [word]
    assert hearing_with(lambda pcm: "")(16000).finish() == []
