"""Bad input at every endpoint: always a readable problem, nothing half-written, nothing repeated, no crash.

The endpoints are those of the OpenAPI document, so that a new one is tested without being named here twice.
"""

import io
import json
import re
from collections.abc import Callable, Collection, Iterator
from copy import deepcopy
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import text
from werkzeug.test import TestResponse

from app import create_app
from app.core.db import make_engine
from app.core.texts import slugs
from app.runtime import Services
from tests.support.codes import with_engine
from tests.support.devices import Device, open_station
from tests.support.examples import examples
from tests.support.partners import Asker
from tests.support.people import PASSWORD, Phone, Station, id_number, id_number_of_birth
from tests.support.venues import FORM as VENUE_FORM

AtEach = Callable[..., None]
MARK = "Zq9-secret-Zq9"
TOKEN = "JX1:" + "0" * 209
PAPER = "JX2:" + "0" * 188

# The body that each endpoint takes, and its caller.
ENDPOINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "/api/v1/wechat/login": ("nobody", {"code": "0" * 32}),
    "/api/v1/accounts": (
        "visitor",
        {
            "username": "citizen.new",
            "password": PASSWORD,
            "name": "示例新",
            "document": {"type": "id-card", "number": id_number(999)},
            "phone": "13800000001",
        },
    ),
    "/api/v1/accounts/login": ("nobody", {"username": "citizen.new", "password": PASSWORD}),
    "/api/v1/declarations": (
        "citizen",
        {"symptoms": ["cough"], "contact": True, "contact_on": "2020-03-15", "consent": True},
    ),
    "/api/v1/accounts/me/erasure": ("citizen", {"password": PASSWORD}),
    "/api/v1/accounts/me/export": ("citizen", {"password": PASSWORD}),
    "/api/v1/accounts/me/export.pdf": ("citizen", {"password": PASSWORD}),
    "/api/v1/accounts/me/bindings/end": ("citizen", {"number": 1}),
    "/api/v1/appeals": ("ill", {"text": "示例"}),
    "/api/v1/family/invitations": (
        "citizen",
        {"name": "示例亲", "document": {"type": "id-card", "number": id_number(998)}},
    ),
    "/api/v1/family/invitations/accept": ("citizen", {"id": str(UUID(int=3)), "may_declare": True}),
    "/api/v1/family/invitations/decline": ("citizen", {"id": str(UUID(int=3))}),
    "/api/v1/family/members/end": ("citizen", {"id": str(UUID(int=3))}),
    "/api/v1/family/members/declarations": (
        "citizen",
        {"id": str(UUID(int=3)), "symptoms": [], "contact": True, "contact_on": "2020-03-15", "consent": True},
    ),
    "/api/v1/family/holders/end": ("citizen", {"id": str(UUID(int=3))}),
    "/api/v1/family/children": (
        "citizen",
        {
            "name": "示例小",
            "document": {"type": "id-card", "number": id_number_of_birth("20150101")},
            "consent": True,
        },
    ),
    "/api/v1/venues/applications": ("citizen", VENUE_FORM),
    "/api/v1/venues/applications/withdraw": ("citizen", {"id": 1}),
    "/api/v1/venues/entrances": ("citizen", {"venue": 1, "name": "北门"}),
    "/api/v1/venues/close": ("citizen", {"venue": 1}),
    "/api/v1/venues/inspectors": ("citizen", {"venue": 1, "entrance": 1, "username": "gate-one"}),
    "/api/v1/venues/inspectors/move": ("citizen", {"venue": 1, "inspector": 1, "entrance": 1}),
    "/api/v1/venues/inspectors/disable": ("citizen", {"venue": 1, "inspector": 1}),
    "/api/v1/venues/inspectors/enable": ("citizen", {"venue": 1, "inspector": 1}),
    "/api/v1/venues/inspectors/password": ("citizen", {"venue": 1, "inspector": 1}),
    "/api/v1/venues/inspectors/sessions/end": ("citizen", {"venue": 1, "inspector": 1, "session": 1}),
    "/api/v1/venues/codes": ("citizen", {"venue": 1, "entrance": 1}),
    "/api/v1/visits/receipts": ("citizen", {"code": "A"}),
    "/api/v1/venues/handovers": (
        "citizen",
        {"venue": 1, "name": "示例亲", "document": {"type": "id-card", "number": id_number(998)}},
    ),
    "/api/v1/venues/handovers/end": ("citizen", {"venue": 1}),
    "/api/v1/venues/handovers/accept": ("citizen", {"venue": 1}),
    "/api/v1/venues/handovers/decline": ("citizen", {"venue": 1}),
    "/api/v1/subscriptions": ("citizen", {"demo-color-change": "accept"}),
    "/api/v1/stations/login": ("nobody", {"username": "inspector-9", "password": PASSWORD}),
    "/api/v1/checks": ("inspector", {"token": TOKEN}),
    "/api/v1/checks/temperature": ("inspector", {"token": TOKEN, "celsius": 36.6}),
    "/api/v1/checks/document": ("inspector", {"type": "id-card", "number": id_number(7), "name": "示例甲"}),
    "/api/v1/checks/document/temperature": (
        "inspector",
        {"type": "id-card", "number": id_number(7), "name": "示例甲", "celsius": 36.6},
    ),
    "/api/v1/checks/paper": ("inspector", {"token": PAPER, "document_tail": "001X"}),
    "/api/v1/checks/paper/temperature": ("inspector", {"token": PAPER, "document_tail": "001X", "celsius": 36.6}),
    "/api/v1/devices/checks": ("device", {"number": str(UUID(int=1)), "token": TOKEN}),
    "/api/v1/devices/temperatures": (
        "device",
        {"number": str(UUID(int=1)), "celsius": 36.6, "at": "2020-03-20T12:00:00+08:00"},
    ),
    "/api/v1/devices/batches": (
        "device",
        {"checks": [{"number": str(UUID(int=1)), "token": TOKEN, "at": "2020-03-20T12:00:00+08:00"}]},
    ),
    "/api/v1/partners/verification": ("partner", {"reference": "example-1", "token": TOKEN}),
    "/api/v1/partners/query": ("partner", {"reference": "example-1", "token": TOKEN}),
    "/api/v1/partners/correction": (
        "partner",
        {"reference": "example-1", "token": TOKEN, "text": "示例", "consent": True},
    ),
    "/api/v1/checks/offline": (
        "inspector",
        {"checks": [{"id": str(UUID(int=1)), "token": TOKEN, "at": "2020-03-20T12:00:00+08:00", "celsius": 36.6}]},
    ),
}
# what is changed in these is no longer what was signed, and refused before it is read: tests/devices/test_shapes.py
TERMINALS = {"/api/v1/devices/adapters/code-gun", "/api/v1/devices/adapters/signed-gate"}
OPTIONAL = {"/contact_on"}
ONE_WITHOUT_THE_OTHER = {"/username", "/password", "/phone", "/token"}  # needed when something else is there, or is not
OPEN_NAMES = {"/api/v1/subscriptions"}  # its names are templates, so none is missing
NOBODY_KNOWS = 2**70

