"""Helpers for tests of the audit chain: events, checkpoints, discrepancies, and tampering by the tables' owner."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import sessionmaker

from app import audit
from app.audit import Actor, AuditEvent, checkpoints, verification
from app.audit import chain as audit_chain
from app.audit.chain import Discrepancy
from app.audit.checkpoints import Checkpoint
from app.audit.sealing import seal_all
from app.runtime import Services

OFFICER = Actor("officer", "7")


def append_events(services: Services, number: int = 1, **detail: Any) -> None:
    """Append events, each in a transaction of its own."""
    for n in range(number):
        with services.begin() as session:
            audit.append(session, OFFICER, "tried", services.clock.now(), serial=n + 1, **detail)


def make_chain(services: Services, number: int) -> None:
    """Append and seal a number of events."""
    append_events(services, number)
    assert seal_all(services) == number


def stored_events(services: Services) -> list[AuditEvent]:
    with services.sessions() as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.place.nulls_last(), AuditEvent.id)))


def stored_checkpoints(services: Services) -> list[Checkpoint]:
    with services.sessions() as session:
        return checkpoints.stored_checkpoints(session)


def find_discrepancies(services: Services, connection: Connection | None = None, **options: Any) -> list[Discrepancy]:
    """Verify the chain as this connection sees it; return the discrepancies."""
    found: list[Discrepancy] = []
    sessions = services.sessions
    if connection is not None:
        sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")
    for progress in verification.verify_chain(sessions, services.checkpoint_signer, services.clock.now(), **options):
        found += progress.discrepancies
    return found


@contextmanager
def tampering(services: Services) -> Iterator[Connection]:
    """A connection without triggers, unique index and check, for tampering; rolled back at the end."""
    with services.engine.connect() as connection:
        for table in ("audit", "audit_checkpoints"):
            connection.execute(text(f"alter table {table} disable trigger user"))
        connection.execute(text("drop index ix_audit_place"))
        connection.execute(text("alter table audit drop constraint ck_audit_sealed"))
        yield connection
        connection.rollback()


def rewrite_chain(connection: Connection, first: int = 1) -> None:
    """Give every event from a place on a right hash, as an attacker does who knows the construction of the chain."""
    rows = connection.execute(
        text(f"select id, place, hash, {audit_chain.EVENT_TEXT} as spelled from audit order by place, id")
    )
    last = audit_chain.GENESIS
    for row in rows.all():
        if row.place is None:
            continue
        last = bytes(row.hash) if row.place < first else audit_chain.link_hash(last, row.spelled)
        connection.execute(text("update audit set hash = :hash where id = :id"), {"hash": last, "id": row.id})
