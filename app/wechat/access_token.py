"""The access token of the mini-program: one for all processes, kept in Redis.

Owns when a token is fetched and how long it is used. It must never fetch while another process does, and never delete
a token that another process has just renewed.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from redis.exceptions import LockError
from wechatpy.session.redisstorage import RedisStorage

from app.core.redis_client import AnyRedis

# WeChat issues a new token only in the last 5 minutes of the old one: a longer margin would return the old one.
_MARGIN_SECONDS: Final = 120
_NAME: Final = "access_token"
_RETRY_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class FetchedToken:
    """A token just fetched from WeChat, and for how many seconds it is valid."""

    text: str = field(repr=False)
    seconds: int


class AccessTokenStore:
    """Returns the shared token, and lets one caller at a time fetch a new one."""

    def __init__(
        self,
        redis: AnyRedis,
        storage: RedisStorage,
        fetch: Callable[[], FetchedToken],
        *,
        lock_seconds: float,
        wait_seconds: float,
    ) -> None:
        self._redis, self._storage, self._fetch = redis, storage, fetch
        self._lock_seconds, self._wait_seconds = lock_seconds, wait_seconds

    def get(self, stale_token: str | None = None) -> str:
        """Return the token, fetched if need be; `stale_token` is one that WeChat has just refused.

        Raises RedisError when Redis is down, or when another process keeps the lock for too long.
        """
        return self._read(stale_token) or self._renew(stale_token)

    def _read(self, stale_token: str | None) -> str | None:
        token: str | None = self._storage.get(_NAME)
        return None if token == stale_token else token

    def _renew(self, stale_token: str | None) -> str:
        lock = self._redis.lock(
            self._storage.key_name(f"{_NAME}:lock"),
            timeout=self._lock_seconds,
            blocking_timeout=self._wait_seconds,
            sleep=_RETRY_SECONDS,
        )
        if not lock.acquire():
            raise LockError("another process is fetching the access token")
        try:
            return self._read(stale_token) or self._fetch_and_store()  # another process may have been faster
        finally:
            with suppress(LockError):  # it expired meanwhile; the token is valid all the same
                lock.release()

    def _fetch_and_store(self) -> str:
        self._storage.delete(_NAME)  # missing, or still the refused one
        fetched = self._fetch()
        seconds = max(fetched.seconds - _MARGIN_SECONDS, fetched.seconds // 2, 1)
        self._storage.set(_NAME, fetched.text, seconds)
        return fetched.text