WRONG: dict[str, Any] = {
    "nothing": None,
    "a truth": True,
    "a falsehood": False,
    "a small number": 7,
    "a huge number": NOBODY_KNOWS,
    "a fraction": 0.5,
    "not a number": float("nan"),
    "endless": float("inf"),
    "an empty text": "",
    "a text": MARK,
    "a number in a text": "36.6",
    "a long text": "长" * 3000,
    "a text with NUL": f"{MARK}\0{MARK}",
    "half a character": f"{MARK}\ud800{MARK}",
    "a right-to-left mark": f"{MARK}\u202e{MARK}",
    "a list": [MARK],
    "an object": {"odd": MARK},
    "much of it": [[[[[[[[MARK]]]]]]]],
}


class Callers:
    """One caller of each kind, with their sessions; each is made when somebody first calls as one."""

    def __init__(self, citizen: Phone, phone: Callable[..., Phone], services: Services) -> None:
        self._client, self._phone, self._services = citizen.client, phone, services
        self._sessions: dict[str, str | None] = {"nobody": None, "citizen": citizen.session}

    def let_in(self, who: str) -> str | None:
        """The session of such a caller."""
        if who not in self._sessions:
            self._sessions[who] = self._log_in(who)
        return self._sessions[who]

    def _log_in(self, who: str) -> str | None:
        if who == "device":
            open_station(self._services)
            self._device = Device.add(self._client, self._services)
            return None
        if who == "partner":
            self._partner = Asker.add(self._client, self._services)
            return None
        if who == "inspector":
            return Station.open(self._client, self._services).session
        person = self._phone(f"示例{who}")
        if who == "ill":
            person.become_green().declare(symptoms=("cough",))
        else:
            person.log_in_with_wechat()
        return person.session

    def send(self, path: str, body: bytes, language: str = "zh", **headers: str) -> TestResponse:
        known = {"Accept-Language": language, "Content-Type": "application/json", **headers}
        if session := self.let_in(ENDPOINTS[path][0]):
            known["Authorization"] = f"Bearer {session}"
        elif ENDPOINTS[path][0] == "device":
            known |= self._device.headers("POST", path, body)
        elif ENDPOINTS[path][0] == "partner":
            known |= self._partner.headers(path.rsplit("/", 1)[-1], body)
        return self._client.post(path, data=body, headers=known)


