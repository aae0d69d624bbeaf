"""The gate: the two requests that a crowd makes, showing a code and checking one, answered before Flask.

It takes only the plain case: a session that counts, a warm record that may be believed, Redis within reach, and of
codes to show the green ones. Everything else goes on to Flask unchanged, and nothing is refused here. Both ways use
the same functions, and a test holds their answers together byte for byte.
"""

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, Final, cast

from flask import Flask
from redis import Redis, RedisError
from redis.exceptions import NoScriptError
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from app.cautious import Breaker
from app.clock import BEIJING
from app.codes import showing
from app.codes.answers import code_out
from app.codes.cache import SIZE, Record, key_of, offset_of, unpack
from app.codes.reading import Current
from app.codes.states import State
from app.codes.tokens import SHOWN, TokenRefused
from app.errors import Problem
from app.services import Services
from app.sessions import Kind, Session
from app.stations import checks, counts, duty
from app.stations.answers import check_out
from app.web.operations import REQUESTS

LONGEST_BODY: Final = 2048  # bytes; a check is a tenth of it
_HEADERS: Final = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
SHOW, CHECK = "/api/v1/code", "/api/v1/checks"

Environ = dict[str, Any]
Start = Callable[..., Any]

# In one round trip: the record of a code, if the inspector's session counts and the record may be believed, and one
# more on the counter of the station. KEYS: duty, record; ARGV: offset, epoch, minute of now, hour, seconds to keep,
# and the field of each state from EMPTY on, empty where the plain case ends.
_CHECK: Final = """
local duty = redis.call('GET', KEYS[1])
if not duty then return false end
local epoch, station = string.match(duty, '^(%d+) (%d+)$')
local record = redis.call('GETRANGE', KEYS[2], ARGV[1], ARGV[1] + 15)
if epoch ~= ARGV[2] or #record < 16 then return false end
local field = ARGV[6 + string.byte(record)]
if not field or field == '' or struct.unpack('>I4', record, 13) <= tonumber(ARGV[3]) then return false end
local hour = 'jx:station:' .. station .. ':' .. ARGV[4]
if redis.call('HINCRBY', hour, field, 1) == 1 then redis.call('EXPIRE', hour, ARGV[5]) end
return record
"""


