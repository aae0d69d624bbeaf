"""The access token of the mini-program: one for all processes, kept in Redis.

Owns when a token is fetched and how long it is believed. It must never fetch while another process
does, and never throw away a token that somebody has just renewed.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import redis
from redis.exceptions import LockError
from wechatpy.session.redisstorage import RedisStorage

# WeChat hands out a new token only in the last 5 minutes of the old one: a longer margin would
# bring the old one back.
_MARGIN_SECONDS: Final = 120
_NAME: Final = "access_token"
_RETRY_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class FetchedToken:
    """A token fresh from WeChat and the seconds for which it holds."""

    text: str = field(repr=False)
    seconds: int


class AccessTokenStore:
    """Answers with the shared token, and lets one caller at a time fetch a new one."""

    def __init__(
        self,
        redis: redis.Redis,
        storage: RedisStorage,
        fetch: Callable[[], FetchedToken],
        *,
        lock_seconds: float,
        wait_seconds: float,
    ) -> None:
        self._redis, self._storage, self._fetch = redis, storage, fetch
        self._lock_seconds, self._wait_seconds = lock_seconds, wait_seconds

    def get(self, stale_token: str | None = None) -> str:
        """The token, fetched if need be; `instead_of` is one that WeChat has just refused.

        Raises RedisError when Redis is down, or when another process holds the lock for too long.
        """
        return self._kept(stale_token) or self._renewed(stale_token)

    def _kept(self, stale_token: str | None) -> str | None:
        token: str | None = self._storage.get(_NAME)
        return None if token == stale_token else token

    def _renewed(self, stale_token: str | None) -> str:
        lock = self._redis.lock(
            self._storage.key_name(f"{_NAME}:lock"),
            timeout=self._lock_seconds,
            blocking_timeout=self._wait_seconds,
            sleep=_RETRY_SECONDS,
        )
        if not lock.acquire():
            raise LockError("another process is fetching the access token")
        try:
            return self._kept(stale_token) or self._stored()  # the second look: somebody was faster
        finally:
            with suppress(LockError):  # it ended by itself; the token is good all the same
                lock.release()

    def _stored(self) -> str:
        self._storage.delete(_NAME)  # it is missing, or still the refused one
        fetched = self._fetch()
        seconds = max(fetched.seconds - _MARGIN_SECONDS, fetched.seconds // 2, 1)
        self._storage.set(_NAME, fetched.text, seconds)
        return fetched.text
