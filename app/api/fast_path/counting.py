"""Counting of the checks of the fast path: those of one turn of the event loop by one command.

What has been read is the answer to a check, whether it is counted or not. One script marks tokens and counts those that
are new, so that none is counted twice; where its answer does not come, the checks were counted, or none of them was.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

import structlog
from redis import RedisError
from redis.exceptions import ResponseError

from app.api.fast_path.common import Common
from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN
from app.core.redis_client import Command, together
from app.stations import counts

log = structlog.get_logger()

_KEPT: Final = 2000  # commands: for a while each group has the same


class CheckGroup(NamedTuple):
    """Checks that one command counts: at a station, of tokens of ten minutes, in an hour, of codes in a state."""

    station: bytes
    period: int  # tens of minutes since 1970
    hour: int  # since 1970
    state: State


class CheckCounter:
    """Counts checks, of each token once at a station."""

    def __init__(self, common: Common) -> None:
        services = common.services
        self._redis, self._client = common.redis, services.redis
        self._fields = {
            state: counts.field_of(state, services.policy.station(state.name).action) for state in STATES_WITH_TOKEN
        }
        self._mark_seconds = counts.mark_seconds(services.settings.tokens)
        self._arguments = lru_cache(_KEPT)(self._make_arguments)

    async def count(self, group: CheckGroup, number: int) -> None:
        """Count the check of the token with a number, if Redis does."""
        arguments = self._arguments(group)
        try:
            try:
                await self._redis.join(("EVALSHA", counts.ADD.digest, *arguments), number)
            except ResponseError as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
                await self._redis.join(("EVAL", counts.ADD.text, *arguments), number)
        except RedisError as error:
            log.warning("check-not-counted", error=type(error).__name__)

    def _make_arguments(self, group: CheckGroup) -> Command:
        """Return the arguments of the script but for the numbers of tokens: how many keys, the keys, and its own."""
        station = together(self._client, group.station.decode())
        hour = counts.key_of(station, datetime.fromtimestamp(group.hour * 3600, UTC))
        marks = counts.marks_key_of(station, group.period)
        return 2, hour, marks, self._fields[group.state], counts.RETENTION_SECONDS, self._mark_seconds
