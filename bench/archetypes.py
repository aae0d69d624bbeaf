"""The rows of some people with simulated life cycles (`life_cycles.py`), as patterns for many.

The decisions are the ledger's own: a pattern is the rows as PostgreSQL writes them, with placeholders for the serial,
ids and ciphertexts.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from psycopg import Connection
from sqlalchemy import text

from app.citizens.documents import check_digit
from app.runtime import Services
from bench.life_cycles import Consenting, Hand, live, lives

# of decisions the current one; history, audit, inbox and log-ins are left out: no step reads them
ROWS = {
    "codes": "select * from codes where serial = {serial}",
    "citizens": "select * from citizens where serial = {serial}",
    "evidence": "select * from evidence where serial = {serial} order by at, id",
    "decisions": "select * from decisions where id = (select decision_id from codes where serial = {serial})",
    "declarations": "select * from declarations where serial = {serial} order by declared_at",
}
_FIRST_SERIAL, _FIRST_DECISION = 9 * 10**14, 8 * 10**14  # so long that no other value in a row matches
_PEOPLE = "codes, citizens, evidence, decisions, declarations, audit, notices, procrastinate_jobs"


class Archetype(NamedTuple):
    """The share of such people in a hundred, and their rows by table as COPY text, a pattern for `%`."""

    weight: float
    patterns: dict[str, str]


# --- patterns -----------------------------------------------------------------------------------------------------


def make(services: Services, end: datetime) -> list[Archetype]:
    """Run every life cycle until `end`, and return its rows. The tables are empty before and after."""
    _empty(services)
    them = replace(services, clock=Hand(end), platform=Consenting())  # type: ignore[arg-type]
    _number_from(services, _FIRST_SERIAL, _FIRST_DECISION)
    told = [(life.weight, live(them, life, document_number(place), end)) for place, life in enumerate(lives())]
    with services.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, Connection)
        archetypes = [Archetype(weight, _patterns(raw, serial)) for weight, serial in told]
    _empty(services)
    return archetypes


def _empty(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("alter table audit disable trigger user"))  # only invented rows are deleted
        connection.execute(text(f"truncate {_PEOPLE} restart identity cascade"))
        connection.execute(text("alter table audit enable trigger user"))
    services.redis.flushdb()


def _number_from(services: Services, serial: int, decision: int) -> None:
    with services.engine.begin() as connection:
        connection.execute(text(f"alter table codes alter serial restart with {serial}"))
        connection.execute(text(f"alter table decisions alter id restart with {decision}"))


def _patterns(connection: Connection[Any], serial: int) -> dict[str, str]:
    places = {str(serial): "%(serial)d"}
    with connection.cursor() as cursor:
        row = cursor.execute(
            "select decision_id, encode(document_fingerprint, 'hex'), encode(document_ciphertext, 'hex'), "
            "encode(name_ciphertext, 'hex'), encode(phone_ciphertext, 'hex'), encode(identity_fingerprint, 'hex') "
            "from codes join citizens using (serial) where serial = %s",
            [serial],
        ).fetchone()
        assert row is not None
        names = ("%(serial)d", "%(hash)s", "%(document)s", "%(name)s", "%(phone)s", "%(identity)s")
        places |= {str(value): name for value, name in zip(row, names, strict=True) if value is not None}
        # sorted, as a decision lists its evidence
        ids = cursor.execute("select id::text from evidence where serial = %s order by id", [serial])
        places |= {uuid: f"%(ids)s{place:012x}" for place, (uuid,) in enumerate(ids.fetchall())}
        texts = {table: _copied(cursor, query.format(serial=serial)) for table, query in ROWS.items()}
    return {table: _with_places(words, places) for table, words in texts.items()}


def _copied(cursor: Any, query: str) -> str:
    with cursor.copy(f"copy ({query}) to stdout") as copy:
        return b"".join(copy).decode()


def _with_places(words: str, places: dict[str, str]) -> str:
    words = words.replace("%", "%%")
    for value, name in places.items():
        words = words.replace(value, name)
    return words


# --- values unique to each -----------------------------------------------------------------------------------------

_DAYS, _FIRST_DAY = 27_000, date(1940, 1, 1)
MOST = _DAYS * 1000  # people, a thousand of them born each day


def document_number(serial: int) -> str:
    """Return the next ID-card number of a region that does not exist: nobody has it."""
    number = f"{_born_on(serial % _DAYS)}{serial // _DAYS:03d}"
    return number + check_digit(number)


@cache
def _born_on(day: int) -> str:
    return f"220000{_FIRST_DAY + timedelta(days=day):%Y%m%d}"


def ids_of(serial: int) -> str:
    """Return the beginning of the ids of a person's evidence: scattered like random ones, and unique."""
    scattered = f"{serial * 0x9E3779B97F4A7C15 % 2**64:016x}"
    return f"{scattered[:8]}-{scattered[8:12]}-4{scattered[12:15]}-a{scattered[15]}00-"
