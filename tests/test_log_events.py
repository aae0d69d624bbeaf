"""Every event that is logged is in docs/reference/log-events.md; every row there is logged, at the level it says."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOGGERS = {"log", "_log", "logger"}
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
ROW = re.compile(r"^\| `([^`]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Each call of a logger in app/: where it is, the call, its level."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=level)) if (
                    name in LOGGERS and level in LEVELS
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node, level


@cache
def logged() -> set[tuple[str, str]]:
    found = set()
    for place, call, level in calls():
        event = call.args[0] if call.args else None
        assert isinstance(event, ast.Constant) and isinstance(event.value, str), f"{place}: name the event by a text"
        assert len(call.args) == 1, f"{place}: everything but the event is a named field"
        found.add((event.value, level))
    return found


def test_the_table_of_log_events_has_every_event_and_no_other() -> None:
    rows = ROW.findall((ROOT / "docs/reference/log-events.md").read_text(encoding="utf-8"))
    table = [(event, level) for event, level, *_ in rows]
    assert len({event for event, _ in table}) == len(table) > 20
    assert set(table) == logged()


def test_every_logger_has_a_name_that_this_test_knows() -> None:
    for path in (ROOT / "app").rglob("*.py"):
        for name in re.findall(
            r"^(\w+) = (?:structlog\.get_logger|logging\.getLogger)", path.read_text(), re.MULTILINE
        ):
            assert name in LOGGERS, path


def test_names_of_events_are_words_joined_by_hyphens() -> None:
    for event, _ in logged():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", event), event
