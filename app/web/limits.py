"""Rate limits on endpoints that can be guessed at or flooded, counted in Redis.

When Redis is unreachable each process counts for itself: the limits are looser for a while, but nobody is locked out.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from ipaddress import IPv4Address, IPv6Network, ip_address
from math import ceil
from typing import Any, Final

from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from redis import RedisError

from app.citizens.documents import normalize, parse_document_type
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.core.identity.spelling import fold_username
from app.core.settings import RateLimitSettings
from app.runtime import Services
from app.web import current_officer, current_session, get_services, limit_storage, login_delays
from app.web.login_delays import Counter

_MOST_OF_STRANGERS: Final = "50 per hour"  # in production; with known devices below 100 in any hour (ASVS 2.2.1)
_MOST_FROM_ONE: Final = "20 per hour"
_NAT64: Final = IPv6Network("64:ff9b::/96")  # a translator's: the last four bytes are the caller's IPv4 address


def _default_key() -> str:
    return client_network()


limiter = Limiter(key_func=_default_key, strategy="moving-window")


def init_app(app: Flask, services: Services) -> None:
    """Count in the Redis of the services."""
    uri, options = limit_storage.describe(services.settings.redis, services.redis)
    app.config.update(
        RATELIMIT_STORAGE_URI=uri,
        RATELIMIT_STORAGE_OPTIONS=options,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_SWALLOW_ERRORS=True,  # Redis may become unreachable between reading a counter and counting
        RATELIMIT_KEY_PREFIX="jx",
    )
    limiter.init_app(app)


def from_settings(read: Callable[[RateLimitSettings], str]) -> Callable[[], str]:
    """Return a function that reads a limit from the settings at each request."""
    return lambda: read(get_services().settings.limits)


def limit_logins(
    kind: str, knows_device: Callable[[str], bool], on_stopped: Callable[[], None] = lambda: None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Slow down guessing at log-ins by password of one kind of user. Only wrong log-ins count.

    An address waits after many wrong ones at any accounts; a stranger waits for this account, the longer the more wrong
    ones there were from their address, and from all; a device known to the account waits for known devices alone.
    `on_stopped` is called before a log-in is refused because it has to wait.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def slowed(*args: Any, **kwargs: Any) -> Any:
            services, counters = get_services(), _login_counters(kind, knows_device)
            wait = login_delays.reserve(services.redis, counters, services.real_clock.now().timestamp())
            if wait > 0:
                on_stopped()
                raise Problem("too-many-requests", retry_after=ceil(wait))
            wrong = False
            try:
                answer = view(*args, **kwargs)
                wrong = _wrong(answer)
                return answer
            except Problem as problem:
                wrong = problem.slug == "wrong-credentials"
                raise
            finally:
                if not wrong:
                    login_delays.give_back(services.redis, counters)

        limit = from_settings(lambda limits: limits.login)
        return limiter.limit(limit, key_func=client_network, deduct_when=_wrong, on_breach=lambda _limit: on_stopped())(
            slowed
        )

    return decorate


def end_login_delay(username: str) -> None:
    """End the waiting of a citizen after wrong log-ins: that of strangers, and that of devices they had used.

    Who tried from another address still waits there, for minutes.
    """
    account = login_fingerprint("citizen", fold_username(username)).hex()
    login_delays.forget(get_services().redis, [f"{{{account}}}:known", f"{{{account}}}:strangers"])


def _login_counters(kind: str, knows_device: Callable[[str], bool]) -> list[Counter]:
    """Return the counters of a log-in; their keys contain neither name nor address."""
    services, name = get_services(), entered_username()
    limits, bound = services.settings.limits, _is_bounded()
    account = login_fingerprint(kind, name).hex()
    one = login_delays.longest_delay(limits.login_per_account, _MOST_FROM_ONE if bound else None)
    if knows_device(name):
        return [Counter(f"{{{account}}}:known", one)]
    everybody = login_delays.longest_delay(limits.login_per_account_global, _MOST_OF_STRANGERS if bound else None)
    there = services.encryption.fingerprint("login-network", f"{account}@{client_network()}").hex()
    return [Counter(f"{{{account}}}:strangers", everybody), Counter(f"{{{account}}}:{there}", one)]


def limit_officer_password(view: Callable[..., Any]) -> Callable[..., Any]:
    """Limit guessing at an officer's password by somebody else at an unattended console."""
    return _limit_guessing(view, lambda: f"officer:{current_officer().id}")


def limit_own_password(view: Callable[..., Any]) -> Callable[..., Any]:
    """Limit guessing at a citizen's password by somebody else at their unlocked phone."""
    return _limit_guessing(view, lambda: f"password:{current_session().serial}")


