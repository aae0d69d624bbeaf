"""What the tests of codes have in common: people's facts told to the ledger, a look at every table, broken parts."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, select, text

from app.audit import Actor
from app.codes import ledger
from app.codes.cache.color_cache import ColorCache
from app.codes.cache.lease import CacheLease, LeaseGround
from app.codes.cache.records import make_record
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import Code, DecisionRow
from app.codes.states import State
from app.core.db import make_engine, make_session_factory
from app.core.redis_client import AnyRedis
from app.core.settings import Settings
from app.migrations.schema import tables
from app.rules import Contact, Declaration, Evidence, Temperature, Verification, decide
from app.runtime import Services

OFFICER = Actor("officer", "7")
YESTERDAY = date(2020, 3, 19)


# --- facts --------------------------------------------------------------------------------------------------------


def fever(at: datetime, celsius: str = "38.0") -> Temperature:
    return Temperature(id=new_id(), at=at, celsius=Decimal(celsius))


def contact(at: datetime) -> Contact:
    return Contact(id=new_id(), at=at, exposed_on=YESTERDAY)


def verified(at: datetime) -> tuple[Declaration, Verification]:
    """A declaration without symptoms, and the platform's consent to it."""
    declaration = Declaration(id=new_id(), at=at, symptoms=(), contact_on=None)
    return declaration, Verification(id=new_id(), at=at, declaration=declaration.id)


# --- the ledger -----------------------------------------------------------------------------------------------------


def open_code(services: Services) -> int:
    with services.begin() as session:
        return ledger.create_code(session, services.clock.now()).serial


def tell(services: Services, serial: int, *facts: Evidence, now: datetime | None = None) -> DecisionRow | None:
    """Record facts as an officer does, in one transaction."""
    with services.begin() as session:
        return ledger.record(
            ledger.ChangeContext(session, services.policy, OFFICER, now or services.clock.now()),
            serial,
            _ordered(facts),
        )


def _ordered(facts: Sequence[Evidence]) -> list[NewEvidence]:
    return [NewEvidence(fact, authority="长春市疾病预防控制中心", reference="长疾控〔2020〕1号") for fact in facts]


def withdraw(services: Services, serial: int, evidence_id: str) -> DecisionRow | None:
    with services.begin() as session:
        return ledger.withdraw(
            ledger.ChangeContext(session, services.policy, OFFICER, services.clock.now()),
            serial,
            evidence_id,
            "entered-in-error",
        )


def decide_again(services: Services, serial: int) -> DecisionRow | None:
    with services.begin() as session:
        return ledger.reevaluate(ledger.ChangeContext(session, services.policy, OFFICER, services.clock.now()), serial)


def open_green_code(services: Services) -> int:
    serial = open_code(services)
    tell(services, serial, *verified(services.clock.now()))
    return serial


def open_green_codes(services: Services, number: int) -> list[int]:
    return open_codes(services, number, verified)


def open_codes(services: Services, number: int, facts: Callable[[datetime], Sequence[Evidence]]) -> list[int]:
    """So many codes of which such facts are told, in one transaction: it takes hardly longer than one of them."""
    now = services.clock.now()
    with services.begin() as session:
        serials = ledger.create_codes(session, number, now)
        context = ledger.ChangeContext(session, services.policy, OFFICER, now)
        ledger.record_many(context, {serial: _ordered(facts(now)) for serial in serials})
    return serials


def code(services: Services, serial: int) -> Code:
    with services.sessions() as session:
        return ledger.get_code(session, serial)


def state(services: Services, serial: int) -> State:
    return State(code(services, serial).state)


def decisions(services: Services, serial: int) -> list[DecisionRow]:
    """Every decision about a code, in the order in which they were written."""
    with services.sessions() as session:
        return list(session.scalars(select(DecisionRow).filter_by(serial=serial).order_by(DecisionRow.id)))


# --- looking everywhere ---------------------------------------------------------------------------------------------


def everything(services: Services) -> dict[str, list[str]]:
    """Every row of every table as text, jobs included."""
    names = sorted([*tables().tables, "procrastinate_jobs"])
    names.remove("installation")  # grows with every cache lease
    with services.engine.connect() as connection:
        return {name: list(connection.scalars(text(f"select t::text from {name} t order by 1"))) for name in names}


