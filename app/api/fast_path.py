"""The fast path: the two most frequent requests, showing a code and checking one, answered before Flask.

It answers only the common case: a valid session, a fresh cache record, Redis reachable, and to show, a green code.
Everything else passes to Flask unchanged; nothing is refused here except under overload (`web/load_shedding.py`). Both
paths use the same functions, and a test compares their responses byte for byte.
"""

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from flask import Flask
from redis import RedisError

from app.api.responses import check_response, code_response
from app.codes import display
from app.codes.cache.records import LEASE_KEY, NEVER, CacheRecord, cache_key, cache_offset, unpack
from app.codes.current_code import CurrentCode
from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN, TokenRefused, trim
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.core.metrics import http_requests
from app.core.redis_client import LuaScript
from app.core.session_tokens import SessionKind, UserSession
from app.runtime import Services
from app.stations import checks, counts, inspector_cache
from app.web import best_language
from app.web.early_bodies import read_early
from app.web.load_shedding import (
    FAST_PATH_CONCURRENCY,
    Application,
    BusyAnswer,
    BusyPage,
    ConcurrencyLimiter,
    Environ,
    LoadShedder,
    StartResponse,
    priority_of,
    shed,
)
from app.web.operations import ARRIVED
from app.web.security_headers import security_headers

MAX_BODY_BYTES: Final = 2048  # bytes; a check is a tenth of it
_HEADERS: Final = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
SHOW_PATH, CHECK_PATH = "/api/v1/code", "/api/v1/checks"
_PLACEHOLDERS: Final = (60, 120, 180)  # seconds from 1970 in place of moments in a template: since, until, as of


# In one round trip: return the state of a code, if the inspector's session is valid and the record is fresh, and
# increment the counter of the station, for each token once. KEYS: inspector, record; ARGV: offset, epoch, current
# minute, hour, beginning of the lease, number and period of the token. Constants are part of the script: it runs ten
# thousand times a second.
_CHECK_SCRIPT: Final = """
local lease = redis.call('GET', 'LEASE_KEY')
if not lease or string.sub(lease, 1, #ARGV[5]) ~= ARGV[5] then return false end
local inspector = redis.call('GET', KEYS[1])
if not inspector then return false end
local space = string.find(inspector, ' ', 1, true)
if not space or string.sub(inspector, 1, space - 1) ~= ARGV[2] then return false end
local record = redis.call('GETRANGE', KEYS[2], ARGV[1], ARGV[1] + 15)
if #record < 16 then return false end
local field = ({FIELDS})[string.byte(record)]
if not field or struct.unpack('>I4', record, 13) <= tonumber(ARGV[3]) then return false end
local station = 'jx:station:' .. string.sub(inspector, space + 1)
local seen = station .. ':seen:' .. ARGV[7]
if redis.call('SADD', seen, ARGV[6]) == 1 then
  redis.call('EXPIRE', seen, MARK_SECONDS)
  local hour = station .. ':' .. ARGV[4]
  if redis.call('HINCRBY', hour, field, 1) == 1 then redis.call('EXPIRE', hour, KEPT_SECONDS) end
end
return string.byte(record)
"""
# nothing in a token needs an escape; a scanner may have added the end of its line
_SIMPLE_BODY: Final = re.compile(rb'\{"token": ?"([0-9A-Z $%*+./:-]+)(?:\\[rnt])*"\}')


