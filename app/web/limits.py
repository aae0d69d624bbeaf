"""Rate limits on endpoints that can be guessed at or flooded, counted in Redis.

When Redis is unreachable each process counts for itself: the limits are looser for a while, but nobody is locked out.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from redis import RedisError

from app.core import redis_client
from app.core.identity.spelling import fold_username
from app.core.settings import RateLimitSettings, Settings
from app.web import current_officer, current_session, get_services

limiter = Limiter(key_func=get_remote_address, strategy="moving-window")


def init_app(app: Flask, settings: Settings) -> None:
    """Count in the Redis of the settings."""
    pool = redis_client.make_pool(settings.redis.url, settings.redis.timeout_seconds)
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage_uri(settings.redis.url),
        RATELIMIT_STORAGE_OPTIONS={"connection_pool": pool},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_SWALLOW_ERRORS=True,  # Redis may become unreachable between reading a counter and counting
        RATELIMIT_KEY_PREFIX="jx",
    )
    limiter.init_app(app)


def from_settings(read: Callable[[RateLimitSettings], str]) -> Callable[[], str]:
    """Return a function that reads a limit from the settings at each request."""
    return lambda: read(get_services().settings.limits)


def limit_logins(view: Callable[..., Any]) -> Callable[..., Any]:
    """Limit guessing at a log-in by password. Only wrong log-ins count, so that nobody uses up another user's limit.

    The three limits stop many accounts tried from one address, one account from one address, and one account from many.
    """
    for limit, key in (
        (from_settings(lambda limits: limits.login), get_remote_address),
        (from_settings(lambda limits: limits.login_per_account), _per_username_and_address),
        (from_settings(lambda limits: limits.login_per_account_global), per_username),
    ):
        view = limiter.limit(limit, key_func=key, deduct_when=_wrong)(view)
    return view


def limit_officer_password(view: Callable[..., Any]) -> Callable[..., Any]:
    """Limit guessing at an officer's password by somebody else at an unattended console."""
    limit = from_settings(lambda limits: limits.login_per_account)
    return limiter.limit(limit, key_func=lambda: f"officer:{current_officer().id}", deduct_when=_wrong)(view)


def _wrong(response: Response) -> bool:
    return response.status_code == 401


def _per_username_and_address() -> str:
    return f"{per_username()}@{get_remote_address()}"


def per_session() -> str:
    """Return the key of a caller, independent of their address: WeChat user, inspector, or account."""
    caller = current_session()
    return f"user:{caller.subject}" if caller.subject else f"code:{caller.serial}"


def per_username() -> str:
    """Return the key of an account, independent of the address; the name itself is not stored in Redis."""
    body = request.get_json(silent=True) if request.is_json else request.form
    name = body.get("username") if isinstance(body, dict) else None
    normal = fold_username(name)[:64] if isinstance(name, str) else ""
    return "account:" + get_services().encryption.fingerprint("username", normal).hex()


def retry_after() -> int:
    """Return the seconds until the limit that this request has reached admits another one."""
    reached = limiter.current_limit
    with suppress(RedisError):
        if reached is not None:
            return max(1, reached.reset_at - int(time.time()))  # limits count in real time, not by a shifted clock
    return 60


def _storage_uri(url: str) -> str:
    """Return the address as the limits library spells it: `redis+unix` for a Unix socket."""
    return "redis+" + url if url.startswith("unix://") else url
