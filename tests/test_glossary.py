"""Every name in the glossary exists in the code, and no word that is barred in one row is a term in another."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from app.core.settings import Settings
from app.core.settings.types import SettingsSection

ROOT = Path(__file__).parent.parent
GLOSSARY = ROOT / "docs/reference/glossary.md"
HEADERS = ROOT / "app/entries/lists/words.toml"  # what others write above their columns
HEADER = "| 中文 | English | code | not to be called |"


class Row(NamedTuple):
    """One term: its Chinese and English words, its names in the code, and the words that are not used for it."""

    chinese: list[str]
    english: list[str]
    names: list[str]
    barred: list[str]


def _words(cell: str, separators: str) -> list[str]:
    """The words of a cell, without what is explained in brackets."""
    plain = re.sub(r"\s*[(（][^)）]*[)）]", "", cell)
    return [word.strip() for word in re.split(separators, plain) if word.strip()]


def _rows() -> list[Row]:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    rows = []
    for line in lines:
        if line.startswith("|") and line != HEADER and set(line) != {"|", "-"}:
            chinese, english, names, barred = (cell.strip() for cell in line.strip("|").split("|"))
            words = _words(english, "[;,:]")
            rows.append(Row(_words(chinese, "[、]"), words, re.findall(r"`([^`]+)`", names), _words(barred, ",")))
    return rows


ROWS = _rows()


# --- the names of the code: "codes.ledger.record", "evidence.dedup_key" (a column), "web.max_concurrency" (a setting)


def _names() -> set[str]:
    sources = {file.relative_to(ROOT): ast.parse(file.read_text(encoding="utf-8")) for file in ROOT.glob("app/**/*.py")}
    modules = {file: ".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in sources}
    names = set(modules.values())
    for file, tree in sources.items():
        names |= set(_defined(tree, modules[file]))
        names |= {value for value in _strings(tree) if re.fullmatch(r"[a-z-]+", value)}
    sections = [tomllib.loads(file.read_text(encoding="utf-8")) for file in ROOT.glob("app/**/texts.toml")]
    return names | {f"[{section}]" for section in chain.from_iterable(sections)} | set(_settings())


def _defined(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    """The names that a module or class defines, with those of the columns of its tables."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield f"{prefix}.{child.name}"
        if isinstance(child, ast.ClassDef):
            yield from _defined(child, f"{prefix}.{child.name}")
        if isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            for name in [target.id for target in targets if isinstance(target, ast.Name)]:
                yield f"{prefix}.{name}"
                if name == "__tablename__" and isinstance(child.value, ast.Constant):
                    yield from _columns(node, str(child.value.value))


def _columns(table: ast.Module | ast.ClassDef, name: str) -> Iterator[str]:
    for child in table.body:
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            yield f"table.{name}.{child.target.id}"


def _strings(tree: ast.Module) -> Iterator[str]:
    """The slugs that the code compares and writes, such as the state of an entry."""
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _settings() -> Iterator[str]:
    for section, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, SettingsSection):
            yield from (f"setting.{section}.{name}" for name in field.annotation.model_fields)


@cache
def _known() -> set[str]:
    return {f".{name}" for name in _names()}


def _exists(name: str) -> bool:
    return any(known.endswith(f".{name}") for known in _known()) or ("/" in name and (ROOT / name).exists())


def test_every_name_of_a_term_exists_in_the_code(subtests: pytest.Subtests) -> None:
    """One test, so that one process of a run reads all of the code."""
    for row in ROWS:
        with subtests.test(row.english[0]):
            assert row.chinese
            assert row.names
            assert [name for name in row.names if not _exists(name)] == []


def test_no_term_has_two_rows() -> None:
    for words in ([word for row in ROWS for word in row.english], [word for row in ROWS for word in row.chinese]):
        assert sorted({word for word in words if words.count(word) > 1}) == []


def test_no_term_is_barred_in_another_row() -> None:
    terms = {word for row in ROWS for word in row.english}
    assert sorted(terms & {word for row in ROWS for word in row.barred}) == []


def test_no_chinese_text_has_a_word_that_is_barred() -> None:
    barred = re.compile("|".join(word for row in ROWS for word in row.barred if not word.isascii()))
    patterns = ("app/**/*.toml", "miniprogram_stub/utils/texts*.js", "*.zh.md", "docs/**/*.md")
    texts = {file for pattern in patterns for file in ROOT.glob(pattern)} - {GLOSSARY, HEADERS}
    assert barred.pattern
    assert {file.name for file in texts if barred.search(file.read_text(encoding="utf-8"))} == set()


def test_a_name_that_is_not_there_is_found() -> None:
    assert _exists("workflow.approve")
    assert not _exists("workflow.propose")
    assert not _exists("entries.propose")
    assert not _exists("tests/rules/propose")