def jobs(services: Services) -> list[tuple[str, int]]:
    """Return task and code of every waiting job; not the periodic ones, which a worker defers by real time."""
    waiting = "status = 'todo' and args->>'timestamp' is null"
    query = f"select task_name, (args->>'serial')::int from procrastinate_jobs where {waiting} order by id"
    with services.engine.connect() as connection:
        return [(task, serial) for task, serial in connection.execute(text(query))]


# --- parts that are out of reach ------------------------------------------------------------------------------------


def without_redis(services: Services) -> Services:
    """The same services on a machine that does not reach Redis."""
    redis = Redis(unix_socket_path="/nowhere/s", retry=Retry(NoBackoff(), 0))
    return replace(services, redis=redis, cache=ColorCache(redis))


def with_redis(services: Services, redis: AnyRedis, *, leased: bool = True, lease_seconds: float = 1) -> Services:
    """The same services with another Redis, whose cache is leased unless that is to come later."""
    cache = ColorCache(redis, services.generation.last)
    ground = LeaseGround(cache, services.sessions, services.policy, services.generation)
    lease = CacheLease(ground, lease_seconds)
    if leased:
        lease.renew()
    return replace(services, redis=redis, cache=cache, lease=lease)


def lease_for_long(services: Services) -> None:
    """Lease the color cache for longer than any test takes; a lease of a second may end within one."""
    with_redis(services, services.redis, lease_seconds=60)


def with_short_lease(services: Services) -> Services:
    """The same services with a cache lease of a second: whoever writes without Redis waits until it has ended."""
    redis = services.settings.redis.model_copy(update={"lease_seconds": 1})
    return with_redis(replace(services, settings=services.settings.model_copy(update={"redis": redis})), services.redis)


def with_engine(services: Services, engine: Engine) -> Services:
    """The same services on another way to the database."""
    return replace(services, engine=engine, sessions=make_session_factory(engine, row_digests=services.row_digests))


def without_database(services: Services) -> Services:
    """The same services on a machine that does not reach PostgreSQL."""
    engine = make_engine("postgresql+psycopg:///jixiang?host=/nowhere", 1)
    return with_engine(services, engine)


@contextmanager
def database_refuses(services: Services) -> Iterator[None]:
    """PostgreSQL turns every connection away and ends the open ones, as in a restart."""
    url = services.engine.url
    engine = make_engine(url.set(database="postgres").render_as_string(hide_password=False), 1)
    allow = f'alter database "{url.database}" with allow_connections'

    def run(statement: str) -> None:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(statement))

    run(f"{allow} false")
    run(f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{url.database}'")
    try:
        yield
    finally:
        run(f"{allow} true")
        engine.dispose()


# --- other processes ------------------------------------------------------------------------------------------------


def write_config(settings: Settings, file: Path, **replaced: dict[str, Any]) -> Path:
    """The settings as a configuration file, for a process of its own."""
    sections = settings.model_dump(mode="json", exclude_none=True)
    for name, values in replaced.items():
        sections[name] |= values
    file.write_text("\n".join(_toml(sections)), encoding="utf-8")
    return file


def _toml(values: dict[str, Any], path: str = "") -> list[str]:
    """TOML, whose plain values are written as JSON writes them."""
    plain = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not isinstance(value, dict)]
    lines = [f"[{path}]", *plain] if path else plain
    for name, value in values.items():
        if isinstance(value, dict):
            lines += _toml(value, f"{path}.{name}" if path else name)
    return lines


def assert_one_order(services: Services, serial: int) -> None:
    """The decisions about a code follow one another, each on all that was there before it, the last one on all."""
    history = decisions(services, serial)
    versions = [row.version for row in history]
    assert versions == sorted(set(versions)), "in the order in which they were written, none twice"
    previous = [row.previous_state for row in history]
    assert previous == [State.NOT_DECLARED, *(row.state for row in history)][: len(history)]
    with services.sessions() as session:
        decision = decide(ledger.load_evidence(session, serial), services.policy, services.clock.now())
    row = code(services, serial)
    assert (row.state, row.rule) == (State.of(decision.color), decision.rule)
    assert (row.version, row.decision_id) == (versions[-1], history[-1].id)
    assert history[-1].evidence == list(decision.evidence)
    assert services.cache.get(serial) == make_record(row, services.policy.rules)
