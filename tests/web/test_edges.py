"""The edges of the web server: headers on every answer, addresses of our own alone, and JSON of bounded depth."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from threading import Event
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client, TestResponse

from app import create_app
from app.api.authorization import ROUTE_ROLES
from app.runtime import Services
from app.web.server.load_shedding import MAX_WAITING, Priority
from tests.support.people import Phone, Station
from tests.support.rsgi import served
from tests.support.waiting import PATIENCE

DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
DEPTHS = (33, 500, 990, 1100, 7000, 20_000)


def with_settings(services: Services, **changed: Any) -> Services:
    """The same services with other settings."""
    return replace(services, settings=services.settings.model_copy(update=changed))


def other_app(services: Services, **changed: Any) -> Flask:
    """The same system with other settings."""
    return create_app(with_settings(services, **changed))


def in_production(services: Services) -> FlaskClient:
    web = services.settings.web.model_copy(update={"swagger": False})
    return other_app(services, environment="production", web=web).test_client()


def assert_secure(answer: TestResponse, what: object) -> None:
    for name, value in HEADERS.items():
        assert answer.headers.get_all(name) == [value], what
    [policy] = answer.headers.get_all("Content-Security-Policy")
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, what
    assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"], what


def every_answer(client: Client) -> Iterator[tuple[str, TestResponse]]:
    """Each route with its verb, and what is none, from somebody without a session."""
    for verb, rule in ROUTE_ROLES:
        yield f"{verb} {rule}", client.open(re.sub(r"<[^>]*>", "1", rule), method=verb)
    for path in ("/", "/nothing", "/api/v1/nothing", "/console", "/console/nothing", "/openapi/openapi.json"):
        for verb in ("GET", "POST", "OPTIONS", "HEAD", "TRACE"):
            yield f"{verb} {path}", client.open(path, method=verb)


def test_every_answer_is_secure(services: Services) -> None:
    client = in_production(services)
    answers = dict(every_answer(client))
    assert len(answers) > 90 and {200, 302, 308, 401, 404, 405, 415} & {a.status_code for a in answers.values()}
    for what, answer in answers.items():
        assert_secure(answer, what)


def test_so_are_the_answers_for_citizens_and_inspectors(green_citizen: Phone, station: Station) -> None:
    citizen = green_citizen
    for answer in (
        citizen.get("/api/v1/code"),
        citizen.get("/api/v1/code.svg"),
        citizen.get("/api/v1/code.png"),
        citizen.post("/api/v1/declarations", {"nothing": 1}),
        station.check(citizen.code()["token"]),
        station.check("no token"),
    ):
        assert_secure(answer, answer.request.path)
        assert answer.headers["Content-Security-Policy"] == DATA_POLICY


class SlowBody:
    """A body that does not come until it is told to."""

    def __init__(self) -> None:
        self.read_from, self.may_come = Event(), Event()

    def read(self, size: int = -1) -> bytes:
        self.read_from.set()
        assert self.may_come.wait(PATIENCE)
        return b""


def test_so_are_the_answers_under_overload(services: Services) -> None:
    web = services.settings.web.model_copy(update={"max_concurrency": 1})
    large = services.settings.limits.model_copy(update={"body_bytes": 100_000})
    changed = {"web": web, "limits": large}
    app, slow = other_app(services, **changed), SlowBody()

    def ask(path: str) -> TestResponse:
        return app.test_client().get(path)

    body = {"wsgi.input": slow, "CONTENT_LENGTH": "50000", "CONTENT_TYPE": "application/json"}
    waiting = 1 + MAX_WAITING[Priority.REST]
    with served(app, with_settings(services, **changed)), ThreadPoolExecutor(waiting + 2) as threads:
        for _ in range(waiting):
            threads.submit(app.test_client().post, "/api/v1/wechat/login", environ_overrides=body)
        assert slow.read_from.wait(PATIENCE)
        answers = list(threads.map(ask, ("/api/v1/home", "/console/login")))
        slow.may_come.set()
    assert [answer.status_code for answer in answers] == [503, 503]
    for answer in answers:
        assert_secure(answer, answer.request.path)


@pytest.mark.parametrize(
    "length", [{"CONTENT_LENGTH": "300"}, {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}]
)
def test_half_a_request_holds_no_place(
    services: Services, green_citizen: Phone, station: Station, length: dict[str, str]
) -> None:
    """Nor one on the fast path."""
    citizen = green_citizen
    web = services.settings.web.model_copy(update={"max_concurrency": 1})
    app = other_app(services, web=web)
    halves = [SlowBody() for _ in range(8)]
    citizen.client = station.client = app.test_client()

    def send_half(slow: SlowBody) -> TestResponse:
        path = ("/api/v1/checks", "/api/v1/wechat/login")[halves.index(slow) % 2]
        body = {"wsgi.input": slow, "CONTENT_TYPE": "application/json", **length}
        return app.test_client().post(path, environ_overrides=body)

    with served(app, with_settings(services, web=web)), ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(send_half, slow) for slow in halves]
        assert all(slow.read_from.wait(PATIENCE) for slow in halves)
        seen = [citizen.get(path).status_code for path in ("/api/v1/home", "/api/v1/accounts/me", "/api/v1/code")]
        checked = station.check(citizen.code()["token"]).status_code
        for slow in halves:
            slow.may_come.set()
    assert (seen, checked) == ([200, 200, 200], 200)
    assert {answer.result().status_code for answer in answers} <= {400, 401, 413, 422}, "what came was read"


@pytest.mark.parametrize("length", ["300", "30000"])
def test_a_body_that_was_cut_is_not_taken_for_a_whole_one(services: Services, length: str) -> None:
    """As the server hands it on when the caller's connection breaks in the middle of a list."""
    large = services.settings.limits.model_copy(update={"body_bytes": 100_000})
    cut = {"wsgi.input": BytesIO(b"username=somebody&password=a-long-pass"), "wsgi.input_terminated": True}
    app = other_app(services, limits=large)
    form = {**cut, "CONTENT_LENGTH": length, "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    with served(app, with_settings(services, limits=large)):
        ours = {"Sec-Fetch-Site": "same-origin"}
        assert app.test_client().post("/console/login", environ_overrides=form, headers=ours).status_code == 400


def test_an_error_of_ours_is_secure(services: Services) -> None:
    broken = create_app(replace(services, sessions=None))  # type: ignore[arg-type]
    broken.testing = False
    client = broken.test_client()
    client.set_cookie("officer", "x")
    for path in ("/console/", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert_secure(answer, path)


def test_a_local_installation_has_no_hsts(services: Services) -> None:
    answer = other_app(services, environment="local").test_client().get("/healthz")
    assert "Strict-Transport-Security" not in answer.headers


# --- the page of the API document


def test_the_page_of_the_document_is_off_unless_it_is_set(services: Services) -> None:
    client = in_production(services)
    assert client.get("/openapi/openapi.json").status_code == 200
    for path in ("/openapi/", "/openapi/swagger", "/openapi/oauth2-redirect.html", "/openapi/swagger/js/swagger-ui.js"):
        assert client.get(path).status_code == 404, path


def test_the_page_of_the_document_has_a_policy_that_fits(client: FlaskClient) -> None:
    policy = client.get("/openapi/swagger").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline'" in policy and "frame-ancestors 'none'" in policy
    assert client.get("/openapi/openapi.json").headers["Content-Security-Policy"] == DATA_POLICY


# --- addresses have one spelling

SPELLINGS: dict[str, Callable[[str], str]] = {  # as the server hands them on, without their escapes
    "two slashes": lambda path: "/" + path,
    "two slashes within": lambda path: "//".join(path.rsplit("/", 1)),
    "a dot": lambda path: "/." + path,
    "a dot within": lambda path: "/./".join(path.rsplit("/", 1)),
    "up and down": lambda path: "/healthz/.." + path,
    "up at the end": lambda path: path + "/x/..",
    "a dot at the end": lambda path: path + "/.",
    "a slash at the end": lambda path: path + "/",
}


@pytest.mark.slow
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_route_has_another_spelling(client: FlaskClient, green_citizen: Phone, spelling: str) -> None:
    session = {"Authorization": f"Bearer {green_citizen.session}"}
    rules = {*ROUTE_ROLES, ("GET", "/openapi/openapi.json"), ("GET", "/openapi/swagger")}
    for verb, rule in sorted(rules):
        path = rule.replace("<path:filename>", "console.css").replace("<name>", "colors")
        other = SPELLINGS[spelling](re.sub(r"<[^>]*>", "1", path))
        if not path.endswith("/"):
            answer = client.open("/", method=verb, headers=session, environ_overrides={"PATH_INFO": other})
            assert answer.status_code == 404, other
            assert not other.startswith("/api/") or answer.content_type == "application/problem+json", other


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_is_for_operators_passes_no_proxy_however_it_is_spelled(services: Services, path: str) -> None:
    client = other_app(services, proxies=1).test_client()
    assert client.get(path).status_code == 200
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        for spelled in (path, f"/%{ord(path[1]):x}{path[2:]}"):
            answer = client.get(spelled, headers={name: "192.0.2.7"})
            assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), (name, spelled)
    assert client.get("/healthz", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 200


# --- redirects


def test_no_redirect_follows_the_host_header(client: FlaskClient) -> None:
    for path in ("/console", "/console?x=1", "/console/", "/console/officers/", "/openapi"):
        for headers in ({"Host": "evil.example"}, {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}):
            answer = client.get(path, headers=headers)
            assert "evil.example" not in str(answer.headers) + answer.text, path
            if 300 <= answer.status_code < 400:
                assert answer.headers["Location"].startswith("/") and not answer.headers["Location"].startswith("//")
    assert client.get("/console?x=1").headers["Location"] == "/console/?x=1"


# --- JSON


def nested(depth: int) -> list[str]:
    return ["[" * depth + "]" * depth, "[" * depth, '{"a":' * depth + "1" + "}" * depth]


def assert_refused(answer: TestResponse, what: object) -> None:
    assert 300 <= answer.status_code < 500, what
    if answer.status_code == 400 and answer.request.path.startswith("/api/"):
        assert answer.content_type == "application/problem+json", what


def test_deep_json_is_refused_at_every_door(services: Services, green_citizen: Phone, station: Station) -> None:
    """Of each depth and shape; where the body is read as everywhere, one shape, just too deep and far too deep."""
    large = services.settings.limits.model_copy(update={"body_bytes": 1_000_000})
    client = other_app(services, limits=large).test_client()
    doors = [rule for verb, rule in ROUTE_ROLES if verb == "POST" and "<" not in rule]
    sessions = [{}, *({"Authorization": f"Bearer {one}"} for one in (green_citizen.session, station.session))]
    for path in doors:
        full = path in ("/api/v1/declarations", "/api/v1/checks/offline", "/wechat/callback")
        for depth in DEPTHS if full else (DEPTHS[0], DEPTHS[-1]):
            for body in nested(depth) if full else nested(depth)[:1]:
                for headers in sessions:
                    answer = client.post(path, data=body, headers=headers, content_type="application/json")
                    assert_refused(answer, (path, depth))
    assert len(doors) > 30


def test_log_ins_answer_deep_json_with_400(services: Services) -> None:
    large = services.settings.limits.model_copy(update={"body_bytes": 1_000_000})
    client = other_app(services, limits=large).test_client()
    for path in ("/api/v1/accounts/login", "/api/v1/wechat/login", "/api/v1/stations/login"):
        for depth in DEPTHS:
            body = json.dumps({"username": "x"})[:-1] + ', "password": ' + nested(depth)[0] + "}"
            answer = client.post(path, data=body, content_type="application/json")
            assert (answer.status_code, answer.json["type"]) == (400, "/problems/malformed-json")  # type: ignore[index]