class Gate:
    """A WSGI application in front of another; `behind` is the one that answers everything but the plain case."""

    def __init__(self, app: Flask, services: Services) -> None:
        self.behind = app.wsgi_app
        self._services = services
        self._dumps = app.json.dumps
        self._redis = Lines(services.redis)
        self._doors = {("GET", SHOW): self._show, ("POST", CHECK): self._check}
        self._done = {path: REQUESTS.labels(path, "200") for path in (SHOW, CHECK)}
        policy = services.policy
        self._fields = [
            counts.field_of(state, policy.station(state.name).action) if state in SHOWN else "" for state in State
        ]
        self._check_body = lru_cache(64)(self._make_check_body)
        self._show_body = lru_cache(4096)(self._make_show_body)

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        door = self._doors.get((environ["REQUEST_METHOD"], path))
        body = None
        if door is not None:
            with suppress(Problem, TokenRefused, RedisError):  # Flask says what is wrong, or asks the database
                body = door(environ)
        if body is None:
            return self.behind(environ, start_response)
        self._done[path].inc()
        start_response("200 OK", [*_HEADERS, ("Content-Length", str(len(body)))])
        return (body,)

    # --- show ---------------------------------------------------------------------------------------------------

    def _show(self, environ: Environ) -> bytes | None:
        services, now = self._services, self._services.clock.now()
        session = self._session(environ, Kind.CITIZEN, now)
        if session is None or not session.serial:
            return None
        offset = offset_of(session.serial)
        record = unpack(self._redis.ask("GETRANGE", key_of(session.serial), offset, offset + SIZE - 1))
        if record.epoch != session.epoch or record.state != State.GREEN or not record.believable(now):
            return None
        before, after = self._show_body(record._replace(epoch=0, version=0), _language(environ), int(now.timestamp()))
        return before + services.tokens.mint(session.serial, record.state, now).encode() + after

    def _make_show_body(self, record: Record, language: str, second: int) -> tuple[bytes, bytes]:
        """What stands before and after the token, which needs no escaping in JSON."""
        shown = showing.plain_green(self._services.policy, record, token="\0")  # noqa: S106 - stands for one
        whole = self._json(code_out(self._services, shown, language, datetime.fromtimestamp(second, UTC)))
        before, after = whole.split(b"\\u0000")
        return before, after

    # --- check --------------------------------------------------------------------------------------------------

    def _check(self, environ: Environ) -> bytes | None:
        services, now = self._services, self._services.clock.now()
        token = _token(environ)
        session = self._session(environ, Kind.INSPECTOR, now) if token else None
        if session is None or token is None:
            return None
        serial = cast(int, services.tokens.recognise(token, now).serial)
        keys = (duty.key_of(session.subject), key_of(serial))
        hour = f"{now.astimezone(BEIJING):%Y%m%d%H}"
        minute = int(now.timestamp()) // 60
        data = self._redis.run(
            _CHECK, keys, (offset_of(serial), session.epoch, minute, hour, counts.KEPT_SECONDS, *self._fields)
        )
        return None if data is None else self._check_body(State(data[0]), _language(environ), int(now.timestamp()))

    def _make_check_body(self, state: State, language: str, second: int) -> bytes:
        current = Current(Record(state, 0, 0, 0, 0, 0))
        check = checks.judged(self._services.policy, current)
        return self._json(check_out(check, language, datetime.fromtimestamp(second, UTC)))

    # --- both ---------------------------------------------------------------------------------------------------

    def _session(self, environ: Environ, kind: Kind, now: datetime) -> Session | None:
        """The session in the header, its epoch still to check. Raises Problem."""
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        session = self._services.session_tokens.read(token.strip(), now)
        return session if session.kind is kind else None

    def _json(self, model: Any) -> bytes:
        """As Flask's jsonify writes it."""
        return f"{self._dumps(model.model_dump(mode='json'), separators=(',', ':'))}\n".encode()


class Lines:
    """A connection to Redis for each thread, without the pool's lock, behind the same breaker as the client's."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._breaker = getattr(redis, "breaker", None) or Breaker()
        self._here = threading.local()
        self._shas: dict[str, str] = {}

    def ask(self, *command: str | int) -> bytes:
        """One command. Raises RedisError when Redis cannot be asked."""
        if not self._breaker.may_ask():
            raise RedisError("Redis failed a moment ago")
        line = self._line()
        try:
            line.send_command(*command)
            answer: bytes = line.read_response()
        except (RedisError, OSError) as error:
            if not isinstance(error, NoScriptError):
                line.disconnect()
                self._breaker.failed()
            raise
        self._breaker.answered()
        return answer

    def run(self, script: str, keys: tuple[str, ...], arguments: tuple[str | int, ...]) -> bytes | None:
        """A script, which is loaded where Redis does not know it. Raises RedisError."""
        sha = self._shas.get(script) or self._load(script)
        try:
            return self.ask("EVALSHA", sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return self.ask("EVALSHA", self._load(script), len(keys), *keys, *arguments)

    def _load(self, script: str) -> str:
        self._shas[script] = self.ask("SCRIPT", "LOAD", script).decode()
        return self._shas[script]

    def _line(self) -> Any:
        line = getattr(self._here, "line", None)
        if line is None:
            pool = self._redis.connection_pool  # not one of its own connections, of which it makes a hundred at most
            line = self._here.line = pool.connection_class(**pool.connection_kwargs)
        return line


def _token(environ: Environ) -> str | None:
    """The token in the body of a check, which Flask finds unread; None where anything but a plain body came."""
    length = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE") != "application/json" or not length.isdecimal() or int(length) > LONGEST_BODY:
        return None
    data = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(data)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(body, dict) and body.keys() == {"token"} and isinstance(body["token"], str)
    return body["token"] if plain else None


def _language(environ: Environ) -> str:
    return _best(environ.get("HTTP_ACCEPT_LANGUAGE", ""))


@lru_cache(256)
def _best(header: str) -> str:
    return parse_accept_header(header, LanguageAccept).best_match(["zh", "en"], default="zh")
