"""Checks of codes that are fresh in the cache: a token is recognised, and the check is counted."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from app.api.fast_path.common import Common, RequestHeaders, has_small_json, language_of
from app.api.fast_path.counting import CheckCounter, CheckGroup
from app.api.responses import check_response
from app.codes.cache.color_cache import CacheRead
from app.codes.cache.records import CacheRecord, unpack
from app.codes.current_code import CurrentCode
from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN, trim
from app.core.session_tokens import SessionKind
from app.stations import alerts, checks, counts, inspector_cache

CHECK_PATH: Final = "/api/v1/checks"
# nothing in a token needs an escape; a scanner may have added the end of its line
_SIMPLE_BODY: Final = re.compile(rb'\{"token": ?"([0-9A-Z $%*+./:-]+)(?:\\[rnt])*"\}')
_SESSIONS: Final = 10_000  # of inspectors, whose keys a process keeps


class Checks:
    """Answers checks."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._counter = CheckCounter(common)
        self._body = lru_cache(64)(self._make_body)
        self._inspector_read = lru_cache(_SESSIONS)(self._make_inspector_read)

    def takes_body(self, headers: RequestHeaders) -> bool:
        return has_small_json(headers)

    async def answer(self, headers: RequestHeaders, body: bytes | None) -> bytes | None:
        """Return the response to a check, or None where Flask has to answer.

        Raises Problem, TokenRefused, RedisError.
        """
        services = self._common.services
        now, token = services.clock.now(), _token(body)
        session = self._common.session(headers, SessionKind.INSPECTOR, now) if token else None
        if session is None or token is None:
            return None
        recognised = services.tokens.recognise(token, now)
        answers = await self._common.read(
            self._inspector_read(session.subject, session.serial), services.cache.record_read(recognised.serial)
        )
        if answers is None:
            return None
        epoch, _, station = (answers[0] or b"").partition(b" ")
        record = unpack(answers[1])
        if epoch != b"%d" % session.epoch:
            return None
        if record.state not in STATES_WITH_TOKEN or not record.is_fresh(now):
            return None
        second = int(now.timestamp())
        group = CheckGroup(station, counts.period_of(recognised.issued), second // 3600, record.state)
        # sent with the count; where it fails Flask notes the check, and counts the token no second time
        is_noted = alerts.is_noted(record.state)
        noted = self._common.redis.ask(alerts.commands(recognised.serial, now)) if is_noted else None
        await self._counter.count(group, recognised.number)
        if noted is not None:
            await noted
        return self._body(record.state, language_of(headers), second)

    def _make_body(self, state: State, language: str, second: int) -> bytes:
        current = CurrentCode(CacheRecord(state, 0, 0, 0, 0, 0))
        check = checks.make_check(self._common.services.policy, current)
        return self._common.json(check_response(check, language, datetime.fromtimestamp(second, UTC)))

    def _make_inspector_read(self, inspector: int, session: int) -> CacheRead:
        return self._common.services.cache.value_read(inspector_cache.inspector_key(inspector, session))


def _token(body: bytes | None) -> str | None:
    """Return the token in the body of a check; None for any unusual body."""
    plain = None if body is None else _SIMPLE_BODY.fullmatch(body)
    return None if plain is None else trim(plain[1].decode())
