"""The pages that people read: their code blocks, the commands in them, and where their links lead."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("plugins/*/README.md"),
        ROOT / "benchmarks" / "README.md",
    ]
)
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")
ENDS = {"&&", "||", "|", ";", ">", ">>", "2>"}
"""What ends a command in a line of a shell."""


def name_of(page: Path) -> str:
    """The path of a page from the root."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in a language, without their indentation."""
    return [
        re.sub(f"^{indent}", "", code, flags=re.MULTILINE)
        for indent, kind, code in BLOCK.findall(text)
        if kind == language
    ]


def prose(text: str) -> str:
    """A page without its code blocks."""
    return BLOCK.sub("", text)


def commands(text: str) -> list[list[str]]:
    """The words after `ganzoo` of each such command in the shell's blocks of a page."""
    lines = "\n".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    return [words for line in lines for words in commands_in(line)]


def commands_in(line: str) -> Iterator[list[str]]:
    """Yield the words after `ganzoo` of each such command in a line; torchrun starts it with -m."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in ENDS:
            words.append(word)
            continue
        if words[:1] == ["ganzoo"]:
            yield words[1:]
        elif words[-1:] and words[:1] in (["torchrun"], ["srun"]) and "ganzoo" in words:
            yield words[words.index("ganzoo") + 1 :]
        words = []


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", BLOCK.sub("", text), re.MULTILINE)
    }
