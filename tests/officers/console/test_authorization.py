"""Who may open what at the console: every route of the system with every kind of caller."""

import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.api.authorization import ANYONE, DEVICE, PARTNER, ROUTE_ROLES, TERMINAL
from app.runtime import Services
from app.staff import officers
from app.staff.context import OPERATOR, begin_as
from app.staff.models import Role
from tests.support.clock import StandingClock
from tests.support.desk import OWN_PAGE, Desk, make_officer
from tests.support.people import Phone, Station

CONSOLE = [route for route in ROUTE_ROLES if route[1].startswith("/console")]
OTHERS = [route for route in ROUTE_ROLES if not route[1].startswith("/console")]
STRANGERS = ("anonymous", "citizen", "inspector", "forger")
PAST = ("disabled", "ended", "idle", "logged out", "without a role")
WITHOUT_SESSION = {*STRANGERS, *PAST} - {"without a role"}
BROWSERS = (*STRANGERS, *PAST, *Role)


def _may_open() -> dict[tuple[str, str], set[str]]:
    """The roles by route, as written down by hand in `may_open.toml`."""
    groups = tomllib.loads(Path(__file__).with_name("may_open.toml").read_text(encoding="utf-8"))["open"]
    found: dict[tuple[str, str], set[str]] = {}
    for group in groups:
        for route in group["routes"]:
            method, _, rule = route.partition(" ")
            assert found.setdefault((method, rule), set(group["roles"])) == set(group["roles"]), f"{route} is twice"
    return found


MAY_OPEN = _may_open()


@pytest.fixture
def browsers(
    console: Services,
    console_app: Flask,
    clock: StandingClock,
    desk: Callable[..., Desk],
    phone: Callable[..., Phone],
    station: Station,
) -> dict[str, FlaskClient]:
    """A browser for every kind of caller, with all that could let it in."""
    idle = desk("administrator", username="idle-1")
    clock.advance(minutes=15)
    citizen = phone().become_green()
    made = {role: desk(role, username=f"the-{role}").client for role in Role}
    disabled, ended, out = (desk("administrator", username=f"gone-{n}") for n in range(3))
    with begin_as(console, OPERATOR) as context:
        officers.disable_officer(context, officers.find_by_username(context.session, "gone-0").id)
        officers.end_sessions(context, officers.find_by_username(context.session, "gone-1").id)
    cookie = out.client.get_cookie("officer")
    out.send("/console/logout")
    out.client.set_cookie("officer", cookie.value if cookie else "")
    roleless = desk("administrator", username="gone-3")
    with console.begin() as session:
        officers.find_by_username(session, "gone-3").roles = []
    strangers = {name: console_app.test_client() for name in STRANGERS}
    for name, token in (("citizen", citizen.session), ("inspector", station.session)):
        strangers[name].environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        strangers[name].set_cookie("officer", str(token))
    strangers["forger"].set_cookie("officer", "A" * 43)
    past = {"disabled": disabled, "ended": ended, "idle": idle, "logged out": out, "without a role": roleless}
    return {**strangers, **{name: one.client for name, one in past.items()}, **made}


def call(client: FlaskClient, method: str, rule: str, officer: int, token: str = "") -> Any:
    path = rule.replace("<int:officer_id>", str(officer)).replace("<int:session_id>", "999999")
    path = path.replace("<int:id_>", "999999").replace("<int:inspector_id>", "999999").replace("<name>", "colors")
    path = path.replace("<path:filename>", "console.css")
    return client.open(
        path, method=method, data={"form": token} if method == "POST" else None, headers=OWN_PAGE, buffered=True
    )


def heard(answer: Any) -> str:
    """`log in`, `refused` by the table, or `in`: a form without its token is refused after the table."""
    if answer.status_code == 303 and answer.location.startswith("/console/login"):
        return "log in"
    if answer.status_code == 403 and "此账号无权进行该操作" in answer.text:
        return "refused"
    return "in"


def expected(who: str, method: str, rule: str) -> str:
    roles = MAY_OPEN[method, rule]
    if not roles:
        return "in"
    if who in WITHOUT_SESSION:
        return "log in"
    return "in" if who in roles else "refused"


@contextmanager
def kept_in(client: FlaskClient) -> Iterator[None]:
    """Give the browser back the cookie that a refusal took away."""
    cookie = client.get_cookie("officer")
    yield
    if cookie is not None:
        client.set_cookie("officer", cookie.value)


