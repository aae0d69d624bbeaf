"""What the steps of the end work with: settings, clock, database and Redis, and no key."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app.core import province
from app.core.clock import Clock, make_clock
from app.core.db import make_engine, make_session_factory
from app.core.redis_client import AnyRedis
from app.core.settings import Settings
from app.installation import Installation
from app.runtime import connect_redis

LONG_SECONDS: Final = 86_400  # of a statement: to count the rows of a province takes a while
Say = Callable[[str], None]


class Ending(NamedTuple):
    """What the steps need: no key, for they go on when keys are destroyed already."""

    settings: Settings
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]
    redis: AnyRedis

    @property
    def directory(self) -> Path:
        return self.settings.keys.directory

    def installation(self) -> Installation:
        with self.sessions() as session:
            return session.scalars(select(Installation)).one()

    def note(self, name: str, found: Any, session: Session) -> None:
        """Record that a step is done, with what it found."""
        row = session.scalars(select(Installation).with_for_update()).one()
        row.end_record = {**(row.end_record or {}), name: found}


@contextmanager
def open_ending(settings: Settings) -> Iterator[Ending]:
    """Connect without keys."""
    province.choose(settings.province.file)
    engine, redis = make_engine(settings.database.url, 2, LONG_SECONDS), connect_redis(settings)
    try:
        yield Ending(settings, make_clock(settings.clock.file), engine, make_session_factory(engine), redis)
    finally:
        engine.dispose()
        redis.close()
