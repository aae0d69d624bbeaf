"""The color cache in rounds: it is filled after it was emptied, and compared with the database part by part."""

from collections.abc import Mapping
from typing import Final

import structlog
from redis import RedisError

from app.codes.cache import loading
from app.codes.cache.color_cache import ColorCache
from app.codes.cache.parts import CachePart
from app.core.metrics import CACHE_RECORDS_REPAIRED
from app.runtime import Services

log = structlog.get_logger()

STRINGS_EACH_TIME: Final = 50  # of 4,092 codes: a province in twenty minutes
_SECONDS_EACH_TIME: Final = 10


def keep_cache(services: Services) -> None:
    """Fill what was emptied of the cache, or compare the next strings of a full one and repair what differs."""
    try:
        if cold := _find_cold(services.cache):
            _warm(services, cold)
        else:
            _compare_next(services)
    except RedisError as error:
        log.warning("cache-unreachable", error=type(error).__name__)


def _find_cold(cache: ColorCache) -> dict[CachePart, str]:
    """Return the parts that were not filled since they were emptied, with their generations."""
    told = cache.connections.ask_each(
        {part: [("GET", part.generation_key), ("GET", part.warm_key)] for part in cache.parts}
    )
    generations = {part: (generation or b"", warm) for part, ((generation, warm), _) in told.items()}
    return {part: generation.decode() for part, (generation, warm) in generations.items() if generation != warm}


def _warm(services: Services, cold: Mapping[CachePart, str]) -> None:
    codes = 0
    for progress in loading.load_cache(services.cache, services.sessions, services.policy, cold):
        codes = progress.codes
    services.cache.connections.ask_each(
        {part: [("SET", part.warm_key, generation)] for part, generation in cold.items()}
    )
    log.info("cache-warmed", codes=codes)


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
