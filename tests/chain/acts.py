"""What the tests of the chain have in common: entries, days, and a hand that tampers as the owner of the tables can."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select, text

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


def findings(services: Services, **options: Any) -> list[Finding]:
    """Everything that does not fit."""
    found: list[Finding] = []
    for progress in verifying.verify(services.sessions, services.head_keys, services.clock.now(), **options):
        found += progress.findings
    return found


@contextmanager
def tampering(services: Services) -> Iterator[Connection]:
    """A connection of somebody who may do everything: no trigger, no unique place, no check."""
    with services.engine.begin() as connection:
        for table in ("audit", "audit_heads"):
            connection.execute(text(f"alter table {table} disable trigger user"))
        connection.execute(text("drop index ix_audit_place"))
        connection.execute(text("alter table audit drop constraint ck_audit_sealed"))
        yield connection
    # as nobody may leave it to the tests that follow; two entries may stand at one place by now
    with services.engine.begin() as connection:
        connection.execute(text("create index ix_audit_place on audit (place) where place is not null"))
        for table in ("audit", "audit_heads"):
            connection.execute(text(f"alter table {table} enable trigger user"))


def mend_schema(services: Services) -> None:
    """Empty the audit and put back what tampering took from its table."""
    with services.engine.begin() as connection:
        for table in ("audit", "audit_heads"):
            connection.execute(text(f"alter table {table} disable trigger user"))
        connection.execute(text("truncate audit, audit_heads restart identity"))
        connection.execute(text("drop index if exists ix_audit_place"))
        connection.execute(text("create unique index ix_audit_place on audit (place) where place is not null"))
        connection.execute(text("alter table audit drop constraint if exists ck_audit_sealed"))
        connection.execute(
            text("alter table audit add constraint ck_audit_sealed check ((place is null) = (hash is null))")
        )
        for table in ("audit", "audit_heads"):
            connection.execute(text(f"alter table {table} enable trigger user"))


def write_anew(connection: Connection, first: int = 1) -> None:
    """Give every entry from a place on a hash that fits, as somebody does who knows how the chain is made."""
    rows = connection.execute(text(f"select id, place, hash, {links.SPELLED} as spelled from audit order by place, id"))
    last = links.START
    for row in rows.all():
        if row.place is None:
            continue
        last = bytes(row.hash) if row.place < first else links.link(last, row.spelled)
        connection.execute(text("update audit set hash = :hash where id = :id"), {"hash": last, "id": row.id})
