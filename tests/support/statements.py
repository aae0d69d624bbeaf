"""The SQL statements of a block, counted where equal work is proved."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def count_statements(engine: Engine) -> Iterator[list[str]]:
    """The texts of the statements that the block executes."""
    executed: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        executed.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        event.remove(engine, "before_cursor_execute", note)