@pytest.fixture
def callers(
    green_citizen: Phone, phone: Callable[..., Phone], services: Services, request: pytest.FixtureRequest
) -> Callers:
    """Callers, of whom the one whom a test is about has logged in before it begins."""
    made = Callers(green_citizen, phone, services)
    if "path" in request.fixturenames:
        made.let_in(ENDPOINTS[request.getfixturevalue("path")][0])
    return made


@pytest.fixture
def at_each(services: Services, callers: Callers, subtests: pytest.Subtests) -> AtEach:
    """Does something at each endpoint, with callers of all kinds; no row may come or go meanwhile.

    What is refused changes nothing: so they share their callers.
    """
    with services.engine.connect() as connection:
        tables = connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
    counted = sorted(set(tables) - {"failed_logins", "partner_counts"})  # which are counted, and nothing else
    query = text(" union all ".join(f"select '{name}', count(*) from {name}" for name in counted))

    def rows() -> list[tuple[str, int]]:
        with services.engine.connect() as connection:
            return [(name, number) for name, number in connection.execute(query)]

    def go_through(check: Callable[[str], None], but: Collection[str] = ()) -> None:
        for who, _ in ENDPOINTS.values():
            callers.let_in(who)
        before = rows()
        for path in ENDPOINTS:
            if path not in but:
                with subtests.test(path):
                    check(path)
                    assert rows() == before

    return go_through


def leaves(body: dict[str, Any], at: str = "") -> Iterator[str]:
    """A pointer to everything in a body."""
    for name, value in body.items():
        yield f"{at}/{name}"
        if isinstance(value, dict):
            yield from leaves(value, f"{at}/{name}")


def changed(body: dict[str, Any], pointer: str, change: Callable[[dict[str, Any], str], Any]) -> dict[str, Any]:
    """The body with something done at the pointer."""
    body = deepcopy(body)
    *way, last = pointer[1:].split("/")
    place = body
    for step in way:
        place = place[step]
    change(place, last)
    return body


def assert_problem(answer: TestResponse, status: int | None = None) -> list[str]:
    """The answer is a problem as every one looks; returns the pointers of the bad fields."""
    assert 400 <= answer.status_code < 500, answer.text
    assert status in (None, answer.status_code), answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json
    assert set(body) - {"errors"} == {"type", "title", "detail", "status"}
    assert body["status"] == answer.status_code
    prefix, _, slug = body["type"].rpartition("/")
    assert prefix == "/problems"
    assert slug in slugs("problems")
    assert body["title"] and body["detail"]
    assert MARK not in answer.text
    for error in body.get("errors", []):
        assert set(error) == {"pointer", "detail"}
        assert error["detail"]
    return [error["pointer"] for error in body.get("errors", [])]


