"""What operations engineers ask of a running process."""

from collections.abc import Callable
from dataclasses import replace

from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.db import make_engine
from app.services import Services, connect_redis
from tests.people import Phone


def test_a_process_that_runs_is_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"alive": True}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"ready": True, "parts": {"database": "ok", "redis": "ok"}})


def test_readiness_names_a_database_that_is_out_of_reach(services: Services) -> None:
    engine = make_engine("postgresql+psycopg://nobody:pw-secret@127.0.0.1:1/none", 1)
    client = create_app(replace(services, engine=engine)).test_client()
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json == {"ready": False, "parts": {"database": "out of reach", "redis": "ok"}}
    assert client.get("/healthz").status_code == 200, "alive all the same: a restart would not help"


def test_readiness_names_a_redis_that_is_out_of_reach(services: Services) -> None:
    redis = services.settings.redis.model_copy(update={"url": "redis://:pw-secret@127.0.0.1:1/0"})
    nowhere = connect_redis(services.settings.model_copy(update={"redis": redis}))
    ready = create_app(replace(services, redis=nowhere)).test_client().get("/readyz")
    assert ready.status_code == 503
    assert ready.json == {"ready": False, "parts": {"database": "ok", "redis": "out of reach"}}
    assert "pw-secret" not in ready.text


def test_readiness_tells_an_old_schema(services: Services, client: FlaskClient) -> None:
    with services.engine.begin() as connection:
        newest = connection.scalar(text("select version_num from alembic_version"))
        connection.execute(text("update alembic_version set version_num = 'older'"))
    try:
        ready = client.get("/readyz")
    finally:
        with services.engine.begin() as connection:
            connection.execute(text("update alembic_version set version_num = :newest"), {"newest": newest})
    assert ready.status_code == 503
    assert "jixiang db migrate" in ready.json["parts"]["database"]


def test_requests_are_counted_by_route_and_status(client: FlaskClient, phone: Callable[..., Phone]) -> None:
    before = counted(client)
    phone().become_green()
    client.get("/api/v1/code?secret=1")
    client.get("/no-such-address-1")
    client.get("/no-such-address-2")
    after = counted(client)
    more = {line: after[line] - before.get(line, 0) for line in after if after[line] != before.get(line, 0)}
    assert more['jixiang_requests_total{route="/api/v1/accounts",status="201"}'] == 1
    assert more['jixiang_requests_total{route="/api/v1/declarations",status="201"}'] == 1
    assert more['jixiang_requests_total{route="/api/v1/code",status="401"}'] == 1
    assert more['jixiang_requests_total{route="none",status="404"}'] == 2, "made-up addresses are one line"
    assert not any("secret" in line or "no-such" in line for line in after)


def counted(client: FlaskClient) -> dict[str, float]:
    """The counters of requests, by line."""
    answer = client.get("/metrics")
    assert answer.mimetype == "text/plain"
    lines = [line.rsplit(" ", 1) for line in answer.text.splitlines() if line.startswith("jixiang_requests_total")]
    return {name: float(value) for name, value in lines}
