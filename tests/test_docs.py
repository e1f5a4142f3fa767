"""What the documentation shows is run: each page's Python blocks in order, in one namespace, as its reader would.

````
```python          is run; with >>> prompts, as a doctest
```output          right after one: exactly what that block prints
<!-- not run: why -->
```python          right after such a comment: not run, and listed as skipped with the reason
````

A page is read in a folder that has a copy of ``examples/``, so that paths are those of a checkout and nothing that
a page writes stays behind.
"""

from __future__ import annotations

import doctest
import io
import re
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(page for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md") for page in ROOT.glob(pattern)
               if "_build" not in page.parts)

FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|:{3,})(?P<info>[^`]*)$")
NOT_RUN = re.compile(r"^\s*<!-- not run: (?P<reason>.+) -->\s*$")
PYTHON = {"python", "py", "python3", "pycon", "{code-block} python", "{code-block} pycon"}


class Block(NamedTuple):
    """One fenced block of a page; `line` is that of its first line of text, counted from 1."""

    language: str
    text: str
    line: int
    not_run: str | None


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    lines = page.splitlines()
    number, reason = 0, None
    while number < len(lines):
        fence = FENCE.match(lines[number])
        if fence is None or fence["mark"].startswith(":"):  # what stands in an admonition is read as the page's own
            skip = NOT_RUN.match(lines[number])
            if skip or lines[number].strip():
                reason = skip["reason"] if skip else None
            number += 1
            continue
        closing = re.compile(rf"^ *{fence['mark'][0]}{{{len(fence['mark'])},}}\s*$")
        start = end = number + 1
        while end < len(lines) and not closing.match(lines[end]):
            end += 1
        language = " ".join(fence["info"].split())
        text = [line for line in lines[start:end] if not (language.startswith("{") and re.match(r"^ *:\w+:", line))]
        yield Block(language, textwrap.dedent("\n".join(text)) + "\n", start + 1, reason)
        number, reason = end + 1, None


def run_block(block: Block, page: str, names: dict[str, object]) -> str:
    """Run one Python block; give what it printed."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        if ">>> " in block.text:
            test = doctest.DocTestParser().get_doctest(block.text, names, page, page, block.line - 1)
            runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
            report: list[str] = []
            runner.run(test, out=report.append, clear_globs=False)
            assert not runner.failures, "".join(report)
            names.update(test.globs)
        else:
            exec(compile("\n" * (block.line - 1) + block.text, page, "exec", dont_inherit=True), names)
    return printed.getvalue()


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def with_python(page: Path) -> bool:
    return any(block.language in PYTHON for block in blocks(page.read_text("utf-8")))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("page", [page for page in PAGES if with_python(page)], ids=name_of)
def test_page(page: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    printed: str | None = None
    for block in blocks(page.read_text("utf-8")):
        if block.language in PYTHON:
            printed = None if block.not_run else run_block(block, str(page), names)
        elif block.language == "output":
            assert printed is not None, f"line {block.line}: output without a block that printed it"
            assert printed.rstrip() == block.text.rstrip(), f"line {block.line}: not what the block above prints"
            printed = None


NOT_RUN_BLOCKS = [(page, block) for page in PAGES for block in blocks(page.read_text("utf-8"))
                  if block.language in PYTHON and block.not_run]


@pytest.mark.parametrize(("page", "block"), NOT_RUN_BLOCKS,
                         ids=[f"{name_of(page)}:{block.line}" for page, block in NOT_RUN_BLOCKS])
def test_block_that_is_not_run_compiles(page: Path, block: Block) -> None:
    compile(block.text, str(page), "exec")
    pytest.skip(f"compiled, not run: {block.not_run}")


def test_the_collector_sees_blocks_outputs_and_reasons() -> None:
    page = textwrap.dedent("""\
        Text
        ```python
        x = 1
        print(x)
        ```
        ```output
        1
        ```
        <!-- not run: needs a microphone -->

        ```python
        listen()
        ```
        :::{tip}
        ```{code-block} python
        :caption: hello
        y = 2
        ```
        :::
        1. a list

           ````python
           z = 3
           ````
        ```
        plain
        ```
    """)
    assert [(block.language, block.text, block.line, block.not_run) for block in blocks(page)] == [
        ("python", "x = 1\nprint(x)\n", 3, None),
        ("output", "1\n", 7, None),
        ("python", "listen()\n", 12, "needs a microphone"),
        ("{code-block} python", "y = 2\n", 16, None),
        ("python", "z = 3\n", 23, None),
        ("", "plain\n", 26, None),
    ]


def test_a_wrong_block_is_found() -> None:
    with pytest.raises(ZeroDivisionError):
        run_block(Block("python", "1 / 0\n", 1, None), "page.md", {})
    with pytest.raises(AssertionError, match="Expected"):
        run_block(Block("python", ">>> 1 + 1\n3\n", 1, None), "page.md", {})
