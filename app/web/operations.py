"""Endpoints for operations: liveness, readiness and metrics."""

import time
from collections.abc import Callable
from datetime import datetime

from flask import Flask, Response, jsonify, request
from flask_openapi3 import APIBlueprint, Tag
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from redis import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.core import db, redis_client
from app.core import metrics as measured
from app.core.errors import ConfigError
from app.core.queue import count_live_workers
from app.installation import find_other_keys
from app.migrations.schema import Schema, compare_schema
from app.runtime import Services
from app.web import get_services, no_store

views = APIBlueprint("operations", __name__, abp_tags=[Tag(name="Operations")])

MAX_CLOCK_DISTANCE_SECONDS = 1.0
ARRIVED = "jixiang.arrived"  # in the environ of a request: its arrival, by time.perf_counter
PATHS = ("/healthz", "/readyz", "/metrics")


class AliveOut(BaseModel):
    alive: bool


class ReadyOut(BaseModel):
    """The state of each part. `ready`: all parts that requests need are ok; `degraded`: some part is not ok."""

    ready: bool
    degraded: bool
    parts: dict[str, str]


@views.get("/healthz", responses={200: AliveOut})
def healthz() -> Response:
    """Report that the process is alive."""
    return no_store(jsonify(AliveOut(alive=True).model_dump()))


@views.get("/readyz", responses={200: ReadyOut, 503: ReadyOut})
def readyz() -> Response:
    """Report the state of each part: 503 when a part that requests need is not ok. Without a worker, 200 and degraded.

    Removing web processes would not bring a worker back: codes are shown and checked without one.
    """
    parts = {name: _try(get_services(), ask) for name, ask in _PARTS.items()}
    ready = all(parts[name] in _USABLE or parts[name].startswith(redis_client.USABLE) for name in _NEEDED)
    report = ReadyOut(ready=ready, degraded=set(parts.values()) != {"ok"}, parts=parts)
    return no_store(jsonify(report.model_dump()), 200 if ready else 503)


@views.get("/metrics", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
def metrics() -> Response:
    """Return metrics for Prometheus, summed over the processes that share PROMETHEUS_MULTIPROC_DIR."""
    return no_store(Response(measured.exposition(), content_type=CONTENT_TYPE_LATEST))


def init_app(app: Flask) -> None:
    """Measure every response."""

    @app.after_request
    def measure(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else None
        observe(request.method, route, response.status_code, request.environ.get(ARRIVED))
        return response


def observe(method: str, route: str | None, status: int, arrived: float | None) -> None:
    """Measure one response by its route template, such as `/api/v1/appeals/<int:appeal>`, never the path."""
    now = time.perf_counter()
    measured.http_requests(method, route, status).observe(0 if arrived is None else now - arrived)


def _try(services: Services, ask: Callable[[Services], str]) -> str:
    try:
        return ask(services)
    except ConfigError as error:  # it answers, and cannot be used
        return str(error)
    except (SQLAlchemyError, RedisError) as error:
        return find_other_keys(error) or "out of reach"


def _database(services: Services) -> str:
    db.check_usable(services.engine)
    with services.engine.connect() as connection:
        return _SCHEMAS[compare_schema(connection)]


def _redis(services: Services) -> str:
    """Write, rather than ping: a replica and a full one answer a ping."""
    return redis_client.check_usable(services.redis) or "ok"


def _clock(services: Services) -> str:
    """Return how far the clock of this machine is from that of the database."""
    with services.engine.connect() as connection:
        before = services.real_clock.now()
        at_database: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        after = services.real_clock.now()
    distance = (before + (after - before) / 2 - at_database).total_seconds()
    if abs(distance) <= MAX_CLOCK_DISTANCE_SECONDS:
        return "ok"
    return f"{abs(distance):.1f} s {'ahead of' if distance > 0 else 'behind'} the database"


def _worker(services: Services) -> str:
    with services.sessions() as session:
        return "ok" if count_live_workers(session) else "missing"


def _cache(services: Services) -> str:
    missing, number = services.lease.find_missing()
    if not missing:
        return "ok"
    told = "not leased" if missing == number else f"{missing} of {number} parts not leased"
    return f"{told}: colors are read from the database"


_SCHEMAS = {
    Schema.CURRENT: "ok",
    Schema.OLDER: "not migrated: run jixiang db migrate",
    Schema.NEWER: "newer than this release, and usable",
    Schema.FOREIGN: "newer than this release, and not usable by it: start the newer release",
}
_USABLE = {_SCHEMAS[Schema.CURRENT], _SCHEMAS[Schema.NEWER]}
_PARTS: dict[str, Callable[[Services], str]] = {
    "database": _database,
    "redis": _redis,
    "cache": _cache,
    "clock": _clock,
    "worker": _worker,
}
_NEEDED = ("database", "redis")  # by requests
