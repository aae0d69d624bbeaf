"""The fast path answers as Flask does: each request is sent both ways, and the responses are compared byte for byte."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from app import create_app
from app.api.fast_path import CHECK_PATH, SHOW_PATH
from app.api.fast_path.documents import DOCUMENT_PATH
from app.citizens.document_checks import trail
from app.codes.states import State
from app.codes.tokens import CodeTokens
from app.core.keys import create_keys, load_keys
from app.core.redis_client import together
from app.core.session_tokens import SessionKind, UserSession
from app.core.settings import DocumentCheckSettings
from app.runtime import Services
from app.stations import counts, rollup
from app.stations.inspector_cache import inspector_key
from tests.support.clock import StandingClock
from tests.support.examples import examples
from tests.support.people import Phone, Station, id_number
from tests.support.rsgi import end, noted_rest, put_before
from tests.support.stations import counted_at

TOKEN = re.compile(rb'"token":"([^"]*)"')
HEADERS = ("Content-Type", "Content-Length", "Cache-Control", "WWW-Authenticate", "Retry-After")
HEADERS += ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security")
LANGUAGES = ["zh-CN", "en", "ko", "de, en;q=0.5", "*", "", "zh;q=0.1, en;q=0.9", "nonsense;;q=x"]


@dataclass
class Ground:
    """A few people, one in each state, an inspector, and both ways to the same services."""

    services: Services
    fast: Client
    flask: Client
    passed: list[str]  # from the fast path to Flask
    sessions: dict[str, str]
    tokens: dict[str, str]
    serials: dict[str, int]
    documents: dict[str, dict[str, str]]

    def both(self, method: str, path: str, **request: Any) -> tuple[TestResponse, TestResponse]:
        """Send the same request to the fast path, and past it."""
        return self.fast.open(path, method=method, **request), self.flask.open(path, method=method, **request)


@pytest.fixture
def ground(
    services: Services,
    phone: Callable[..., Phone],
    green_citizens: list[Phone],
    station: Station,
    clock: StandingClock,
    tmp_path: Path,
) -> Iterator[Ground]:
    app = create_app(services)
    flask = Client(app.wsgi_app)
    server = put_before(app, services)
    green, yellow, _ = green_citizens
    station.measure(yellow.code()["token"], 38.0)
    nobody = phone("示例新")
    nobody.register()
    station.client.get(
        "/api/v1/stations/today", headers={"Authorization": f"Bearer {station.session}"}
    )  # known from now
    people = {"green": green, "yellow": yellow, "undeclared": nobody}
    sessions = {name: one.session or "" for name, one in people.items()} | {"inspector": station.session}
    serials = {name: services.session_tokens.read(text, clock.now()).serial for name, text in sessions.items()}
    sessions |= _odd_sessions(services, serials["green"], sessions["green"])
    tokens = _tokens(services, serials, tmp_path)
    with noted_rest(server) as passed:
        yield Ground(services, Client(app.wsgi_app), flask, passed, sessions, tokens, serials, _documents(people))
    end(server)


def _documents(people: dict[str, Phone]) -> dict[str, dict[str, str]]:
    read = {name: {"type": "id-card", "number": one.document, "name": one.name} for name, one in people.items()}
    green = read["green"]
    return read | {
        "as a reader types": {**green, "number": f" {green['number']}\r\n", "name": f"{green['name']}\t"},
        "wrong name": {**green, "name": "示例他人"},
        "unknown number": {**green, "number": id_number(998)},
        "another kind": {**green, "type": "taiwan-permit"},
        "no such kind": {**green, "type": "library-card"},
        "bad number": {**green, "number": "7"},
        "no name": {**green, "name": ""},
        "one field more": {**green, "phone": "13800000000"},
        "NUL": {**green, "name": "示例\0绿"},
        "half a character": {**green, "name": "\ud800"},
    }


def _odd_sessions(services: Services, serial: int, good: str) -> dict[str, str]:
    now = services.clock.now()
    issue = services.session_tokens.issue
    later = now + timedelta(hours=1)
    return {
        "none": "",
        "nonsense": "nonsense",
        "changed": good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        "over": issue(UserSession(SessionKind.CITIZEN, 1, serial, 1, now)),
        "other epoch": issue(UserSession(SessionKind.CITIZEN, 1, serial, 999, later)),
        "unbound": issue(UserSession(SessionKind.CITIZEN, 1, 0, 1, later)),
        "no such code": issue(UserSession(SessionKind.CITIZEN, 1, 10**9, 1, later)),
        "no such inspector": issue(UserSession(SessionKind.INSPECTOR, 10**9, 0, 1, later)),
        "an inspector's, for a citizen": issue(UserSession(SessionKind.INSPECTOR, 1, serial, 1, later)),
        "a citizen's, for an inspector": issue(UserSession(SessionKind.CITIZEN, 1, 1, 1, later)),
        "no such session": issue(UserSession(SessionKind.INSPECTOR, 1, 10**9, 1, later)),
        "inspector's, of before sessions were kept": issue(UserSession(SessionKind.INSPECTOR, 1, 0, 1, later)),
        "inspector's other epoch": issue(UserSession(SessionKind.INSPECTOR, 1, 0, 999, later)),
    }


def _tokens(services: Services, serials: dict[str, int], directory: Any) -> dict[str, str]:
    now, mint = services.clock.now(), services.tokens.mint
    create_keys(directory, now)
    others = CodeTokens(load_keys(directory), timedelta(seconds=60), timedelta(seconds=10))
    good = mint(serials["green"], State.GREEN, now)
    return {
        "green": good,
        "yellow": mint(serials["yellow"], State.YELLOW, now),
        "green, though yellow now": mint(serials["yellow"], State.GREEN, now),
        "undeclared": mint(serials["undeclared"], State.GREEN, now),
        "no such code": mint(10**9, State.RED, now),
        "expired": mint(serials["green"], State.GREEN, now - timedelta(minutes=5)),
        "of the future": mint(serials["green"], State.GREEN, now + timedelta(minutes=5)),
        "another signature": good[:150] + ("0" if good[150] != "0" else "1") + good[151:],
        "another pseudonym": good[:80] + ("0" if good[80] != "0" else "1") + good[81:],
        "another system's": others.mint(serials["green"], State.GREEN, now),
        "malformed": good[:-1],
        "empty": "",
        "foreign": "https://example.com",
        "Chinese": "吉祥码",
        "half a character": "\ud800",
    }


def same(ground: Ground, fast: TestResponse, flask: TestResponse) -> None:
    assert fast.status == flask.status
    for name in HEADERS:
        assert fast.headers.get(name) == flask.headers.get(name), name
    assert _without_token(fast.data) == _without_token(flask.data)
    for answer in (fast, flask):
        found = TOKEN.search(answer.data)
        if found:
            serial = ground.services.tokens.read(found[1].decode(), ground.services.clock.now()).serial
            assert serial in ground.serials.values()


def _without_token(data: bytes) -> bytes:
    return TOKEN.sub(b'"token":"one of its own"', data)


def _headers(session: str, language: str, scheme: str) -> dict[str, str]:
    headers = {"Accept-Language": language} if language else {}
    return headers | ({"Authorization": f"{scheme} {session}"} if session else {})


def plain_check(ground: Ground, **change: Any) -> tuple[TestResponse, TestResponse]:
    """A check as the mini-program asks for it, with one thing changed."""
    asked = {"session": "inspector", "token": "green", "language": "zh-CN", "scheme": "Bearer", "query": ""} | change
    headers = _headers(ground.sessions[asked["session"]], asked["language"], asked["scheme"])
    body = {"token": ground.tokens[asked["token"]]}
    return ground.both("POST", CHECK_PATH, headers=headers, json=body, query_string=asked["query"])


def plain_show(ground: Ground, **change: Any) -> tuple[TestResponse, TestResponse]:
    asked = {"session": "green", "language": "zh-CN", "scheme": "Bearer", "query": ""} | change
    headers = _headers(ground.sessions[asked["session"]], asked["language"], asked["scheme"])
    return ground.both("GET", SHOW_PATH, headers=headers, query_string=asked["query"])


WAYS = ["Bearer", "bearer", "Basic", "Bearer ", ""]
SCHEMES = st.sampled_from(WAYS)


def test_one_thing_that_is_not_plain_is_answered_alike(ground: Ground) -> None:
    changes = [{"language": one} for one in LANGUAGES] + [{"scheme": one} for one in WAYS] + [{"query": "a=b"}]
    for change in [*changes, *({"session": one} for one in ground.sessions)]:
        same(ground, *plain_show(ground, **change))
        same(ground, *plain_check(ground, **change))
    for token in ground.tokens:
        same(ground, *plain_check(ground, token=token))


def test_a_record_that_may_not_be_believed_any_more_is_checked_in_the_database(
    ground: Ground, clock: StandingClock
) -> None:
    clock.advance(days=8)  # the verification has expired; the jobs have not come yet
    ground.tokens = _minted(ground.services, ground.serials)
    inspector = {"Authorization": f"Bearer {_on_duty(ground)}"}
    ground.fast.post(CHECK_PATH, headers=inspector, json={"token": ground.tokens["green"]})
    assert len(ground.passed) == 1


def test_the_counts_of_an_hour_end_by_themselves_also_when_only_the_fast_path_counted(
    ground: Ground, clock: StandingClock
) -> None:
    clock.advance(hours=2)
    ground.tokens = _minted(ground.services, ground.serials)
    headers = {"Authorization": f"Bearer {_on_duty(ground)}"}
    ground.fast.post(CHECK_PATH, headers=headers, json={"token": ground.tokens["green"]})
    assert ground.passed == []
    assert 0 < ground.services.redis.ttl(_hour_key(ground)) <= counts.RETENTION_SECONDS


def _minted(services: Services, serials: dict[str, int]) -> dict[str, str]:
    return {"green": services.tokens.mint(serials["green"], State.GREEN, services.clock.now())}


def _on_duty(ground: Ground) -> str:
    ends = ground.services.clock.now() + timedelta(hours=1)
    return ground.services.session_tokens.issue(UserSession(SessionKind.INSPECTOR, 1, 1, 1, ends))


EVERY_TIME = settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@EVERY_TIME
@given(data=st.data())
def test_a_code_is_shown_alike_by_the_fast_path_and_by_flask(ground: Ground, data: st.DataObject) -> None:
    session = ground.sessions[data.draw(st.sampled_from(sorted(ground.sessions)))]
    headers = _headers(session, data.draw(st.sampled_from(LANGUAGES)), data.draw(SCHEMES))
    query = data.draw(st.sampled_from(["", "a=b", "%00"]))
    _cool(ground, data)
    same(ground, *ground.both("GET", SHOW_PATH, headers=headers, query_string=query))


@EVERY_TIME
@given(data=st.data())
def test_a_code_is_checked_alike_by_the_fast_path_and_by_flask(ground: Ground, data: st.DataObject) -> None:
    session = ground.sessions[data.draw(st.sampled_from(["inspector", *sorted(ground.sessions)]))]
    headers = _headers(session, data.draw(st.sampled_from(LANGUAGES)), data.draw(SCHEMES))
    token = ground.tokens[data.draw(st.sampled_from(sorted(ground.tokens)))]
    body = data.draw(st.sampled_from(_bodies(token)))
    kind = data.draw(st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", None]))
    _cool(ground, data)
    before = _counted(ground)
    answers = ground.both("POST", CHECK_PATH, headers=headers, data=body, content_type=kind)
    same(ground, *answers)
    assert _counted(ground) - before in (0, 1), "a token counts once, whichever way"


@EVERY_TIME
@given(data=st.data())
def test_a_document_is_checked_alike_by_the_fast_path_and_by_flask(ground: Ground, data: st.DataObject) -> None:
    session = ground.sessions[data.draw(st.sampled_from(["inspector", *sorted(ground.sessions)]))]
    headers = _headers(session, data.draw(st.sampled_from(LANGUAGES)), data.draw(SCHEMES))
    plain = json.dumps(ground.documents[data.draw(st.sampled_from(sorted(ground.documents)))]).encode()
    odd = [b"", b"{}", b"null", b"[" * 2000, plain + b"x", plain.decode().encode("utf-16"), b"\xff" + plain]
    body = data.draw(st.sampled_from([plain, plain, plain, *odd]))
    _cool(ground, data)
    before, kept = _counted(ground), ground.services.redis.scard(trail.WAITING)
    fast, flask = ground.both("POST", DOCUMENT_PATH, headers=headers, data=body, content_type="application/json")
    same(ground, fast, flask)
    counted = 2 if fast.status_code == 200 and fast.json["action"] != "ask" else 0  # type: ignore[index]
    assert _counted(ground) - before == counted
    assert ground.services.redis.scard(trail.WAITING) - kept >= counted


_ADDED_BY_SCANNERS = (("", "\r\n"), ("", " \t"), (" ", " "), ("\ufeff", "\n "), ("\n", ""))


def _bodies(token: str) -> list[bytes]:
    plain = json.dumps({"token": token}).encode()
    return [
        plain, plain, plain, b"", b"{}", b"[]", b"null", b'"token"', b"{", plain + b"x", b" " + plain + b"\n",
        *(json.dumps({"token": before + token + after}).encode() for before, after in _ADDED_BY_SCANNERS),
        json.dumps({"token": token, "more": 1}).encode(), json.dumps({"token": 7}).encode(),
        json.dumps({"token": token + "\0"}).encode(), json.dumps({"token": token}).encode("utf-16"),
        json.dumps({"token": "x" * 3000}).encode(), b'{"token": "a", ' + plain[1:], b"[" * 2000,
    ]  # fmt: skip


def _cool(ground: Ground, data: st.DataObject) -> None:
    """Now and then the cache knows nothing, or Redis has forgotten who is on duty."""
    what = data.draw(st.sampled_from(["warm", "warm", "cold", "forgotten"]))
    if what == "cold":
        ground.services.cache.drop()
    if what == "forgotten":
        ground.services.cache.delete_values([inspector_key(1, 1)])


def _hour_key(ground: Ground) -> str:
    return counts.key_of(together(ground.services.redis, 1), ground.services.clock.now())


def _counted(ground: Ground) -> int:
    return rollup.day_counts(ground.services, 1, ground.services.clock.now()).total()


def test_the_plain_case_never_comes_to_flask(ground: Ground) -> None:
    bearer = {"Authorization": f"Bearer {ground.sessions['green']}"}
    assert ground.fast.get(SHOW_PATH, headers=bearer).json["state"] == "GREEN"  # type: ignore[index]
    inspector = {"Authorization": f"Bearer {ground.sessions['inspector']}"}
    for token, added, action in (("green", "", "pass"), ("yellow", "", "measure"), ("green", "\r\n", "pass")):
        answer = ground.fast.post(CHECK_PATH, headers=inspector, json={"token": ground.tokens[token] + added})
        assert answer.json["action"] == action  # type: ignore[index]
    assert ground.passed == []


def test_a_document_of_somebody_who_is_known_never_comes_to_flask(ground: Ground) -> None:
    inspector = {"Authorization": f"Bearer {ground.sessions['inspector']}"}
    for person, outcome in (("green", "green"), ("yellow", "yellow"), ("as a reader types", "green")):
        answer = ground.fast.post(DOCUMENT_PATH, headers=inspector, json=ground.documents[person])
        assert answer.json["outcome"] == outcome  # type: ignore[index]
    assert ground.passed == []
    assert ground.services.redis.scard(trail.WAITING) == 3
    for person in ("wrong name", "unknown number", "undeclared"):
        ground.fast.post(DOCUMENT_PATH, headers=inspector, json=ground.documents[person])
    assert len(ground.passed) == 3


def test_the_ceilings_of_an_inspector_are_those_of_both_ways(ground: Ground) -> None:
    limits = DocumentCheckSettings(ceiling="4 per minute; 100 per day", ceiling_not_found="2 per minute")
    limited = ground.services.settings.model_copy(update={"document_checks": limits})
    app = create_app(replace(ground.services, settings=limited))
    flask, inspector = Client(app.wsgi_app), {"Authorization": f"Bearer {ground.sessions['inspector']}"}
    server = put_before(app, replace(ground.services, settings=limited))
    fast = Client(app.wsgi_app)

    def ask(way: Client, person: str) -> int:
        return way.post(DOCUMENT_PATH, headers=inspector, json=ground.documents[person]).status_code

    assert [ask(way, "green") for way in (fast, flask, fast, flask, fast, flask)] == [200] * 4 + [429] * 2
    for key in ground.services.redis.scan_iter("jx:lookups:*"):
        ground.services.redis.delete(key)
    missed = [ask(way, "wrong name") for way in (fast, flask)]
    assert (missed, [ask(way, "green") for way in (fast, flask)]) == ([200, 200], [429, 429])
    end(server)


def test_what_has_become_due_is_asked_of_the_database(ground: Ground, clock: StandingClock) -> None:
    bearer = {"Authorization": f"Bearer {ground.sessions['green']}"}
    clock.advance(hours=1)
    ground.fast.get(SHOW_PATH, headers=bearer)
    assert ground.passed == []
    clock.advance(days=8)  # the verification has expired, and the clock of the jobs has not come yet
    ground.fast.get(SHOW_PATH, headers=bearer)
    assert len(ground.passed) == 1


@pytest.mark.parametrize("first", ["fast", "flask"])
def test_a_token_counts_once_whichever_way_comes_first(ground: Ground, clock: StandingClock, first: str) -> None:
    ways = [ground.fast, ground.flask] if first == "fast" else [ground.flask, ground.fast]
    inspector, counted = {"Authorization": f"Bearer {ground.sessions['inspector']}"}, [_counted(ground)]
    token = ground.services.tokens.mint(ground.serials["green"], State.GREEN, clock.now())
    for way in ways * 2:
        assert way.post(CHECK_PATH, headers=inspector, json={"token": token}).status_code == 200
        counted.append(_counted(ground))
    assert [number - counted[0] for number in counted] == [0, 1, 1, 1, 1]
    [seen] = ground.services.redis.scan_iter(counted_at(ground.services, "seen:*"))
    assert ground.services.redis.scard(seen) == 1 and ground.services.redis.ttl(seen) > 24 * 3600


def test_every_check_of_the_fast_path_is_counted_by_hour_and_color(ground: Ground, clock: StandingClock) -> None:
    inspector = {"Authorization": f"Bearer {ground.sessions['inspector']}"}
    more = ground.services.tokens.mint(ground.serials["green"], State.GREEN, clock.now())
    for token in (ground.tokens["green"], ground.tokens["green"], more, ground.tokens["yellow"]):
        ground.fast.post(CHECK_PATH, headers=inspector, json={"token": token})
    hour = ground.services.redis.hgetall(_hour_key(ground))
    assert hour[b"GREEN/pass"] == b"2"
    assert hour[b"YELLOW/measure"] == b"1"
    assert 0 < ground.services.redis.ttl(_hour_key(ground)) <= counts.RETENTION_SECONDS


def test_checks_at_the_same_moment_are_each_counted_and_a_token_once(ground: Ground, clock: StandingClock) -> None:
    mint, before = ground.services.tokens.mint, _counted(ground)
    tokens = [mint(ground.serials["green"], State.GREEN, clock.now()) for _ in range(10)]
    tokens += [mint(ground.serials["yellow"], State.YELLOW, clock.now()) for _ in range(10)]
    inspector = {"Authorization": f"Bearer {ground.sessions['inspector']}"}

    def check(token: str) -> int:
        return ground.fast.post(CHECK_PATH, headers=inspector, json={"token": token}).status_code

    ground.services.redis.script_flush()  # as after a restart
    with ThreadPoolExecutor(20) as crowd:
        assert list(crowd.map(check, tokens * 3)) == [200] * 60
    assert ground.passed == []
    assert _counted(ground) - before == 20


def test_a_request_of_the_fast_path_is_in_the_metrics(ground: Ground, client: FlaskClient) -> None:
    def shown() -> float:
        found = re.search(
            rf'http_request_duration_seconds_count{{method="GET",route="{SHOW_PATH}",status="200"}} ([0-9.e+]+)',
            _metrics(client),
        )
        return float(found[1]) if found else 0.0

    before = shown()
    ground.fast.get(SHOW_PATH, headers={"Authorization": f"Bearer {ground.sessions['green']}"})
    assert shown() == before + 1


def _metrics(client: FlaskClient) -> str:
    return client.get("/metrics").get_data(as_text=True)
