"""Fill the tables by COPY with any number of people, each after an archetype.

A table is one COPY in one transaction with its TRUNCATE, so that PostgreSQL writes no log of it (wal_level = minimal)
and the rows come frozen. Indexes and constraints are dropped before and restored after. The same serial is the same
person in every table: its archetype is drawn by a seed.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from random import Random
from time import sleep
from typing import Any, NamedTuple

import psycopg
from rich.progress import Progress

from app.citizens.document_checks.identities import fingerprint_of
from app.citizens.documents import DocumentType
from app.citizens.lookup import hash_of
from app.core.encryption import FieldEncryption
from app.core.keys import load_keys
from bench.archetypes import ROWS, Archetype, document_number, ids_of

SEED, CHUNK = 2020, 2000
PROCESSES = 2
NAME = "示例甲"  # of everybody
TABLES = ("evidence", "citizens", "decisions", "codes", "declarations")  # the longest first


class Population(NamedTuple):
    """So many people, with serials from 1, and their archetypes."""

    citizens: int
    archetypes: Sequence[Archetype]

    def drawn(self, start: int) -> Iterator[tuple[int, Archetype]]:
        """Yield each serial of the chunk that begins there, with its archetype."""
        weights = list(accumulate(archetype.weight for archetype in self.archetypes))
        serials = range(start, min(start + CHUNK, self.citizens + 1))
        drawn = Random(f"{SEED}:{start}").choices(self.archetypes, cum_weights=weights, k=len(serials))
        return zip(serials, drawn, strict=True)

    def starts(self) -> range:
        return range(1, self.citizens + 1, CHUNK)

    def rows(self, table: str) -> float:
        """Return the approximate number of rows of a table."""
        whole = sum(archetype.weight for archetype in self.archetypes)
        lines = (archetype.weight * archetype.patterns[table].count("\n") for archetype in self.archetypes)
        return self.citizens * sum(lines) / whole


# --- loading ------------------------------------------------------------------------------------------------------


def load(url: str, keys: Path, population: Population, bar: Progress) -> None:
    """Fill every table without its indexes and constraints, which are made afterwards, with fresh statistics."""
    with psycopg.connect(url, autocommit=True) as connection:
        made_again = _take_off(connection)
        _copy_all(connection, url, keys, population, bar)
        _put_back(url, made_again, bar)
        for table, column in (("codes", "serial"), ("decisions", "id")):
            connection.execute(f"select setval(pg_get_serial_sequence('{table}', '{column}'), {population.citizens})")
        for table in bar.track(TABLES, description="analyze"):
            connection.execute(f"analyze {table}")
        connection.execute("checkpoint")


def _copy_all(connection: Any, url: str, keys: Path, population: Population, bar: Progress) -> None:
    bars = {table: bar.add_task(f"copy {table}", total=population.rows(table)) for table in TABLES}
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        copies = {table: pool.submit(copy, url, keys, population, table) for table in TABLES}
        while not all(copy.done() for copy in copies.values()):
            sleep(0.1)
            _tell(connection, copies, bars, bar)
        for copied in copies.values():
            copied.result()


def _tell(connection: Any, copies: dict[str, Future[None]], bars: dict[str, Any], bar: Progress) -> None:
    """Report the progress of each COPY, by PostgreSQL."""
    rows = connection.execute("select relid::regclass::text, tuples_processed from pg_stat_progress_copy").fetchall()
    for table, tuples in rows:
        if table in bars:
            bar.update(bars[table], completed=tuples)
    for table in (table for table, copy in copies.items() if copy.done()):
        bar.update(bars[table], total=1, completed=1)


def copy(url: str, keys: Path, population: Population, table: str) -> None:
    """Fill one table."""
    encryption = FieldEncryption(load_keys(keys))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"truncate {table}")
        with cursor.copy(f"copy {table} from stdin with (freeze)") as copying:
            for start in population.starts():
                if table == "citizens":
                    lines = [_citizen(encryption, *person) for person in population.drawn(start)]
                else:
                    lines = [
                        archetype.patterns[table] % {"serial": serial, "ids": ids_of(serial)}
                        for serial, archetype in population.drawn(start)
                    ]
                copying.write("".join(lines))


def _citizen(encryption: FieldEncryption, serial: int, archetype: Archetype) -> str:
    """Assert that the encryption is real: the row decrypts, and its document is found."""
    document = DocumentType.ID_CARD, document_number(serial)
    return archetype.patterns["citizens"] % {
        "serial": serial,
        "hash": hash_of(encryption, document).hex(),
        "identity": fingerprint_of(encryption, document, NAME).hex(),
        "document": encryption.encrypt("citizens.document", document[1]).hex(),
        "name": encryption.encrypt("citizens.name", NAME).hex(),
        "phone": encryption.encrypt("citizens.phone", f"138{serial:08d}").hex(),
    }


# --- indexes and constraints --------------------------------------------------------------------------------------


_CONSTRAINTS = """
    select conrelid::regclass::text, quote_ident(conname), contype::text, pg_get_constraintdef(oid)
    from pg_constraint
    where contype in ('p', 'u', 'f') and (conrelid = any(%s::regclass[]) or confrelid = any(%s::regclass[]))
    order by contype = 'f' desc, contype
"""
_INDEXES = """
    select tablename, quote_ident(indexname), indexdef from pg_indexes
    where schemaname = 'public' and tablename = any(%s)
"""


def _take_off(connection: Any) -> tuple[dict[str, list[str]], list[str]]:
    """Drop them; return the statements that restore indexes and keys by table, and those that restore foreign keys."""
    constraints = connection.execute(_CONSTRAINTS, [list(TABLES)] * 2).fetchall()
    for table, name, *_ in constraints:
        connection.execute(f"alter table {table} drop constraint {name}")
    indexes = connection.execute(_INDEXES, [list(TABLES)]).fetchall()
    by_table: dict[str, list[str]] = {table: [] for table in TABLES}
    for table, name, kind, definition in constraints:
        if kind != "f":
            by_table[table].append(f"alter table {table} add constraint {name} {definition}")
    for table, name, definition in indexes:
        connection.execute(f"drop index {name}")
        by_table[table].append(definition)
    keys = [
        f"alter table {table} add constraint {name} {what}" for table, name, kind, what in constraints if kind == "f"
    ]
    return by_table, keys


def _put_back(url: str, made_again: tuple[dict[str, list[str]], list[str]], bar: Progress) -> None:
    by_table, foreign_keys = made_again
    task = bar.add_task("indexes and keys", total=sum(map(len, by_table.values())) + len(foreign_keys))

    def run(statements: Sequence[str]) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
                bar.advance(task)

    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(run, by_table.values()))
    run(foreign_keys)  # one at a time: most of them lock the codes


assert set(TABLES) == set(ROWS)
