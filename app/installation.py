"""The generation of the installation: which history of the database the running processes belong to.

A database that was restored from a backup, or a standby that was promoted, may lack what was last acknowledged. It gets
a new generation: sessions of the former one end, no number is given twice, and the color cache is not believed until it
was repaired (`begin_generation` in migration 0015). Every new connection, every beat of the cache's lease and every
new code compares the identity of its database with the one that the database itself remembers, so that whoever comes
first begins the generation, without a restart.

The database also remembers which keys it was filled with: with others nobody is found by their document, so whoever is
known would begin anew. Every new connection and every beat compares them with those of the process.

And it remembers whether the service goes on: what is announced, and since when it is ended (`app.ending`).
"""

from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg
import structlog
from sqlalchemy import BigInteger, CheckConstraint, Connection, Engine, SmallInteger, String, event, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DisconnectionError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Mapped, mapped_column

from app.core import metrics
from app.core.db import Base, make_engine
from app.core.errors import ConfigError, Problem

log = structlog.get_logger()

ANNOUNCED, REPORTED = 1, 7  # steps of the end of the service


class CacheState:
    """What the database remembers of the color cache, or of a part of it.

    `generation` is that of the installation when it was leased. `cache_generation` changes whenever the cache was
    emptied because it could not be believed; `redis_run_id` is the run of Redis that it is in. `beat` grows with every
    cache lease, here and in Redis: the side that is behind has gone back in time. `leased_until` is when the last lease
    ends at the latest.
    """

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger)
    redis_run_id: Mapped[str | None]
    cache_generation: Mapped[int] = mapped_column(BigInteger)
    beat: Mapped[int] = mapped_column(BigInteger)
    leased_until: Mapped[datetime | None]


