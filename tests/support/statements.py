"""The SQL statements of a block, counted where equal work is proved."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event


@contextmanager
def count_statements(engine: Engine) -> Iterator[list[str]]:
    """The texts of the statements that the block executes, with COPY, which SQLAlchemy does not see."""
    executed: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        executed.append(statement)

    def note_copy(cursor: Any, statement: bytes) -> Any:
        executed.append(statement.decode())
        return copy(cursor, statement)

    copy = psycopg.Cursor.copy
    event.listen(engine, "before_cursor_execute", note)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg.Cursor, "copy", note_copy)
            yield executed
    finally:
        event.remove(engine, "before_cursor_execute", note)
