"""What the tests of the chain have in common: entries, days, and a hand that tampers as the owner of the tables can."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import sessionmaker

from app import audit
from app.audit import Actor, AuditEvent, checkpoints, verification
from app.audit import chain as audit_chain
from app.audit.checkpoints import Checkpoint
from app.audit.sealing import seal_all
from app.audit.verification import Discrepancy
from app.runtime import Services

OFFICER = Actor("officer", "7")


def enter(services: Services, number: int = 1, **detail: Any) -> None:
    """Write so many entries, each in a transaction of its own."""
    for n in range(number):
        with services.begin() as session:
            audit.append(session, OFFICER, "tried", services.clock.now(), serial=n + 1, **detail)


def chain(services: Services, number: int) -> None:
    """A sealed chain of so many entries."""
    enter(services, number)
    assert seal_all(services) == number


def entries(services: Services) -> list[AuditEvent]:
    with services.sessions() as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.place.nulls_last(), AuditEvent.id)))


def kept_heads(services: Services) -> list[Checkpoint]:
    with services.sessions() as session:
        return checkpoints.stored_checkpoints(session)


def findings(services: Services, connection: Connection | None = None, **options: Any) -> list[Discrepancy]:
    """Everything that does not fit, as this connection sees it."""
    found: list[Discrepancy] = []
    sessions = services.sessions
    if connection is not None:
        sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")
    for progress in verification.verify_chain(sessions, services.checkpoint_signer, services.clock.now(), **options):
        found += progress.discrepancies
    return found


@contextmanager
def tampering(services: Services) -> Iterator[Connection]:
    """The connection of somebody who may do everything: no trigger, no unique place, no check. Undone at the end."""
    with services.engine.connect() as connection:
        for table in ("audit", "audit_checkpoints"):
            connection.execute(text(f"alter table {table} disable trigger user"))
        connection.execute(text("drop index ix_audit_place"))
        connection.execute(text("alter table audit drop constraint ck_audit_sealed"))
        yield connection
        connection.rollback()


def write_anew(connection: Connection, first: int = 1) -> None:
    """Give every entry from a place on a hash that fits, as somebody does who knows how the chain is made."""
    rows = connection.execute(
        text(f"select id, place, hash, {audit_chain.EVENT_TEXT} as spelled from audit order by place, id")
    )
    last = audit_chain.GENESIS
    for row in rows.all():
        if row.place is None:
            continue
        last = bytes(row.hash) if row.place < first else audit_chain.link_hash(last, row.spelled)
        connection.execute(text("update audit set hash = :hash where id = :id"), {"hash": last, "id": row.id})