class FastPath:
    """A WSGI application in front of another; `fallback` answers everything but the common case.

    `busy_page` is shown to people under overload.
    """

    def __init__(self, app: Flask, services: Services, busy_page: BusyPage | None = None) -> None:
        secure = list(security_headers(services.settings.environment).items())
        self._headers = [*_HEADERS, *secure]
        self._busy = BusyAnswer(secure, busy_page)
        self.fallback: Application = LoadShedder(app.wsgi_app, services.settings.web.max_concurrency, answer=self._busy)
        self._limiter = ConcurrencyLimiter(FAST_PATH_CONCURRENCY)
        self._services = services
        self._dumps = app.json.dumps
        self._redis = services.cache.connections
        self._handlers = {("GET", SHOW_PATH): self._show, ("POST", CHECK_PATH): self._check}
        self._answered = {path: http_requests(method, path, 200) for method, path in self._handlers}
        policy = services.policy
        fields = {state: counts.field_of(state, policy.station(state.name).action) for state in STATES_WITH_TOKEN}
        table = ",".join(f"[{int(state)}]='{field}'" for state, field in fields.items())
        script = _CHECK_SCRIPT.replace("FIELDS", table).replace("KEPT_SECONDS", str(counts.RETENTION_SECONDS))
        script = script.replace("LEASE_KEY", LEASE_KEY)
        script = script.replace("MARK_SECONDS", str(counts.mark_seconds(services.settings.tokens)))
        self._check_script = LuaScript(script)
        self._check_body = lru_cache(64)(self._make_check_body)
        self._show_template = lru_cache(64)(self._make_show_template)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        read_early(environ)
        environ[ARRIVED] = arrived = time.perf_counter()
        path = environ["PATH_INFO"]
        handler = self._handlers.get((environ["REQUEST_METHOD"], path))
        if handler is None:
            return self.fallback(environ, start_response)
        if not self._limiter.enter(priority_of(path)):
            return shed(priority_of(path), environ, start_response, self._busy)
        body = None
        try:
            with suppress(Problem, TokenRefused, RedisError):  # Flask reports the problem, or reads the database
                body = handler(environ)
        finally:
            self._limiter.leave()
        if body is None:
            return self.fallback(environ, start_response)
        self._answered[path].observe(time.perf_counter() - arrived)
        start_response("200 OK", [*self._headers, ("Content-Length", str(len(body)))])
        return (body,)

    # --- show ---------------------------------------------------------------------------------------------------

    def _show(self, environ: Environ) -> bytes | None:
        services, now = self._services, self._services.clock.now()
        session = self._session(environ, SessionKind.CITIZEN, now)
        if session is None or not session.serial:
            return None
        value, generation = services.cache.read(session.serial)
        record = unpack(value)
        if generation is None or record.epoch != session.epoch:
            return None
        if record.state != State.GREEN or not record.is_fresh(now):
            return None
        template = self._show_template(record.rule, record.until is None, _language(environ))
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
        shown = display.green_from_cache(self._services.policy, record, token="\0")  # noqa: S106 - a placeholder
        whole = self._json(code_response(self._services, shown, language, datetime.fromtimestamp(as_of, UTC)))
        whole = whole.replace(b"%", b"%%").replace(b"\\u0000", b"%(token)s").replace(_second(as_of), b"%(as_of)s")
        return whole.replace(_second(since), b"%(since)s").replace(_second(until), b"%(until)s")

    # --- check --------------------------------------------------------------------------------------------------

    def _check(self, environ: Environ) -> bytes | None:
        services, now = self._services, self._services.clock.now()
        token = _token(environ)
        session = self._session(environ, SessionKind.INSPECTOR, now) if token else None
        if session is None or token is None:
            return None
        serial, number, issued = services.tokens.recognise(token, now)
        second = int(now.timestamp())
        keys = (inspector_cache.inspector_key(session.subject), cache_key(serial))
        lease = self._services.cache.lease_prefix()
        arguments = (
            *(cache_offset(serial), session.epoch, second // 60, _hour(second // 3600), lease),
            *(number, counts.period_of(issued)),
        )
        state = self._redis.run(self._check_script, keys, arguments)
        return None if state is None else self._check_body(State(state), _language(environ), second)

    def _make_check_body(self, state: State, language: str, second: int) -> bytes:
        current = CurrentCode(CacheRecord(state, 0, 0, 0, 0, 0))
        check = checks.make_check(self._services.policy, current)
        return self._json(check_response(check, language, datetime.fromtimestamp(second, UTC)))

    # --- both ---------------------------------------------------------------------------------------------------

    def _session(self, environ: Environ, kind: SessionKind, now: datetime) -> UserSession | None:
        """Return the session in the header, with its epoch still to check. Raises Problem."""
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        session = self._services.session_tokens.read(token.strip(), now)
        return session if session.kind is kind else None

    def _json(self, model: Any) -> bytes:
        """Return JSON as Flask's jsonify writes it."""
        return f"{self._dumps(model.model_dump(mode='json'), separators=(',', ':'))}\n".encode()


def _token(environ: Environ) -> str | None:
    """Return the token in the body of a check, leaving the body unread for Flask; None for any unusual body."""
    length = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE") != "application/json" or not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        return None
    data = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(data)
    plain = _SIMPLE_BODY.fullmatch(data)
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


def _language(environ: Environ) -> str:
    return best_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
