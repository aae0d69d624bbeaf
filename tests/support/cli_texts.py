"""Every English text of the command line, collected from the code: help, messages, and the texts of click."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
ERRORS = {"ConfigError", "StartError", "PolicyError", "config_error", "wait_until", "UnusableCluster"}
REFUSALS = ERRORS | {"ClickException", "UsageError", "BadParameter", "_KeySetUnusable"}
# modules that write their errors elsewhere than in a raise
WHOLE = (
    "app/cli",
    "app/audit/generations.py",
    "app/audit/verification.py",
    "app/codes/row_digests/verification.py",
    "app/core/province/",
    "app/core/settings/model.py",
    "app/core/settings/redis_url.py",
    "app/core/texts.py",
    "app/rules/succession.py",
    "app/rules/policy_file.py",
    "app/rules/policy_form.py",
    "app/wechat/menu.py",
)
WITH_VALUE_ERRORS = (
    "app/core/settings/database_url.py",
    "app/core/settings/sections/",
    "app/core/settings/types.py",
    "app/core/clock.py",
    "app/codes/tokens/key_set.py",
    "app/trust/content.py",
)
_SENTENCE = re.compile(r"[a-z]{2,}[.,:;]? [A-Za-z{(]|[})>] [a-z]{2}|^[A-Z][a-z]+\.$|^1 [a-z]")
_NO_SENTENCE = re.compile(r"^\d+ per |, $|^select ")  # rate limits, the beginning of pydantic's errors, SQL


def help_texts(command: click.Command) -> Iterator[str]:
    """Yield every paragraph of help and every prompt of a command and of those below it."""
    texts = [command.help or ""]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            texts += [parameter.help or "", parameter.prompt or ""]
    for text in texts:
        yield from filter(None, (" ".join(paragraph.split()) for paragraph in text.split("\n\n")))
    if isinstance(command, click.Group):
        for one in command.commands.values():
            yield from help_texts(one)


def messages(*folders: str) -> Iterator[str]:
    """Yield every message in modules below these folders, with `{0}` for its first value, as `zh.toml` has it."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for call in ast.walk(tree):
                if isinstance(call, ast.Call) and _is_error(call, name):
                    yield from _literals(*call.args)
            if name.startswith(WHOLE):
                yield from _literals(_without_docstrings(tree))


def refusals(*folders: str) -> Iterator[str]:
    """Yield every message with which a command is refused, but for headings of several messages."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in REFUSALS:
                    yield from (text for text in _literals(*node.args) if not text.endswith(":"))
                if isinstance(node, ast.FunctionDef) and node.name.startswith("_refusal_of"):
                    yield from _literals(*(one for one in ast.walk(node) if isinstance(one, ast.Return)))


def columns(folder: str) -> Iterator[str]:
    """Yield the head of each column of a table that modules below this folder print."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "print_rows":
                yield from (one.value for one in ast.walk(call.args[0]) if isinstance(one, ast.Constant))


def click_texts() -> set[tuple[str, ...]]:
    """Return the texts that click translates: alone, or singular and plural."""
    found = set()
    for file in Path(click.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext"):
                found.add(tuple(text.value for text in call.args if isinstance(text, ast.Constant)))
    return (found | {("required",)}) - {()}  # `_(extra["required"])` is no literal


def _is_error(call: ast.Call, name: str) -> bool:
    called = call.func.id if isinstance(call.func, ast.Name) else ""
    return called in ERRORS or (called in ("ValueError", "_checked") and name.startswith(WITH_VALUE_ERRORS))


def _literals(*nodes: ast.AST) -> Iterator[str]:
    """Yield the lines of the literals below some nodes that are sentences, but for help and annotations."""
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield from _lines(
                "".join("{}" if isinstance(part, ast.FormattedValue) else part.value for part in node.values)
            )
            yield from _literals(*(part.value for part in node.values if isinstance(part, ast.FormattedValue)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _lines(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("translate", "add_task")):
            yield from (arg.value.strip() for arg in node.args if isinstance(arg, ast.Constant))
            yield from _literals(*(arg for arg in node.args if not isinstance(arg, ast.Constant)))
        else:
            yield from _literals(*_children(node))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    skipped = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    if isinstance(node, ast.Call):
        skipped += [keyword for keyword in node.keywords if keyword.arg in ("help", "metavar")]
    yield from (child for child in ast.iter_child_nodes(node) if child not in skipped)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text that have words in them, with their values numbered."""
    for line in re.sub(r"\{\w*\}", "{}", text).split("\n"):
        if _SENTENCE.search(line) and not _NO_SENTENCE.search(line):
            first, *others = line.strip().split("{}")
            yield first + "".join(f"{{{place}}}{literal}" for place, literal in enumerate(others))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return tree
