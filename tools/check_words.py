"""Check the words of comments, docstrings, help, texts and documents against tools/words.txt, one meaning for one word.

Run by `make check`. Prints one line for each word that has a better one, and exits 1 when there is any. Arguments
restrict the check to paths that begin with one of them.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CODE = ("app", "packages", "tools", "bench")
DOCUMENTS = ("README*.md", "CONTRIBUTING.md", "docs/**/*.md", "packages/*/README.md")
GLOSSARY = "docs/reference/glossary.md"  # has a column of words to avoid
TEXTS = ("app/**/texts.toml",)
CHINESE_TEXTS = (
    "app/**/texts.toml", "app/rules/policy.toml", "app/cli/language/zh.toml", "packages/devstack/devstack/zh.toml",
    "packages/devstack/devstack/demo/*.py", "miniprogram_stub/utils/*.js",
)  # fmt: skip
ALLOWED = "words: ok"


class Word(NamedTuple):
    """A word to avoid, as a pattern, and the words to use instead."""

    pattern: re.Pattern[str]
    instead: str

    @property
    def is_chinese(self) -> bool:
        return not self.pattern.pattern.isascii()


class Line(NamedTuple):
    """A line of prose and its place."""

    path: Path
    number: int
    text: str


def words() -> list[Word]:
    """Return the words to avoid."""
    lines = (ROOT / "tools/words.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return [Word(re.compile(_whole(pattern), re.IGNORECASE), instead) for pattern, instead in pairs]


def _whole(pattern: str) -> str:
    """Return the pattern of whole words; Chinese has no gaps between words."""
    return rf"\b(?:{pattern})\b" if pattern.isascii() else pattern


def prose() -> Iterator[Line]:
    """Yield every line of prose of the project, but for migrations, which are history, and tests."""
    for folder in CODE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = file.relative_to(ROOT)
            if not {"versions", "tests", "node_modules"} & set(path.parts):
                source = file.read_text(encoding="utf-8")
                yield from (Line(path, number, text) for number, text in (*comments(source), *strings(source)))
    for pattern in DOCUMENTS:
        for file in sorted(set(ROOT.glob(pattern)) - {ROOT / GLOSSARY}):
            lines = file.read_text(encoding="utf-8").splitlines()
            yield from (Line(file.relative_to(ROOT), number, text) for number, text in enumerate(lines, 1))
    for pattern in TEXTS:
        for file in sorted(ROOT.glob(pattern)):
            yield from (Line(file.relative_to(ROOT), number, text) for number, text in english(file))


def chinese() -> Iterator[Line]:
    """Yield every line with Chinese that people read: of texts, of the mini-program, and of the documents."""
    for pattern in (*CHINESE_TEXTS, *DOCUMENTS):
        for file in sorted(set(ROOT.glob(pattern)) - {ROOT / GLOSSARY}):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if not line.isascii():
                    yield Line(file.relative_to(ROOT), number, line)


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of docstrings, and of help and description texts."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and ast.get_docstring(node):
                yield from enumerate(lines[first.lineno - 1 : first.end_lineno], first.lineno)
        elif isinstance(node, ast.keyword) and node.arg in ("help", "description"):
            first_line, last_line = node.value.lineno, node.value.end_lineno or node.value.lineno
            yield from enumerate(lines[first_line - 1 : last_line], first_line)


def english(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and the English texts of a file of texts."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.search(r'^#.*|\ben = "(.*)"', line):
            yield number, found[1] or found[0]


def main(*beginnings: str) -> int:
    """Print every word that has a better one; return 1 when there is one."""
    avoided, found = words(), 0
    for is_chinese, lines in ((False, prose()), (True, chinese())):
        barred = [word for word in avoided if word.is_chinese == is_chinese]
        for line in lines:
            if ALLOWED in line.text or (beginnings and not str(line.path).startswith(beginnings)):
                continue
            for word in barred:
                if hit := word.pattern.search(line.text):
                    found += 1
                    print(f"{line.path}:{line.number}: {hit[0]!r}: use {word.instead}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
