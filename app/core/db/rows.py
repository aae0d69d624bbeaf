"""Rows in any number: written by COPY, their ids drawn before, and found by a column that has one of many values."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import BigInteger, ColumnElement, Connection, Integer, LargeBinary, SmallInteger, any_, cast, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.db.base import Base, UtcDateTime
from app.core.json_text import make_encoder


def insert_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns, one or any number, by COPY. Ids that others refer to are drawn before."""
    if not rows:
        return
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    into = f"copy {table.__tablename__} ({', '.join(rows[0])}) from stdin"
    spelled = [_spell(type(table.__table__.columns[name].type), [row[name] for row in rows]) for name in rows[0]]
    lines = "\n".join(map("\t".join, zip(*spelled, strict=True)))
    with _errors_of_the_session(connection), driver.cursor() as cursor, cursor.copy(into.encode()) as copy:
        copy.write(lines)


def _spell(type_: type, values: Sequence[Any]) -> list[str]:
    """Return the values of a column as COPY reads them."""
    form = _FORMS.get(type_, str)
    words = [None if value is None else form(value) for value in values]
    if type_ not in _PLAIN and _SPECIAL.search("".join(filter(None, words))):
        words = [word and word.translate(_ESCAPES) for word in words]
    return [_NULL if word is None else word for word in words]


@contextmanager
def _errors_of_the_session(connection: Connection) -> Iterator[None]:
    """Raise what psycopg raises as the session does, but without values: COPY quotes the row that it was at."""
    try:
        yield
    except psycopg.Error as error:
        words = None if isinstance(error, psycopg.DataError) else error.diag.message_primary or str(error)
        plain = type(error)(words or "a value does not fit its column")
        if connection.connection.driver_connection.closed:  # type: ignore[union-attr]
            connection.invalidate(error)  # so that nobody asks it to roll back
        raise DBAPIError.instance(None, None, plain, psycopg.Error, hide_parameters=True) from None


def draw_ids(session: Session, column: InstrumentedAttribute[int], number: int) -> list[int]:
    """Draw ids for new rows from the sequence of their column, in ascending order: none that a lost history gave."""
    return list(session.scalars(_DRAW, {"table": column.class_.__tablename__, "column": column.key, "number": number}))


# A database that was put back moves its sequences before an id is drawn: at the insert it would be too late. The name
# of the sequence is looked up once: for each id it would take longer than the id.
_DRAW = text("""
    with known as materialized (select case when not is_known_database() then begin_generation(false) end),
    sequence as materialized (select cast(pg_get_serial_sequence(:table, :column) as regclass) as name)
    select nextval(name) from known, sequence, generate_series(1, :number)
""")


def among(column: InstrumentedAttribute[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values: one parameter, however many they are."""
    return column == any_(cast(list(values), ARRAY(column.type)))


def to_array(values: Iterable[Any]) -> str:
    """Return values as the text of a PostgreSQL array: in one piece, while psycopg adapts them one by one."""
    return "{" + ",".join(["null" if value is None else _quote(value) for value in values]) + "}"


def _quote(value: Any) -> str:
    if isinstance(value, datetime):
        value = _moment(value)
    elif isinstance(value, str) and ("\\" in value or '"' in value):
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


_moment = lru_cache(4_096)(str)  # the rows of a change have few moments
_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]")
_PLAIN = (UtcDateTime, BigInteger, Integer, SmallInteger)  # what has nothing to escape

# psycopg adapts these types in Python, each value at eight times the cost of a text
_FORMS: Mapping[type, Callable[[Any], str]] = {
    ARRAY: to_array,
    JSONB: make_encoder(),
    LargeBinary: lambda value: f"\\x{value.hex()}",
    UtcDateTime: _moment,
}
