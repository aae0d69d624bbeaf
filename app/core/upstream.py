"""The status of the systems that this one calls, and the circuit breaker before all of them but the mini-program.

The status is for display alone: nothing is decided by it, and nothing waits for it. While the circuit is open nobody
calls the partner, in any process; without Redis it is closed.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, cast

import structlog
from redis import RedisError

from app.core.metrics import CIRCUIT_OPENED
from app.core.redis_client import AnyRedis

log = structlog.get_logger()


class Upstream(StrEnum):
    """The systems that this one calls."""

    WECHAT = "wechat"
    PLATFORM = "platform"
    SMS = "sms"
    OFFICIAL_ACCOUNT = "official-account"


class UpstreamStatus(NamedTuple):
    """When an upstream answered last, and when it failed, with the reason as a slug; None for never."""

    answered_at: datetime | None
    failed_at: datetime | None
    reason: str | None

    @property
    def failing(self) -> bool:
        """Return whether the last event was a failure."""
        return self.failed_at is not None and (self.answered_at is None or self.answered_at < self.failed_at)


def record_success(redis: AnyRedis, upstream: Upstream, now: datetime) -> None:
    """Record that an upstream has answered, also with a refusal."""
    _write(redis, upstream, "answered", now.isoformat())


def record_failure(redis: AnyRedis, upstream: Upstream, reason: str, now: datetime) -> None:
    """Record that an upstream could not be reached, or did not answer."""
    _write(redis, upstream, "failed", now.isoformat(), "reason", reason)


def read_status(redis: AnyRedis, upstream: Upstream) -> UpstreamStatus:
    """Return the status of an upstream. Raises redis.RedisError when Redis does not answer."""
    hash_ = cast(dict[bytes, bytes], redis.hgetall(_key(upstream)))
    fields = {name.decode(): value.decode() for name, value in hash_.items()}
    return UpstreamStatus(_moment(fields.get("answered")), _moment(fields.get("failed")), fields.get("reason"))


def is_circuit_open(redis: AnyRedis, upstream: Upstream) -> bool:
    """Return whether an upstream is not to be called now."""
    try:
        return bool(redis.exists(_circuit_key(upstream)))
    except RedisError:
        return False


def open_circuit(redis: AnyRedis, upstream: Upstream, seconds: int) -> None:
    """Stop all calls to an upstream that just failed, so that nothing piles up waiting for timeouts."""
    CIRCUIT_OPENED.labels(upstream).inc()
    try:
        redis.set(_circuit_key(upstream), 1, ex=seconds)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)


def _write(redis: AnyRedis, upstream: Upstream, *names_and_values: str) -> None:
    try:
        redis.hset(_key(upstream), items=list(names_and_values))
    except RedisError as error:
        log.warning("upstream-status-not-recorded", part=upstream, error=type(error).__name__)


def _key(upstream: Upstream) -> str:
    return f"jx:outside:{upstream}"


def _circuit_key(upstream: Upstream) -> str:
    return f"jx:{upstream}-pause"


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
