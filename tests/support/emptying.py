"""How a test finds everything: nothing in the database, in Redis and in both sandboxes, and the color cache leased."""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from app.core import passwords
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.servers import emptying

_RENEW: Final = text("""
    update installation set beat = beat + 1, leased_until = clock_timestamp() + make_interval(secs => :seconds)
    where (redis_run_id, generation, cache_generation, beat) = (:run_id, :generation, :cache_generation, :beat)
""")
_LEFT: Final = text("select redis_run_id, generation, cache_generation, beat from installation")


class Left(NamedTuple):
    """What a renewal of the cache lease left in the database."""

    run_id: str
    generation: int
    cache_generation: int
    beat: int


class Emptying:
    """Leaves nothing in any of the parts, and sets the clock to its start.

    A lease that is as the last test found it is renewed as the system does, in two statements where the system needs
    four transactions to be sure; any other is left to the system.
    """

    def __init__(self, services: Services, worlds: Collection[Any]) -> None:
        self._services, self._worlds = services, worlds
        self._statement = emptying()
        self._left: Left | None = None
        [*_, part] = services.cache.parts
        self._lease, self._generation, self._beat = part.lease_key, part.generation_key, part.beat_key
        self._seconds = services.settings.redis.lease_seconds

    def __call__(self) -> None:
        with self._services.engine.begin() as connection:
            connection.exec_driver_sql(self._statement)
            renewed = self._renew_in_database(connection)
        if len(self._services.cache.parts) > 1:  # keys are on many nodes
            self._services.redis.flushdb()
            self._services.lease.renew()
        elif not self._empty_redis(renewed):
            self._services.lease.renew()
            with self._services.engine.connect() as connection:
                self._left = Left(*connection.execute(_LEFT).one())
        for world in self._worlds:
            world.reset()
        assert isinstance(self._services.clock, StandingClock)
        self._services.clock.restart()
        passwords.configure(self._services.settings.passwords)  # which whoever made other services has set for all

    def _renew_in_database(self, connection: Connection) -> bool:
        values = {"seconds": self._seconds, **(self._left._asdict() if self._left else {})}
        return self._left is not None and connection.execute(_RENEW, values).rowcount == 1

    def _empty_redis(self, renewed: bool) -> bool:
        """Delete every key but those of the lease, and renew it unless another test has had a hand in it."""
        redis, left = self._services.redis, self._left
        keys, *there = redis.pipeline(transaction=False).keys().mget(self._generation, self._beat).execute()
        of_lease = {key.encode() for key in (self._lease, self._generation, self._beat)}
        others = set(keys) - of_lease
        pipe = redis.pipeline(transaction=False)
        if others:
            pipe.delete(*others)
        same = left is not None and there == [[str(left.cache_generation).encode(), str(left.beat).encode()]]
        if left is not None and renewed and same:
            self._left = left = left._replace(beat=left.beat + 1)
            pipe.set(self._beat, left.beat)
            lease = f"{left.run_id}:{left.generation}:{left.cache_generation}"
            pipe.set(self._lease, lease, px=int(self._seconds * 1000))
        pipe.execute()
        return renewed and same
