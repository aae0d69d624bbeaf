"""What the tests of the chain have in common: entries, days, and a hand that tampers as the owner of the tables can."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import sessionmaker

from app import audit
from app.audit import Actor, AuditEntry
from app.chain import heads, links, verifying
from app.chain.heads import Head
from app.chain.sealing import seal_all
from app.chain.verifying import Finding
from app.services import Services

OFFICER = Actor("officer", "7")


def enter(services: Services, number: int = 1, **detail: Any) -> None:
    """Write so many entries, each in a transaction of its own."""
    for n in range(number):
        with services.begin() as session:
            audit.enter(session, OFFICER, "tried", services.clock.now(), serial=n + 1, **detail)


def chain(services: Services, number: int) -> None:
    """A sealed chain of so many entries."""
    enter(services, number)
    assert seal_all(services) == number


def entries(services: Services) -> list[AuditEntry]:
    with services.sessions() as session:
        return list(session.scalars(select(AuditEntry).order_by(AuditEntry.place.nulls_last(), AuditEntry.id)))


def kept_heads(services: Services) -> list[Head]:
    with services.sessions() as session:
        return heads.kept(session)


def findings(services: Services, connection: Connection | None = None, **options: Any) -> list[Finding]:
    """Everything that does not fit, as this connection sees it."""
    found: list[Finding] = []
    sessions = services.sessions
    if connection is not None:
        sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")
    for progress in verifying.verify(sessions, services.head_keys, services.clock.now(), **options):
        found += progress.findings
    return found


@contextmanager
def tampering(services: Services) -> Iterator[Connection]:
    """The connection of somebody who may do everything: no trigger, no unique place, no check. Undone at the end."""
    with services.engine.connect() as connection:
        for table in ("audit", "audit_heads"):
            connection.execute(text(f"alter table {table} disable trigger user"))
        connection.execute(text("drop index ix_audit_place"))
        connection.execute(text("alter table audit drop constraint ck_audit_sealed"))
        yield connection
        connection.rollback()


def write_anew(connection: Connection, first: int = 1) -> None:
    """Give every entry from a place on a hash that fits, as somebody does who knows how the chain is made."""
    rows = connection.execute(text(f"select id, place, hash, {links.SPELLED} as spelled from audit order by place, id"))
    last = links.START
    for row in rows.all():
        if row.place is None:
            continue
        last = bytes(row.hash) if row.place < first else links.link(last, row.spelled)
        connection.execute(text("update audit set hash = :hash where id = :id"), {"hash": last, "id": row.id})
