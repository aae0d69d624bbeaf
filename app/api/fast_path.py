"""The fast path: showing a code, checking one, and checking a document, answered by the event loop.

It answers only the common case: a valid session, a fresh cache record, Redis reachable, and to show, a green code.
Everything else passes to Flask unchanged; nothing is refused here except under overload
(`web/server/load_shedding.py`). Both paths use the same functions, and a test compares their responses byte for byte.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import structlog
from flask import Flask
from redis import RedisError

from app.api.document_path import DOCUMENT_PATH, Documents
from app.api.responses import check_response, code_response
from app.codes import display
from app.codes.cache.records import NEVER, CacheRead, CacheRecord, unpack
from app.codes.current_code import CurrentCode
from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN, RecognisedToken, TokenRefused, trim
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.core.metrics import http_requests
from app.core.redis_client import together
from app.core.session_tokens import SessionKind, UserSession
from app.runtime import Services
from app.stations import checks, counts, inspector_cache
from app.web import best_language
from app.web.security_headers import security_headers
from app.web.server.flask_side import FlaskSide, refuse_cut_off
from app.web.server.load_shedding import (
    FAST_PATH_CONCURRENCY,
    FAST_PATH_WAITING,
    BusyAnswer,
    BusyPage,
    ConcurrencyLimiter,
    priority_of,
    shed,
)
from app.web.server.multiplexed_cluster import multiplexed
from app.web.server.rsgi import Answering, HttpProtocol, ProtocolClosed, Request, Scope, plain_headers

MAX_BODY_BYTES: Final = 2048  # bytes; a check is a tenth of it
_HEADERS: Final = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
SHOW_PATH, CHECK_PATH = "/api/v1/code", "/api/v1/checks"
_NONE: Final = ("", None)  # no method
_PLACEHOLDERS: Final = (60, 120, 180)  # seconds from 1970 in place of moments in a template: since, until, as of
# nothing in a token needs an escape; a scanner may have added the end of its line
_SIMPLE_BODY: Final = re.compile(rb'\{"token": ?"([0-9A-Z $%*+./:-]+)(?:\\[rnt])*"\}')

log = structlog.get_logger()

_Headers = dict[str, str]
_Handler = Callable[[_Headers, bytes | None], Awaitable[bytes | None]]


class FastPath:
    """The application that the web server calls: an RSGI application in front of Flask.

    `rest` answers everything but the common case; `busy_page` is shown to people under overload.
    """

    def __init__(self, app: Flask, services: Services, busy_page: BusyPage | None = None) -> None:
        secure = list(security_headers(services.settings.environment).items())
        self._headers = [*_HEADERS, *secure]
        self._busy = BusyAnswer(secure, busy_page)
        self._flask = FlaskSide(app.wsgi_app, services.settings.web.max_concurrency, self._busy)
        self.rest: Answering = self._flask
        self._limiter = ConcurrencyLimiter(FAST_PATH_CONCURRENCY, FAST_PATH_WAITING)
        self.services = services
        self._dumps = app.json.dumps
        self.redis = multiplexed(services.redis, services.settings.redis)
        self._handlers: dict[str, tuple[str, _Handler]] = {
            SHOW_PATH: ("GET", self._show),
            CHECK_PATH: ("POST", self._check),
            DOCUMENT_PATH: ("POST", Documents(self).answer),
        }
        self._answered = {path: http_requests(method, path, 200) for path, (method, _) in self._handlers.items()}
        self._fields = {
            state: counts.field_of(state, services.policy.station(state.name).action) for state in STATES_WITH_TOKEN
        }
        self._mark_seconds = counts.mark_seconds(services.settings.tokens)
        self._check_body = lru_cache(64)(self._make_check_body)
        self._show_template = lru_cache(64)(self._make_show_template)

    # --- what the web server calls ----------------------------------------------------------------------------------

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, before the loop runs."""
        self.redis.start(loop)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End, after the last request."""
        loop.run_until_complete(self.close())

    async def close(self) -> None:
        """Begin no other request, and end the connection to Redis."""
        self._flask.close()
        await self.redis.close()

    async def __rsgi__(self, scope: Scope, protocol: HttpProtocol) -> None:
        """Answer a request."""
        request = Request(scope, protocol, time.perf_counter())
        path = scope.path
        method, _ = self._handlers.get(path, _NONE)
        headers = plain_headers(scope) if method == scope.method else None
        if headers is None:
            return await self.rest(request)
        if self._limiter.is_full(priority_of(path)):
            return await shed(request, self._busy)
        if path in (CHECK_PATH, DOCUMENT_PATH) and _has_simple_body(headers):
            try:  # before a place is taken: the caller may be slow
                request = Request(scope, protocol, request.arrived, await protocol())
            except ProtocolClosed:
                return refuse_cut_off(request)
        return await self._answer(request, path, headers)

    async def _answer(self, request: Request, path: str, headers: _Headers) -> None:
        if not await self._limiter.enter(priority_of(path)):
            return await shed(request, self._busy)
        try:
            answer = await self._handlers[path][1](headers, request.body)
        except (Problem, TokenRefused, RedisError):  # Flask reports the problem, or reads the database
            answer = None
        finally:
            self._limiter.leave()
        if answer is None:
            return await self.rest(request)
        self._answered[path].observe(time.perf_counter() - request.arrived)
        request.protocol.response_bytes(200, self._headers, answer)
        return None

    # --- show ---------------------------------------------------------------------------------------------------

    async def _show(self, headers: _Headers, body: bytes | None) -> bytes | None:
        services, now = self.services, self.services.clock.now()
        session = self.session(headers, SessionKind.CITIZEN, now)
        if session is None or not session.serial:
            return None
        answers = await self.read(services.cache.record_read(session.serial))
        if answers is None:
            return None
        record = unpack(answers[0])
        if record.epoch != session.epoch:
            return None
        if record.state != State.GREEN or not record.is_fresh(now):
            return None
        template = self._show_template(record.rule, record.until is None, _language(headers))
        token = services.tokens.mint(session.serial, record.state, now).encode()
        return template % {
            b"since": _minute(record.since_minute),
            b"until": _minute(record.until_minute),
            b"token": token,
            b"as_of": _second(int(now.timestamp())),
        }

    def _make_show_template(self, rule: int, endless: bool, language: str) -> bytes:
        """Return the response with gaps for the moments and for the token, which needs no escaping in JSON."""
        since, until, as_of = _PLACEHOLDERS
        record = CacheRecord(State.GREEN, rule, 0, 0, since // 60, NEVER if endless else until // 60)
        shown = display.green_from_cache(self.services.policy, record, token="\0")  # noqa: S106 - a placeholder
        whole = self.json(code_response(self.services, shown, language, datetime.fromtimestamp(as_of, UTC)))
        whole = whole.replace(b"%", b"%%").replace(b"\\u0000", b"%(token)s").replace(_second(as_of), b"%(as_of)s")
        return whole.replace(_second(since), b"%(since)s").replace(_second(until), b"%(until)s")

    # --- check --------------------------------------------------------------------------------------------------

    async def _check(self, headers: _Headers, body: bytes | None) -> bytes | None:
        services, now = self.services, self.services.clock.now()
        token = _token(body)
        session = self.session(headers, SessionKind.INSPECTOR, now) if token else None
        if session is None or token is None:
            return None
        recognised = services.tokens.recognise(token, now)
        read_inspector = services.cache.value_read(inspector_cache.inspector_key(session.subject))
        answers = await self.read(read_inspector, services.cache.record_read(recognised.serial))
        if answers is None:
            return None
        epoch, _, station = (answers[0] or b"").partition(b" ")
        record = unpack(answers[1])
        if epoch != b"%d" % session.epoch:
            return None
        if record.state not in self._fields or not record.is_fresh(now):
            return None
        second = int(now.timestamp())
        await self._count(station.decode(), recognised, record.state, second)
        return self._check_body(record.state, _language(headers), second)

    async def _count(self, station: str, token: RecognisedToken, state: State, second: int) -> None:
        """Count a check, of a token once. What has been read is the answer, whether it is counted or not.

        The token is marked first, so that one whose check was perhaps counted is never counted again.
        """
        station = together(self.services.redis, station)
        seen = f"jx:station:{station}:seen:{counts.period_of(token.issued)}"
        hour = f"jx:station:{station}:{_hour(second // 3600)}"
        try:
            is_new, _ = await self.redis.ask((("SADD", seen, token.number), ("EXPIRE", seen, self._mark_seconds)))
            if is_new:
                count = ("HINCRBY", hour, self._fields[state], 1)
                await self.redis.ask((count, ("EXPIRE", hour, counts.RETENTION_SECONDS)))
        except RedisError as error:
            log.warning("check-not-counted", error=type(error).__name__)

    def _make_check_body(self, state: State, language: str, second: int) -> bytes:
        current = CurrentCode(CacheRecord(state, 0, 0, 0, 0, 0))
        check = checks.make_check(self.services.policy, current)
        return self.json(check_response(check, language, datetime.fromtimestamp(second, UTC)))

    # --- both ---------------------------------------------------------------------------------------------------

    def session(self, headers: _Headers, kind: SessionKind, now: datetime) -> UserSession | None:
        """Return the session in the header, with its epoch still to check. Raises Problem."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self.services.generation.last() is None:  # Flask may wait for the database
            return None
        session = self.services.session_tokens.read(token.strip(), now)
        return session if session.kind is kind else None

    async def read(self, *reads: CacheRead) -> list[Any] | None:
        """Return what is read of the cache in one trip; None unless every part that it is in was leased then."""
        parts = dict.fromkeys(read.part for read in reads)
        # of the connections that are asked now: another one may be to another server
        prefixes = [self.services.cache.lease_prefix(self.redis.run_id_of(part.lease_key)) for part in parts]
        leases = [("GET", part.lease_key) for part in parts]
        answers = await self.redis.ask((*leases, *(read.command for read in reads)))
        for prefix, lease in zip(prefixes, answers, strict=False):
            if not prefix or not lease or not lease.startswith(prefix.encode()):
                return None
        return answers[len(parts) :]

    def json(self, model: Any) -> bytes:
        """Return JSON as Flask's jsonify writes it."""
        return f"{self._dumps(model.model_dump(mode='json'), separators=(',', ':'))}\n".encode()


def _has_simple_body(headers: _Headers) -> bool:
    length = headers.get("content-length", "")
    is_small = length.isdecimal() and int(length) <= MAX_BODY_BYTES
    return is_small and headers.get("content-type") == "application/json"


def _token(body: bytes | None) -> str | None:
    """Return the token in the body of a check; None for any unusual body."""
    plain = None if body is None else _SIMPLE_BODY.fullmatch(body)
    return None if plain is None else trim(plain[1].decode())


@lru_cache(4)
def _hour(hour: int) -> str:
    """Return an hour from 1970 as the counters of stations write it."""
    return counts.hour_of(datetime.fromtimestamp(hour * 3600, UTC))


@lru_cache(20_000)
def _minute(minute: int) -> bytes:
    return _second(minute * 60)


@lru_cache(4)
def _second(second: int) -> bytes:
    """Return a second from 1970 as responses write it."""
    return rfc3339(datetime.fromtimestamp(second, UTC)).encode()


def _language(headers: _Headers) -> str:
    return best_language(headers.get("accept-language", ""))