def slug_of(answer: TestResponse) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def test_every_endpoint_that_takes_a_body_is_tried(client: FlaskClient) -> None:
    paths = client.get("/openapi/openapi.json").json["paths"]
    taking = {path for path, verbs in paths.items() if "requestBody" in verbs.get("post", {})}
    assert taking == set(ENDPOINTS) | TERMINALS


# --- fields -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_value_of_the_wrong_kind_is_refused_with_its_pointer(callers: Callers, at_each: AtEach) -> None:
    def send(path: str, pointer: str, what: str, value: Any) -> None:
        body = changed(ENDPOINTS[path][1], pointer, lambda place, name: place.update({name: value}))
        answer = callers.send(path, json.dumps(body).encode())
        pointers = assert_problem(answer)
        if answer.status_code == 422 and slug_of(answer) == "invalid-request":
            assert any(found == pointer or found.startswith(pointer + "/") for found in pointers), (what, answer.text)

    def send_all(path: str) -> None:
        for pointer, (what, value) in product(leaves(ENDPOINTS[path][1]), WRONG.items()):
            if not fits(pointer, value) and not (path in NAMES_OF_PLACES and is_name_of_place(pointer, value)):
                send(path, pointer, what, value)

    at_each(send_all)


def fits(pointer: str, value: Any) -> bool:
    """Whether the odd value is a good one at this place, or makes another field wrong."""
    if pointer == "/demo-color-change" and isinstance(value, str):
        return True  # a word of WeChat's that we do not know is passed over
    good: dict[str, tuple[Any, ...]] = {
        "/contact": (True, False),
        "/consent": (True,),
        "/symptoms": ([],),
        "/username": (MARK, f"{MARK}\u202e{MARK}"),  # folded
        "/text": (MARK, "36.6"),
        "/password": (MARK, f"{MARK}\u202e{MARK}"),
    }
    return any(value == other and type(value) is type(other) for other in good.get(pointer, ()))


NAMES_OF_PLACES = {"/api/v1/venues/applications"}


def is_name_of_place(pointer: str, value: Any) -> bool:
    """Whether the odd value can be the name of a venue, its address or its entrances."""
    return (pointer in ("/name", "/address") and value in (MARK, "36.6")) or (
        pointer == "/entrances" and value == [MARK]
    )


def test_a_missing_field_is_named(callers: Callers, at_each: AtEach) -> None:
    def leave_out(path: str) -> None:
        for pointer in leaves(ENDPOINTS[path][1]):
            body = changed(ENDPOINTS[path][1], pointer, dict.pop)
            answer = callers.send(path, json.dumps(body).encode(), language="en")
            assert assert_problem(answer, 422) == [pointer]
            assert slug_of(answer) == "invalid-request"
            detail = answer.json["errors"][0]["detail"]
            wanted = "must name the last day of contact" if pointer in OPTIONAL else "is required"
            assert detail.split(":")[0] == wanted, "and perhaps more about it"

    at_each(leave_out, but=OPEN_NAMES)


def test_an_unknown_field_is_refused(callers: Callers, at_each: AtEach) -> None:
    def send(path: str) -> None:
        answer = callers.send(path, json.dumps({**ENDPOINTS[path][1], "color": MARK}).encode())
        assert "/color" in assert_problem(answer, 422)

    at_each(send)


def test_a_field_with_an_odd_name_does_no_harm(callers: Callers, at_each: AtEach) -> None:
    def send(path: str) -> None:
        for name in ("\0", "\ud800", "a/b~c", "长" * 200, "__proto__", ""):
            answer = callers.send(path, json.dumps({**ENDPOINTS[path][1], name: 1}).encode())
            assert_problem(answer, 422)
            assert len(answer.data) < 1500

    at_each(send)


def test_a_name_that_no_encoding_knows_is_told_as_far_as_it_can_be(callers: Callers) -> None:
    answer = callers.send("/api/v1/subscriptions", json.dumps({"\ud800": "accept"}).encode())
    assert assert_problem(answer, 422) == ["/?"]


