"""Shows of green codes: a token is minted, and put into a response that is ready but for moments."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from app.api.fast_path.common import Common, RequestHeaders, language_of, moment
from app.api.responses import code_response
from app.codes import display
from app.codes.cache.records import NEVER, CacheRecord, unpack
from app.codes.states import State
from app.core.session_tokens import SessionKind

SHOW_PATH: Final = "/api/v1/code"
_PLACEHOLDERS: Final = (60, 120, 180)  # seconds from 1970 in place of moments in a template: since, until, as of


class Shows:
    """Answers shows."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._template = lru_cache(64)(self._make_template)

    def takes_body(self, headers: RequestHeaders) -> bool:
        """A show has none."""
        return False

    async def answer(self, headers: RequestHeaders, body: bytes | None) -> bytes | None:
        """Return the response to a show, or None where Flask has to answer. Raises Problem, RedisError."""
        services = self._common.services
        now = services.clock.now()
        session = self._common.session(headers, SessionKind.CITIZEN, now)
        if session is None or not session.serial:
            return None
        answers = await self._common.read(services.cache.record_read(session.serial))
        if answers is None:
            return None
        record = unpack(answers[0])
        if record.epoch != session.epoch:
            return None
        if record.state != State.GREEN or not record.is_fresh(now):
            return None
        template = self._template(record.rule, record.until is None, language_of(headers))
        token = services.tokens.mint(session.serial, record.state, now).encode()
        return template % {
            b"since": _minute(record.since_minute),
            b"until": _minute(record.until_minute),
            b"token": token,
            b"as_of": moment(int(now.timestamp())),
        }

    def _make_template(self, rule: int, endless: bool, language: str) -> bytes:
        """Return the response with gaps for the moments and for the token, which needs no escaping in JSON."""
        since, until, as_of = _PLACEHOLDERS
        services = self._common.services
        record = CacheRecord(State.GREEN, rule, 0, 0, since // 60, NEVER if endless else until // 60)
        shown = display.green_from_cache(services.policy, record, token="\0")  # noqa: S106 - a placeholder
        whole = self._common.json(code_response(services, shown, language, datetime.fromtimestamp(as_of, UTC)))
        whole = whole.replace(b"%", b"%%").replace(b"\\u0000", b"%(token)s").replace(moment(as_of), b"%(as_of)s")
        return whole.replace(moment(since), b"%(since)s").replace(moment(until), b"%(until)s")


@lru_cache(20_000)
def _minute(minute: int) -> bytes:
    return moment(minute * 60)
