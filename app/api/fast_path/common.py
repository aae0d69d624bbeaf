"""What all of the fast path has in common: the session of the caller, leased reads of the cache, and JSON."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from app.codes.cache.color_cache import CacheRead
from app.codes.cache.parts import CLUSTER_PARTS, CachePart
from app.core.clock import rfc3339
from app.core.session_tokens import SessionKind, UserSession
from app.runtime import Services
from app.web import best_language
from app.web.server.multiplexed_cluster import MultiplexedCluster
from app.web.server.multiplexed_redis import MultiplexedRedis

HEADERS: Final = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]

MAX_BODY_BYTES: Final = 2048  # bytes; a check is a tenth of it

RequestHeaders = dict[str, str]


class Way(Protocol):
    """Answers the plain requests of one kind. `answer` returns None, or raises, for one that is left to Flask."""

    def takes_body(self, headers: RequestHeaders) -> bool: ...
    async def answer(self, headers: RequestHeaders, body: bytes | None) -> bytes | None: ...


class Common(NamedTuple):
    """The services, the connection of the event loop to Redis, and what writes JSON as Flask does."""

    services: Services
    redis: MultiplexedRedis | MultiplexedCluster
    dumps: Callable[..., str]

    def session(self, headers: RequestHeaders, kind: SessionKind, now: datetime) -> UserSession | None:
        """Return the session in the header, with its epoch still to check. Raises Problem."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self.services.generation.last() is None:  # Flask may wait for the database
            return None
        session = self.services.session_tokens.read(token.strip(), now)
        return session if session.kind is kind else None

    async def read(self, *reads: CacheRead) -> list[Any] | None:
        """Return what is read of the cache in one trip; None unless every part that it is in was leased before.

        All requests of one turn of the loop share the reading of a lease. A record that was right when the lease was
        read, and is replaced before any change is committed, was right during the request.
        """
        cache, redis = self.services.cache, self.redis
        parts, commands = zip(*reads, strict=True)
        leases = []
        for part in set(parts):
            get_lease = _lease_command(part)
            # of the connection that is asked now: another one may be to another server
            prefix = cache.lease_prefix(redis.run_id_of(get_lease[1]))
            leases.append((prefix, redis.share(get_lease)))
        answers = await redis.ask(commands)
        for prefix, asked in leases:
            [lease] = asked.result()
            if not prefix or not lease or not lease.startswith(prefix.encode()):
                return None
        return answers

    def json(self, model: Any) -> bytes:
        """Return JSON as Flask's jsonify writes it."""
        return f"{self.dumps(model.model_dump(mode='json'), separators=(',', ':'))}\n".encode()


def has_small_json(headers: RequestHeaders) -> bool:
    """Return whether the body is small JSON, of known size."""
    length = headers.get("content-length", "")
    is_small = length.isdecimal() and int(length) <= MAX_BODY_BYTES
    return is_small and headers.get("content-type") == "application/json"


@lru_cache(CLUSTER_PARTS)
def _lease_command(part: CachePart) -> tuple[str, str]:
    return "GET", part.lease_key


@lru_cache(4)
def moment(second: int) -> bytes:
    """Return a second from 1970 as responses write it."""
    return rfc3339(datetime.fromtimestamp(second, UTC)).encode()


def language_of(headers: RequestHeaders) -> str:
    return best_language(headers.get("accept-language", ""))