def _limit_guessing(view: Callable[..., Any], key: Callable[[], str]) -> Callable[..., Any]:
    """Limit wrong passwords by a key as the settings say, and in production as log-ins from one address are."""
    most = limiter.limit(
        _MOST_FROM_ONE, key_func=lambda: f"most:{key()}", deduct_when=_wrong, exempt_when=lambda: not _is_bounded()
    )
    return limiter.limit(from_settings(lambda limits: limits.login_per_account), key_func=key, deduct_when=_wrong)(
        most(view)
    )


def limit_mismatches(view: Callable[..., Any]) -> Callable[..., Any]:
    """Limit registrations that the platform contradicts: by them a name, a number and a phone could be tried out.

    Of one caller, and at one document number; whose phone WeChat gives tries out no phones, and is not kept out by
    others at their number.
    """

    def limit(key: Callable[[], str], **more: Any) -> Any:
        rate = from_settings(lambda limits: limits.identity_mismatches)
        return limiter.limit(rate, key_func=key, deduct_when=lambda _answer: "is_mismatch" in g, **more)

    at_number = limit(_entered_document, exempt_when=_is_phone_of_wechat)(view)
    return limit(per_session)(at_number)  # type: ignore[no-any-return]


def limit_own_mismatches(view: Callable[..., Any]) -> Callable[..., Any]:
    """Limit names that the platform contradicts, of a citizen who corrects their own."""
    rate = from_settings(lambda limits: limits.identity_mismatches)
    return limiter.limit(
        rate, key_func=lambda: f"name:{current_session().serial}", deduct_when=lambda _answer: "is_mismatch" in g
    )(view)


def note_mismatch() -> None:
    """Have this request count as a mismatch."""
    g.is_mismatch = True


def _entered_document() -> str:
    """Return the keyed hash of the document of a registration; what is none has the key of the caller."""
    body = request.get_json(silent=True)
    document = body.get("document") if isinstance(body, dict) else None
    type_, number = (document.get(name) for name in ("type", "number")) if isinstance(document, dict) else ("", "")
    services = get_services()
    try:
        kind = parse_document_type(str(type_))
        normal = normalize(kind, str(number), services.clock.now().astimezone(BEIJING).date())
    except Problem:
        return per_session()
    return "document:" + services.encryption.fingerprint("mismatch", f"{kind}:{normal}").hex()


def _is_phone_of_wechat() -> bool:
    body = request.get_json(silent=True)
    return isinstance(body, dict) and bool(body.get("phone_code"))


def _is_bounded() -> bool:
    return get_services().settings.environment == "production"


def _wrong(response: Response) -> bool:
    return response.status_code == 401


def per_session() -> str:
    """Return the key of a caller, independent of their address: WeChat user, inspector, or account."""
    caller = current_session()
    return f"user:{caller.subject}" if caller.subject else f"code:{caller.serial}"


def per_code() -> str:
    """Return the key of a registered caller: the same for every WeChat user who is bound to the account."""
    return f"code:{current_session().serial}"


def entered_username() -> str:
    """Return the user name of a log-in, folded and cut."""
    body = request.get_json(silent=True) if request.is_json else request.form
    name = body.get("username") if isinstance(body, dict) else None
    return fold_username(name)[:64] if isinstance(name, str) else ""


def login_fingerprint(kind: str, username: str) -> bytes:
    """Return the keyed hash of an account, by its folded user name: the name itself is stored nowhere in Redis."""
    return get_services().encryption.fingerprint("username", f"{kind}:{username}")


def client_network() -> str:
    """Return the caller's network as a key: an IPv4 address, or the /64 of an IPv6 one, which is one connection.

    It is a keyed hash: addresses are stored nowhere.
    """
    return "network:" + get_services().encryption.fingerprint("network", network_of(get_remote_address())).hex()[:32]


def network_of(address: str) -> str:
    """Return an IPv4 address, also one that is mapped into IPv6, or the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    mapped = parsed.ipv4_mapped or (IPv4Address(int(parsed) & 0xFFFFFFFF) if parsed in _NAT64 else None)
    return str(mapped) if mapped else str(IPv6Network((int(parsed) >> 64 << 64, 64)))


def retry_after() -> int:
    """Return the seconds until the limit that this request has reached admits another one."""
    reached = limiter.current_limit
    with suppress(RedisError):
        if reached is not None:
            return max(1, reached.reset_at - int(time.time()))  # limits count in real time, not by a shifted clock
    return 60