class Installation(CacheState, Base):
    """The one row about this installation, with the state of a cache that is in a single Redis.

    The serials of this generation are above `serial_floor`. `key_fingerprint` is that of the keys of the first process
    that came. `ends_on` is the announced last day of the service, with a notice in the words of the operators;
    `end_record` has what was done of the end, and `end_report` the signed report when all of it is done.
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    generation_began_at: Mapped[datetime]
    database_identity: Mapped[str | None]
    serial_floor: Mapped[int] = mapped_column(BigInteger)
    key_fingerprint: Mapped[str | None]
    ends_on: Mapped[date | None]
    end_notice: Mapped[str | None] = mapped_column(String(200))
    end_announced_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_record: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    end_report: Mapped[str | None]


class ServiceState(NamedTuple):
    """Whether the service goes on: its announced last day with a notice, when it was ended, and the report of that."""

    ends_on: date | None = None
    notice: str | None = None
    ended_at: datetime | None = None
    report: str | None = None
    steps: int = 0  # of the end that are recorded: the decision, and each that was done

    @property
    def step(self) -> int:
        """Return how far the end is, as the metric counts it."""
        if self.ended_at is None:
            return 0 if self.ends_on is None else ANNOUNCED
        return REPORTED if self.report is not None else ANNOUNCED + max(1, self.steps)


class CachePartState(CacheState, Base):
    """The state of a part of a cache that is in a cluster, by the number of the part."""

    __tablename__ = "cache_parts"


_COMPARE = (
    "select generation, is_known_database(), key_fingerprint, ends_on, end_notice, ended_at, end_report,"
    " (select count(*) from jsonb_object_keys(end_record)) from installation"
)
_NOTE_KEYS = "update installation set key_fingerprint = coalesce(key_fingerprint, %s) returning key_fingerprint"
_BEGIN = "select begin_generation(false)"
_NOT_MIGRATED = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedColumn)


class OtherKeys(psycopg.OperationalError):
    """The database was filled with other keys, and is out of reach for this process: it answers as for any outage."""

    def __init__(self) -> None:
        super().__init__(str(_other_keys()))


class KnownGeneration:
    """The generation as the newest connection of this process found it; none with other keys than ours is used."""

    def __init__(self, engine: Engine, fingerprint: str) -> None:
        self._engine = engine
        self._fingerprint = fingerprint
        self._value: int | None = None
        self._has_other_keys = False
        self.service = ServiceState()  # as the newest connection or beat has found it
        event.listen(engine, "connect", self._compare)
        event.listen(engine, "checkout", self._renew)

    def __call__(self) -> int:
        """Return the generation. Raises Problem `unavailable` while no database has answered."""
        if self._value is None:
            try:
                with self._engine.connect():
                    pass
            except (OperationalError, PoolTimeout):
                raise Problem("unavailable", retry_after=5) from None
        return self._value or 0

    def last(self) -> int | None:
        """Return the generation without asking any database; None while none has shown it."""
        return self._value

    def refresh(self) -> None:
        """Compare again, on a connection that may be older than a restore. Raises SQLAlchemyError."""
        with self._engine.begin() as connection:
            generation, known, noted, *service = connection.execute(text(_COMPARE)).one()
            if noted in (None, self._fingerprint):
                self._note_service(ServiceState(*service))
                self.note(generation if known else begin_generation(connection, forced=False))
                return
        raise OperationalError(None, None, self._find_other_keys())

    def _compare(self, connection: psycopg.Connection[Any], record: object) -> None:
        had_other_keys = self._has_other_keys
        try:
            row = connection.execute(_COMPARE).fetchone()
            if row is not None:
                self._require_own_keys(connection, row[2])
                if had_other_keys:  # before it asked: what is found since is newer than this answer
                    self._has_other_keys = False
                self._note_service(ServiceState(*row[3:]))
            if row is not None and not row[1]:
                row = connection.execute(_BEGIN).fetchone()
            connection.commit()
        except _NOT_MIGRATED:
            connection.rollback()
            return
        except psycopg.Error:
            connection.close()  # nobody else would
            raise
        if row is not None:
            self.note(row[0])

    def _require_own_keys(self, connection: psycopg.Connection[Any], noted: str | None) -> None:
        """Compare our keys with those that are noted, or note them. Raises OtherKeys."""
        if noted is None:
            [noted] = connection.execute(_NOTE_KEYS, [self._fingerprint]).fetchone() or [None]
        if noted != self._fingerprint:
            raise self._find_other_keys()

    def _find_other_keys(self) -> OtherKeys:
        """Have no connection of before used any more; return the error to raise."""
        self._value, self._has_other_keys = None, True
        return OtherKeys()

    def _renew(self, *_: object) -> None:
        """Have a connection of before the other keys replaced, which compares. Raises DisconnectionError."""
        if self._has_other_keys:
            raise DisconnectionError

    def _note_service(self, service: ServiceState) -> None:
        """Note whether the service goes on; once ended it stays so, whatever another database says."""
        if self.service.ended_at is None or service.ended_at is not None:
            if service.ended_at is not None and self.service.ended_at is None:
                log.warning("service-ended")
            self.service = service
            metrics.SERVICE_END_STEP.set(service.step)

    def note(self, generation: int) -> None:
        """Note the generation that a connection has found."""
        if self._value not in (None, generation):
            log.warning("generation-began")
        self._value = generation


def begin_generation(connection: Connection, *, forced: bool) -> int:
    """Begin a new generation if the database is not the one it was, or if `forced`; return the current one."""
    return int(connection.execute(text("select begin_generation(:forced)"), {"forced": forced}).scalar_one())


def check_keys(url: str, fingerprint: str) -> None:
    """Raise ConfigError when the database was filled with other keys, and note none in a new one.

    Raises SQLAlchemyError.
    """
    engine = make_engine(url, 1)
    try:
        with engine.connect() as connection:
            noted = connection.scalar(select(Installation.key_fingerprint))
    except ProgrammingError:  # not migrated yet
        return
    finally:
        engine.dispose()
    if noted not in (None, fingerprint):
        raise _other_keys()


def find_other_keys(error: Exception) -> str | None:
    """Return what an operator reads of an error that other keys have caused; None for any other error."""
    return str(_other_keys()) if isinstance(getattr(error, "orig", None), OtherKeys) else None


def is_end(error: Exception) -> bool:
    """Return whether the database refuses to write because the service is ended."""
    return "service is ended" in str(getattr(error, "orig", error))


def _other_keys() -> ConfigError:
    return ConfigError(
        "The database was filled with other keys than those in keys.directory: put the copy of its key directory "
        "there, or correct database.url. If it is lost for good, see `jixiang keys adopt`."
    )
