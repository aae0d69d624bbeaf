"""Forms whose officer's session ended while they were filled in: kept for minutes, until the next log-in.

One form for an officer, encrypted and bound to them, in Redis alone; nothing of it is in an address, a page or a log.
While Redis is away no form is kept.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from redis import RedisError

from app.runtime import Services

KEPT_FOR: Final = timedelta(minutes=15)


def keep(services: Services, officer_id: int, path: str, fields: Mapping[str, str]) -> bool:
    """Keep a form for its page; return whether it is kept."""
    content = json.dumps({"path": path, "fields": dict(fields)})
    with suppress(RedisError):
        services.redis.set(_key(officer_id), services.encryption.encrypt(_column(officer_id), content), ex=KEPT_FOR)
        return True
    return False


def find_path(services: Services, officer_id: int) -> str | None:
    """Return the path of the page whose form is kept for an officer, or None."""
    with suppress(RedisError):
        found = _read(services, officer_id, services.redis.get(_key(officer_id)))
        return None if found is None else found[0]
    return None


def take(services: Services, officer_id: int, path: str) -> dict[str, str] | None:
    """Return the fields kept for a page, once; None where there are none."""
    with suppress(RedisError):
        found = _read(services, officer_id, services.redis.get(_key(officer_id)))
        services.redis.delete(_key(officer_id))
        return None if found is None or found[0] != path else found[1]
    return None


def _read(services: Services, officer_id: int, ciphertext: Any) -> tuple[str, dict[str, str]] | None:
    if not isinstance(ciphertext, bytes):
        return None
    try:
        content = json.loads(services.encryption.decrypt(_column(officer_id), ciphertext))
    except ValueError:  # of another key
        return None
    return content["path"], content["fields"]


def _key(officer_id: int) -> str:
    return f"jx:console:form:{officer_id}"


def _column(officer_id: int) -> str:
    return f"console.form.{officer_id}"
