"""What WeChat and the national platform answered last, kept in Redis for whoever asks whether they are well.

Only for looking at: nothing is decided by it, and nobody waits for it.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, cast

import structlog
from redis import Redis, RedisError

log = structlog.get_logger()


class Upstream(StrEnum):
    WECHAT = "wechat"
    PLATFORM = "platform"


class UpstreamStatus(NamedTuple):
    """When a part answered last, and when it did not, with the reason, a word of ours; None where it never happened."""

    answered_at: datetime | None
    failed_at: datetime | None
    reason: str | None

    @property
    def failing(self) -> bool:
        """Whether the last that was heard of it was a failure."""
        return self.failed_at is not None and (self.answered_at is None or self.answered_at < self.failed_at)


def record_success(redis: Redis, upstream: Upstream, now: datetime) -> None:
    """Note that a part has answered, be it with a no."""
    _write(redis, upstream, "answered", now.isoformat())


def record_failure(redis: Redis, upstream: Upstream, reason: str, now: datetime) -> None:
    """Note that a part could not be asked, or did not answer."""
    _write(redis, upstream, "failed", now.isoformat(), "reason", reason)


def read_status(redis: Redis, upstream: Upstream) -> UpstreamStatus:
    """What was heard of a part last. Raises redis.RedisError when Redis cannot be asked."""
    found = cast(dict[bytes, bytes], redis.hgetall(_key(upstream)))
    words = {name.decode(): value.decode() for name, value in found.items()}
    return UpstreamStatus(_moment(words.get("answered")), _moment(words.get("failed")), words.get("reason"))


def _write(redis: Redis, upstream: Upstream, *names_and_words: str) -> None:
    try:
        redis.hset(_key(upstream), items=list(names_and_words))
    except RedisError as error:
        log.warning("upstream-status-not-recorded", part=upstream, error=type(error).__name__)


def _key(upstream: Upstream) -> str:
    return f"jx:outside:{upstream}"


def _moment(words: str | None) -> datetime | None:
    return None if words is None else datetime.fromisoformat(words)
