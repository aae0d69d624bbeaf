"""`jixiang officers`: the first administrator is made there, and whoever is locked out is helped there."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import base, main
from app.runtime import Services
from app.staff import officers, sessions
from app.staff.models import Role
from devstack.cli import main as devstack
from tests.support.desk import Desk, make_officer
from tests.support.people import PASSWORD


@pytest.fixture
def jixiang(console: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command of officers with the services of the test."""
    monkeypatch.setattr(base, "services", lambda: console)
    return lambda *words, **options: CliRunner().invoke(main, ["officers", *words], **options)


def add(jixiang: Callable[..., Result], *more: str) -> Result:
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    return jixiang("add", "--username", "first-1", "--name", "示例一", *more, input=typed)


def test_the_first_administrator_is_made_and_logs_in(
    console: Services, console_app: Any, jixiang: Callable[..., Result]
) -> None:
    from app.staff import totp

    made = add(jixiang, "--role", "administrator")
    assert made.exit_code == 0, made.output
    assert PASSWORD not in made.output
    assert "█" in made.output
    secret = re.search(r"otpauth://totp/\S+secret=([A-Z2-7]{32})", made.output)
    assert secret
    code = totp.code_at(secret[1], console.clock.now())
    assert Desk(console_app, console, "first-1").log_in(code=code).status_code == 303


def test_an_operator_sets_no_password_beside_two_administrators_and_auditors_see_where_they_did(
    console: Services, desk: Callable[..., Desk], jixiang: Callable[..., Result]
) -> None:
    def names(*usernames: str) -> list[bool]:
        shown = re.search(r'aria-labelledby="alone".*?</section>', auditor.get("/console/audit").text, re.DOTALL)
        assert shown
        return [username in shown[0] for username in usernames]

    auditor = desk("auditor", username="aud-1")
    assert add(jixiang, "--role", "administrator").exit_code == 0
    assert names("first-1") == [True]
    make_officer(console, "second-1", "administrator")
    new = ("--username", "new-1", "--name", "示例新", "--role", "recorder")
    refused = jixiang("add", *new, env={"JIXIANG_NEW_PASSWORD": PASSWORD})
    assert (refused.exit_code, "another administrator" in refused.output.splitlines()[-1]) == (1, True)
    added = jixiang("add", *new)
    assert (added.exit_code, "otpauth://" in added.output) == (0, True)
    assert "An administrator sets the first password of new-1" in added.stderr
    assert "another administrator" in jixiang("reset-password", "--username", "new-1").output
    assert names("first-1", "new-1") == [True, False]


def test_mistakes_are_one_line(jixiang: Callable[..., Result]) -> None:
    for more, told in (
        (("--role", "root"), "/roles is not one of the choices"),
        (("--role", "administrator", "--role", "auditor"), "/roles cannot be combined with other roles"),
        (("--role", "auditor", "--district", "示例市"), "/district is not one of the choices"),
    ):
        refused = add(jixiang, *more)
        assert refused.exit_code == 1
        assert told in refused.output.splitlines()[-1]
        assert "Password" not in refused.output, "nothing is asked before all is right"
    assert add(jixiang, "--role", "auditor", "--password", PASSWORD).exit_code == 2
    assert add(jixiang, "--role", "auditor").exit_code == 0
    again = add(jixiang, "--role", "auditor")
    assert (again.exit_code, "Password" in again.output) == (1, False)
    for act in ("disable", "end-sessions", "reset-totp", "reset-password"):
        refused = jixiang(act, "--username", "nobody-1")
        assert (refused.exit_code, "no such officer" in refused.output) == (1, True), act


def test_an_operator_ends_sessions_resets_and_closes(
    console: Services, console_app: Any, jixiang: Callable[..., Result]
) -> None:
    make_officer(console, "officer-1", "administrator")
    me = Desk(console_app, console).ensure_logged_in()
    assert jixiang("end-sessions", "--username", "officer-1").output == "Ended sessions of officer-1: 1\n"
    assert not me.is_in()
    assert "otpauth://" in jixiang("reset-totp", "--username", "officer-1").output
    assert me.log_in().status_code == 401
    assert jixiang("disable", "--username", "officer-1").exit_code == 0
    assert "closed" in jixiang("list").output
    assert '"disabled": true' in jixiang("list", "--json").output
    with console.sessions() as session:
        assert sessions.list_active(session, 1, console.clock.now(), console.settings.officers.idle) == []


def test_an_operator_helps_who_forgot_the_password(
    console: Services, console_app: Any, jixiang: Callable[..., Result]
) -> None:
    make_officer(console, "officer-1", "administrator")
    me = Desk(console_app, console).ensure_logged_in()
    told = jixiang("reset-password", "--username", "Officer-1").output
    assert not me.is_in()
    me = Desk(console_app, console)
    with console.begin() as session:
        officers.find_by_username(session, "officer-1").totp_step = None
    assert me.log_in().status_code == 401
    assert me.log_in(password=told.splitlines()[-1]).status_code == 303
    assert me.get("/console/").location == "/console/account/password"


def test_the_demo_has_one_officer_for_each_role_and_none_in_production(
    console: Services, jixiang: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    def make_officers() -> Result:
        return CliRunner().invoke(devstack, ["officers"])

    assert [make_officers().exit_code for _ in range(2)] == [0, 0]
    listed = jixiang("list", "--json").output
    assert all(f'["{role}"]' in listed for role in Role)
    production = console.settings.model_copy(update={"environment": "production"})
    monkeypatch.setattr(base, "services", lambda: replace(console, settings=production))
    refused = make_officers()
    assert (refused.exit_code, "no place in production" in refused.output) == (1, True)
