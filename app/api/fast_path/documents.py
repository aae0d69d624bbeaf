"""The third request of the fast path: a check by document of somebody who is warm in Redis.

Whoever is not there, and so whoever is not found, is left to Flask after the same trip: an unknown number and a wrong
name take the same way. Nothing is counted or kept before everything that is needed has been read.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import structlog
from redis import RedisError

from app.api.fast_path.common import Common, RequestHeaders, has_small_json, language_of
from app.api.responses import document_check_response
from app.api.stations.document_checks import DocumentCheckBody
from app.citizens.document_checks import ceilings, checks, identities, trail
from app.citizens.document_checks.checks import Identity
from app.codes.cache.records import CacheRecord, unpack
from app.codes.current_code import CurrentCode
from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN
from app.core.redis_client import Command, together
from app.core.session_tokens import SessionKind, UserSession
from app.stations import alerts, counts, inspector_cache

DOCUMENT_PATH: Final = "/api/v1/checks/document"

log = structlog.get_logger()


class Documents:
    """Answers checks by document."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._body = lru_cache(64)(self._make_body)
        policy = common.services.policy
        self._fields: Mapping[State, str] = {
            state: counts.field_of(state, policy.station(state.name).action) for state in STATES_WITH_TOKEN
        }

    def takes_body(self, headers: RequestHeaders) -> bool:
        return has_small_json(headers)

    async def answer(self, headers: RequestHeaders, body: bytes | None) -> bytes | None:
        """Return the response to a check, or None where Flask has to answer. Raises Problem, RedisError."""
        services, now = self._common.services, self._common.services.clock.now()
        identity = _read_identity(body, now)
        session = self._common.session(headers, SessionKind.INSPECTOR, now) if identity else None
        if session is None or identity is None:
            return None
        found = await self._find(session, identity)
        if found is None:
            return None
        station, serial = found
        read = await self._common.read(services.cache.record_read(serial))
        record = unpack(read[0] if read else b"")
        if record.state not in self._fields or not record.is_fresh(now):
            return None
        if not await self._may_ask(session.subject):
            return None
        entry = trail.make_entry(services.encryption, serial, station, now)
        noted = alerts.commands(serial, now) if alerts.is_noted(record.state) else ()
        await self._common.redis.ask([*trail.commands(services.settings.document_checks, entry), *noted])
        await self._count(station, record.state, now)
        return self._body(record.state, record.rule, language_of(headers), int(now.timestamp()))

    async def _find(self, session: UserSession, identity: Identity) -> tuple[int, int] | None:
        """Return the inspector's station and the person's serial, or None where Flask has to ask the database."""
        cache, key = self._common.services.cache, identities.key_of(identity.fingerprint(self._common.services))
        read_inspector = cache.value_read(inspector_cache.inspector_key(session.subject, session.serial))
        answers = await self._common.read(read_inspector, cache.value_read(key))
        if answers is None:
            return None
        epoch, _, station = (answers[0] or b"").partition(b" ")
        serial = identities.serial_of(answers[1] or b"")
        return (int(station), serial) if serial is not None and epoch == b"%d" % session.epoch else None

    async def _may_ask(self, inspector_id: int) -> bool:
        """Count the look-up; beyond a ceiling Flask refuses it."""
        services = self._common.services
        plain = ceilings.plain_take(services.redis, services.settings.document_checks, inspector_id)
        return plain.is_below(await self._common.redis.ask(plain.commands))

    async def _count(self, station: int, state: State, now: datetime) -> None:
        """Count the check. What has been read is the answer, whether it is counted or not."""
        key = counts.key_of(together(self._common.services.redis, station), now)
        count: list[Command] = [("HINCRBY", key, self._fields[state], 1), ("EXPIRE", key, counts.RETENTION_SECONDS)]
        try:
            await self._common.redis.ask(count)
        except RedisError as error:
            log.warning("check-not-counted", error=type(error).__name__)

    def _make_body(self, state: State, rule: int, language: str, second: int) -> bytes:
        current = CurrentCode(CacheRecord(state, rule, 0, 0, 0, 0))
        result = checks.make_result(self._common.services.policy, current)
        return self._common.json(document_check_response(result, language, datetime.fromtimestamp(second, UTC)))


def _read_identity(body: bytes | None, now: datetime) -> Identity | None:
    """Return what was read of a document; None for a body that Flask has to judge. Raises Problem."""
    try:
        given = DocumentCheckBody.model_validate(json.loads(body or b""))
    except (ValueError, RecursionError):
        return None
    return checks.read_identity(given.type, given.number, given.name, now)
