"""Rate limits on the doors that can be guessed at or flooded, counted in Redis.

When Redis is out of reach each process counts for itself: a limit that is looser for a while, never a closed door.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from redis import RedisError

from app.core.settings import RateLimitSettings, Settings
from app.web import current_officer, current_session, get_services

limiter = Limiter(key_func=get_remote_address, strategy="moving-window")


def init_app(app: Flask, settings: Settings) -> None:
    """Count in the Redis of the settings."""
    timeout = settings.redis.timeout_seconds
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage_uri(settings.redis.url),
        RATELIMIT_STORAGE_OPTIONS={"socket_timeout": timeout, "socket_connect_timeout": timeout},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_SWALLOW_ERRORS=True,  # Redis may go between the look at a counter and the count
        RATELIMIT_KEY_PREFIX="jx",
    )
    limiter.init_app(app)


def from_settings(read: Callable[[RateLimitSettings], str]) -> Callable[[], str]:
    """The limit that a setting holds, read when a request comes."""
    return lambda: read(get_services().settings.limits)


def limit_logins(view: Callable[..., Any]) -> Callable[..., Any]:
    """Close a log-in by password to those who guess. Only wrong log-ins count, so that nobody uses up another's.

    Who tries many accounts is stopped by address, who tries one account by both; who has many addresses, by account.
    """
    for limit, key in (
        (from_settings(lambda limits: limits.login), get_remote_address),
        (from_settings(lambda limits: limits.login_per_account), _per_username_and_address),
        (from_settings(lambda limits: limits.login_per_account_global), per_username),
    ):
        view = limiter.limit(limit, key_func=key, deduct_when=_wrong)(view)
    return view


def limit_officer_password(view: Callable[..., Any]) -> Callable[..., Any]:
    """Close a form that asks an officer for their password to whoever sits at an open console and guesses."""
    limit = from_settings(lambda limits: limits.login_per_account)
    return limiter.limit(limit, key_func=lambda: f"officer:{current_officer().id}", deduct_when=_wrong)(view)


def _wrong(response: Response) -> bool:
    return response.status_code == 401


def _per_username_and_address() -> str:
    return f"{per_username()}@{get_remote_address()}"


def per_session() -> str:
    """Attempts of one caller, whatever their address: WeChat user, inspector, or the account behind a password."""
    caller = current_session()
    return f"user:{caller.subject}" if caller.subject else f"code:{caller.serial}"


def per_username() -> str:
    """Attempts at one account, wherever they come from; the name itself does not get into Redis."""
    body = request.get_json(silent=True) if request.is_json else request.form
    name = body.get("username") if isinstance(body, dict) else None
    normal = name.strip().lower()[:64] if isinstance(name, str) else ""
    return "account:" + get_services().encryption.fingerprint("username", normal).hex()


def retry_after() -> int:
    """Seconds until the limit that this request has reached lets another one through."""
    reached = limiter.current_limit
    with suppress(RedisError):
        if reached is not None:
            return max(1, reached.reset_at - int(time.time()))  # limits count in real time, whatever our clock says
    return 60


def _storage_uri(url: str) -> str:
    """The address in the spelling of the limits library, which calls a Unix socket `redis+unix`."""
    return "redis+" + url if url.startswith("unix://") else url