@pytest.mark.slow
def test_each_caller_gets_where_it_is_written_down_and_no_further(
    browsers: dict[str, FlaskClient], console: Services
) -> None:
    assert set(browsers) == set(BROWSERS)
    assert set(MAY_OPEN) == set(CONSOLE), "write in may_open.toml who may open it"
    somebody = make_officer(console, "somebody-1").id
    wrong = []
    for who, (method, rule) in product(BROWSERS, CONSOLE):
        with kept_in(browsers[who]):
            answer = call(browsers[who], method, rule, somebody)
        if heard(answer) != expected(who, method, rule):
            wrong.append(f"{who}, {method} {rule}: {heard(answer)}, {answer.status_code}")
    assert not wrong, "\n".join(["Not as may_open.toml says:", *wrong])


def test_the_pages_without_a_session_are_those_of_the_log_in() -> None:
    assert {route for route, roles in MAY_OPEN.items() if not roles} == {
        ("GET", "/console/static/<path:filename>"),
        ("GET", "/console/login"),
        ("POST", "/console/login"),
    }
    assert set().union(*MAY_OPEN.values()) == set(Role)


@pytest.mark.slow
def test_an_officers_cookie_opens_nothing_of_the_citizens_and_the_stations(browsers: dict[str, FlaskClient]) -> None:
    for role, (method, path) in product(Role, OTHERS):
        sent = {"json": {}} if method == "POST" else {}
        answer = browsers[role].open(path, method=method, buffered=True, **sent)  # type: ignore[arg-type]
        wanted = ROUTE_ROLES[method, path]
        refusal = {DEVICE: "device-signature", TERMINAL: "device-signature", PARTNER: "partner-signature"}.get(
            wanted if isinstance(wanted, str) else "", "session-missing"
        )
        assert ((answer.json or {}).get("type") == f"/problems/{refusal}") is (wanted != ANYONE), (role, path)


def test_with_a_password_that_was_given_nothing_opens_but_the_page_to_change_it(
    console: Services, desk: Callable[..., Desk]
) -> None:
    me = desk("recorder")
    with console.begin() as session:
        officer = officers.find_by_username(session, "officer-1")
        officer.must_change_password, officer.roles = True, [*Role]  # as somebody from earlier days may have them
    somebody = make_officer(console, "somebody-1").id
    opened = set()
    for method, rule in CONSOLE:
        if ROUTE_ROLES[method, rule] != ANYONE and rule != "/console/logout":
            answer = call(me.client, method, rule, somebody, token=me.form_token())
            if answer.location != "/console/account/password":
                opened.add((method, rule))
    assert opened == {("GET", "/console/account/password"), ("POST", "/console/account/password")}
    assert me.send("/console/logout", token=_form_token(me)).location == "/console/login?done=logged-out"


def _form_token(me: Desk) -> str:
    found = re.search(r'name="form" value="([^"]+)"', me.get("/console/account/password").text)
    assert found
    return found[1]


def test_a_page_without_a_line_is_open_to_nobody(console: Services, browsers: dict[str, FlaskClient]) -> None:
    app = create_app(console)
    app.add_url_rule("/console/forgotten", view_func=lambda: "secret")
    for who, browser in browsers.items():
        client, cookie = app.test_client(), browser.get_cookie("officer")
        if cookie is not None:
            client.set_cookie("officer", cookie.value)
        answer = client.get("/console/forgotten")
        assert answer.status_code in (303, 403), who
        assert "secret" not in answer.text, who


def test_an_administrator_of_a_district_opens_no_page_of_another(console: Services, desk: Callable[..., Desk]) -> None:
    here = desk("administrator", username="here-1", district="长春市")
    near = make_officer(console, "near-1", district="长春市").id
    away, province = make_officer(console, "away-1", district="吉林市").id, make_officer(console, "all-1").id
    assert here.get(f"/console/officers/{near}").status_code == 200
    listed = here.get("/console/officers").text
    assert "near-1" in listed
    assert "away-1" not in listed and "all-1" not in listed
    for officer in (away, province, 999_999):
        assert here.get(f"/console/officers/{officer}").status_code == 404
        for act in ("", "/disable", "/end-sessions", "/reset-totp", "/reset-password"):
            answer = here.send(f"/console/officers/{officer}{act}", {"roles": ["auditor"], "district": "长春市"})
            assert answer.status_code == 404, (officer, act)