def test_every_bad_field_of_a_registration_is_told_at_once_in_the_callers_language(callers: Callers) -> None:
    body = {
        "username": "-x-x",
        "password": "aaaaaaaa",
        "name": "12345",
        "document": {"type": "id-card", "number": "220102199001011234"},
        "phone": "12345678",
    }
    answer = callers.send("/api/v1/accounts", json.dumps(body).encode(), language="en")
    assert sorted(assert_problem(answer, 422)) == ["/document/number", "/name", "/password", "/phone", "/username"]
    assert not re.search("[\u4e00-\u9fff]", answer.text)
    for private in ("220102199001011234", "12345678", "aaaaaaaa"):
        assert private not in answer.text


def test_titles_are_chinese_unless_english_is_asked_for(callers: Callers, at_each: AtEach) -> None:
    def ask(path: str) -> None:
        for language, ascii_only in (("", False), ("zh-CN", False), ("fr", False), ("en-US,en;q=0.9", True)):
            answer = callers.send(path, b"{}", language=language)
            assert_problem(answer, 422)
            assert answer.json["title"].isascii() is ascii_only, language
            assert answer.json["detail"].isascii() is ascii_only, language

    at_each(ask)


# --- bodies -----------------------------------------------------------------------------------------------------

BODIES: dict[str, tuple[bytes, int]] = {
    "no JSON": (b"code=" + MARK.encode(), 400),
    "half of it": (b'{"code": "', 400),
    "a list": (b"[1, 2]", 400),
    "a text": (f'"{MARK}"'.encode(), 400),
    "null": (b"null", 400),
    "a number": (b"1e999", 400),
    "not UTF-8": (b'{"code": "\xff\xfe"}', 400),
    "a number of 5,000 digits": (b'{"code": ' + b"9" * 5000 + b"}", 400),
    "nested deep": (b'{"code": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
    "objects nested deep": (b'{"a":' * 2000 + b"1" + b"}" * 2000, 400),
    "nested as deep as is read": (b'{"code": ' + b"[" * 31 + b"]" * 31 + b"}", 422),
    "nested one deeper": (b'{"code": ' + b"[" * 32 + b"1" + b"]" * 32 + b"}", 400),
    "a byte order mark": (b"\xef\xbb\xbf{}", 422),
    "empty": (b"", 422),
    "an empty object": (b"{}", 422),
    "blank": (b"   ", 400),
    "too large": (b'{"code": "' + b"x" * 70_000 + b'"}', 413),
}


@pytest.mark.slow
def test_a_body_that_is_no_json_object_is_refused(callers: Callers, at_each: AtEach) -> None:
    def send(path: str) -> None:
        for what, (body, status) in BODIES.items():
            if what == "too large" and path == "/api/v1/appeals":
                continue  # pictures come here; its own bound is tested beside them
            answer = callers.send(path, body)
            assert answer.status_code == status, (what, answer.text)
            assert_problem(answer)

    at_each(send)


@pytest.mark.slow
def test_a_body_of_another_kind_is_refused(callers: Callers, at_each: AtEach) -> None:
    def send(path: str) -> None:
        body = json.dumps(ENDPOINTS[path][1]).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", ""):
            answer = callers.send(path, body, **{"Content-Type": kind})
            assert_problem(answer, 415)
            assert slug_of(answer) == "unsupported-media-type"

    at_each(send)


def test_of_a_body_that_is_not_there_the_missing_fields_are_named(callers: Callers, at_each: AtEach) -> None:
    def send_nothing(path: str) -> None:
        needed = sorted(f"/{name}" for name in ENDPOINTS[path][1] if f"/{name}" not in OPTIONAL)
        some = [name for name in needed if name not in ONE_WITHOUT_THE_OTHER]
        for how in ({}, {"Content-Type": ""}):
            answer = callers.send(path, b"", language="en", **how)
            assert sorted(assert_problem(answer, 422)) in (needed, some)
            assert {error["detail"] for error in answer.json["errors"]} == {"is required"}

    at_each(send_nothing, but=OPEN_NAMES)


def test_a_large_body_that_does_not_tell_its_length_is_too_large(client: FlaskClient) -> None:
    for size, status in ((1_000_000, 413), (1_000, 401)):
        body = json.dumps({"username": "nobody", "password": "x" * 100}).encode() + b" " * size
        answer = client.post(
            "/api/v1/accounts/login",
            input_stream=io.BytesIO(body),
            headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert_problem(answer, status)


def test_of_two_fields_with_one_name_the_last_counts(callers: Callers) -> None:
    body = b'{"symptoms": [], "contact": false, "consent": true, "consent": false}'
    assert assert_problem(callers.send("/api/v1/declarations", body), 422) == ["/consent"]
    body = b'{"symptoms": ["fever"], "symptoms": [], "contact": false, "consent": true}'
    assert callers.send("/api/v1/declarations", body).json["color"] == "GREEN"


# --- addresses and methods --------------------------------------------------------------------------------------


def test_an_address_that_does_not_exist_is_a_problem_too(client: FlaskClient) -> None:
    paths = ("/nothing", "/api/v1/codes", "/api/v2/code", "/api/v1/code/", "/api/v1/%00", "/.env")
    for path, method in product(paths, ("GET", "POST", "DELETE")):
        answer = client.open(path, method=method, json={} if method == "POST" else None)
        assert_problem(answer, 404)
        assert slug_of(answer) == "not-found", (method, path)


def test_a_method_that_an_address_does_not_take_is_refused_with_those_that_it_takes(client: FlaskClient) -> None:
    for path, verbs in client.get("/openapi/openapi.json").json["paths"].items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {verb.upper() for verb in verbs}:
            answer = client.open(path, method=method, json={} if method != "GET" else None)
            assert_problem(answer, 405)
            assert slug_of(answer) == "method-not-allowed"
            assert {verb.upper() for verb in verbs} <= set(answer.headers["Allow"].split(", "))


def test_a_page_that_cannot_be_is_refused(green_citizen: Phone) -> None:
    odd = ("before=x", "before=0", "before=-1", "before=", "before=1e9", f"before={2**70}", "page=2", "before=%00")
    for path, query in product(("/api/v1/notices", "/api/v1/code/history"), odd):
        [pointer] = assert_problem(green_citizen.get(f"{path}?{query}"), 422)
        assert pointer == "/" + query.split("=")[0], path


# --- anything at all --------------------------------------------------------------------------------------------

texts = st.text(st.characters(codec=None), max_size=40)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@pytest.mark.parametrize("path", ENDPOINTS)
def test_whatever_comes_the_answer_is_a_success_or_a_problem(callers: Callers, path: str) -> None:
    names = sorted(ENDPOINTS[path][1])
    bodies = st.fixed_dictionaries({}, optional={name: st.just(ENDPOINTS[path][1][name]) | anything for name in names})

    @hypothesis(
        max_examples=examples(40),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(bodies | anything)
    def send(body: Any) -> None:
        answer = callers.send(path, json.dumps(body).encode())
        if answer.status_code >= 300:
            assert_problem(answer)

    send()


# --- what goes wrong on our side --------------------------------------------------------------------------------


def test_an_error_of_ours_says_nothing_of_itself(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    app = create_app(services)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken() -> None:
        raise RuntimeError(f"connection of {MARK} failed")

    app.view_functions["codes.home"] = broken
    answer = app.test_client().get("/api/v1/home", headers={"Accept-Language": "en"})
    assert (answer.status_code, slug_of(answer)) == (500, "internal")
    assert answer.content_type == "application/problem+json"
    assert MARK not in answer.text
    assert "RuntimeError" not in answer.text
    logged = capsys.readouterr()
    assert "RuntimeError" in logged.out
    assert "test_problems.py:" in logged.out
    assert MARK not in logged.out + logged.err


def test_without_its_database_the_system_says_that_it_is_out_of_reach(
    services: Services, phone: Callable[..., Phone]
) -> None:
    citizen = phone()
    citizen.register()
    engine = make_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", 1)
    client = create_app(with_engine(services, engine)).test_client()
    body = {"symptoms": [], "contact": False, "consent": True}
    headers = {"Authorization": f"Bearer {citizen.session}"}
    answer = client.post("/api/v1/declarations", json=body, headers=headers)
    assert (answer.status_code, slug_of(answer)) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "127.0.0.1" not in answer.text
