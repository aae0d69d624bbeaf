"""The color cache in rounds: it is filled after it was emptied, and compared with the database part by part."""

from typing import Final

import structlog
from redis import RedisError

from app.codes.cache import loading
from app.codes.cache.records import WARM_KEY
from app.core.metrics import CACHE_RECORDS_REPAIRED
from app.runtime import Services

log = structlog.get_logger()

STRINGS_EACH_TIME: Final = 50  # of 4,092 codes: a province in twenty minutes
_SECONDS_EACH_TIME: Final = 10


def keep_cache(services: Services) -> None:
    """Fill a cache that was emptied, or compare the next strings of a full one and repair what differs."""
    try:
        generation = services.cache.generation()
        if services.redis.get(WARM_KEY) != generation.encode():
            codes = 0
            for progress in loading.load_cache(services.cache, services.sessions, services.policy):
                codes = progress.codes
            services.redis.set(WARM_KEY, generation)
            log.info("cache-warmed", codes=codes)
        else:
            _compare_next(services)
    except RedisError as error:
        log.warning("cache-unreachable", error=type(error).__name__)


def _compare_next(services: Services) -> None:
    """Compare the strings whose turn it is by the clock, so that any worker continues the round."""
    numbers = services.cache.blocks()
    parts = max(1, -(-len(numbers) // STRINGS_EACH_TIME))
    turn = int(services.clock.now().timestamp()) // _SECONDS_EACH_TIME
    for number in numbers[turn % parts :: parts]:
        differing = loading.verify_block(services.cache, services.sessions, services.policy, number)
        if differing:
            loading.repair_cache(services.cache, services.sessions, services.policy, differing)
            CACHE_RECORDS_REPAIRED.inc(len(differing))
            log.error("cache-records-differed", codes=len(differing))
