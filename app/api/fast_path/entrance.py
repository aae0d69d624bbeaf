"""The application that the web server calls: it takes the plain requests, and passes all others to Flask."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from flask import Flask
from redis import RedisError

from app.api.fast_path.checks import CHECK_PATH, Checks
from app.api.fast_path.common import HEADERS, Common, RequestHeaders, Way
from app.api.fast_path.documents import DOCUMENT_PATH, Documents
from app.api.fast_path.shows import SHOW_PATH, Shows
from app.codes.tokens import TokenRefused
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.core.metrics import http_requests
from app.runtime import Services
from app.web.ended import Ended, EndedSide
from app.web.security_headers import security_headers
from app.web.server.flask_side import FlaskSide, refuse_cut_off
from app.web.server.load_shedding import (
    FAST_PATH_CONCURRENCY,
    FAST_PATH_WAITING,
    BusyAnswer,
    BusyPage,
    ConcurrencyLimiter,
    Priority,
    priority_of,
    shed,
)
from app.web.server.multiplexed_cluster import multiplexed
from app.web.server.rsgi import Answering, HttpProtocol, ProtocolClosed, Request, Scope, plain_headers


class _Route(NamedTuple):
    """What answers the requests with a method; `observe` measures how long each took."""

    method: str
    way: Way
    priority: Priority
    observe: Callable[[float], None]


class FastPath:
    """An RSGI application in front of Flask.

    `rest` answers everything but the common case; `busy_page` is shown to people under overload.
    """

    def __init__(self, app: Flask, services: Services, busy_page: BusyPage | None = None) -> None:
        self._generation, self._ended = services.generation, EndedSide(services.settings.environment)
        secure = list(security_headers(services.settings.environment).items())
        self._headers = [*HEADERS, *secure]
        self._busy = BusyAnswer(secure, busy_page)
        self._flask = FlaskSide(app.wsgi_app, services.settings.web.max_concurrency, self._busy)
        self.rest: Answering = self._flask
        self._limiter = ConcurrencyLimiter(FAST_PATH_CONCURRENCY, FAST_PATH_WAITING)
        self.redis = multiplexed(services.redis, services.settings.redis)
        common = Common(services, self.redis, app.json.dumps)
        ways: list[tuple[str, str, Way]] = [
            ("GET", SHOW_PATH, Shows(common)),
            ("POST", CHECK_PATH, Checks(common)),
            ("POST", DOCUMENT_PATH, Documents(common)),
        ]
        self._routes = {
            path: _Route(method, way, priority_of(path), http_requests(method, path, 200).observe)
            for method, path, way in ways
        }

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
        arrived = time.perf_counter()
        service = self._generation.service
        if service.ended_at is not None:
            ended = Ended(rfc3339(service.ended_at), service.report)
            return self._ended.respond(ended, Request(scope, protocol, arrived))
        route = self._routes.get(scope.path)
        headers = plain_headers(scope) if route is not None and route.method == scope.method else None
        if route is None or headers is None:
            return await self.rest(Request(scope, protocol, arrived))
        if self._limiter.is_full(route.priority):
            return await shed(Request(scope, protocol, arrived), self._busy)
        try:  # before a place is taken: the caller may be slow
            body = await protocol() if route.way.takes_body(headers) else None
        except ProtocolClosed:
            return refuse_cut_off(Request(scope, protocol, arrived))
        return await self._answer(Request(scope, protocol, arrived, body), route, headers)

    async def _answer(self, request: Request, route: _Route, headers: RequestHeaders) -> None:
        if not (self._limiter.enter_at_once() or await self._limiter.enter(route.priority)):
            return await shed(request, self._busy)
        try:
            answer = await route.way.answer(headers, request.body)
        except (Problem, TokenRefused, RedisError):  # Flask reports the problem, or reads the database
            answer = None
        finally:
            self._limiter.leave()
        if answer is None:
            return await self.rest(request)
        route.observe(time.perf_counter() - request.arrived)
        request.protocol.response_bytes(200, self._headers, answer)
        return None
