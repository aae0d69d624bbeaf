"""An installation of 0.1.0 with data comes up on this version, and goes on where it was stopped.

The data were made by the code of 0.1.0 (`make_dump.py`), with what it answered to each citizen. Addresses of the
console may change with a version: those that are used are in one table.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient

from tests.compatibility.installation import Installation
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow  # other processes

CONSOLE = {
    "log in": "/console/login",
    "account": "/console/account",
    "entry": "/console/entries/{id}",
    "approve": "/console/entries/{id}/approve",
    "appeal": "/console/appeals/{id}",
    "uphold": "/console/appeals/{id}/uphold",
}


# --- who acts


class Officer:
    """An officer of the old installation, who logs in with the old password and authenticator."""

    def __init__(self, installation: Installation, username: str) -> None:
        known = installation.expected["officers"]
        self.browser: FlaskClient = installation.client.application.test_client()
        code = pyotp.TOTP(known["secret"]).now()
        answer = self.send("log in", username=username, password=known["password"], code=code)
        assert (answer.status_code, answer.location) == (303, "/console/"), answer.text

    def send(self, what: str, id_: int = 0, **filled: str) -> Any:
        form = re.search(r'name="form" value="([^"]*)"', self.browser.get(CONSOLE["account"]).text)
        data = {"form": form[1] if form else "", **filled}
        own_page = {"Sec-Fetch-Site": "same-origin"}
        return self.browser.post(CONSOLE[what].format(id=id_), data=data, headers=own_page)

    def opens(self, what: str, id_: int) -> int:
        return self.browser.get(CONSOLE[what].format(id=id_)).status_code


@pytest.fixture
def worker(installation: Installation) -> Iterator[None]:
    """The worker of the new version, as a process of its own, until everything that waits is done."""
    with (installation.directory / "worker.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "app", "worker"], stdout=log, stderr=log, env=os.environ)
        try:
            yield
        finally:
            process.kill()  # everything is done: an orderly end takes seconds
            process.wait(PATIENCE)


def lost(expected: Any, answer: Any, place: str = "") -> list[str]:
    """What was answered before and is not answered now; more may be answered than before."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        return [line for name in expected for line in lost(expected[name], answer.get(name), f"{place}.{name}")]
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        pairs = enumerate(zip(expected, answer, strict=True))
        return [line for n, (one, other) in pairs for line in lost(one, other, f"{place}[{n}]")]
    if place.endswith(".id") and type(expected) is type(answer) is int:
        return []  # ids of notices and appeals count one person's own since decision 41
    return [] if expected == answer else [f"{place}: {expected!r} is now {answer!r}"]


# --- the people


def test_every_citizen_is_answered_as_before(installation: Installation) -> None:
    """Colors, reasons, history, messages, appeals and credits, with the session that the phone has kept."""
    for name, citizen in installation.expected["citizens"].items():
        for path, expected in citizen["answers"].items():
            if (name, path) == ("未核验", "/api/v1/code/history"):  # who is not confirmed sees it decided anew, today
                del expected["changes"][0]["policy_version"]
            assert lost(expected, installation.citizen(name, path)) == [], (name, path)


def test_the_installation_has_a_code_of_each_color(installation: Installation) -> None:
    states = Counter(
        installation.citizen(name, "/api/v1/code").get("state") for name in installation.expected["citizens"]
    )
    assert states.keys() == {"GREEN", "YELLOW", "ORANGE", "RED", "UNVERIFIED", None}


def test_citizens_and_inspectors_log_in_with_their_old_passwords(installation: Installation) -> None:
    people = [("/api/v1/accounts/login", one) for one in installation.expected["citizens"].values()]
    for path, known in [*people, ("/api/v1/stations/login", installation.expected["inspector"])]:
        body = {"username": known["username"], "password": known["password"]}
        assert installation.client.post(path, json=body).status_code == 200, known["username"]
        assert installation.client.post(path, json={**body, "password": "wrong"}).status_code == 401


def test_old_sessions_go_on(installation: Installation) -> None:
    headers = {"Authorization": f"Bearer {installation.expected['inspector']['session']}"}
    assert installation.client.get("/api/v1/stations/today", headers=headers).status_code == 200
    assert installation.client.get(CONSOLE["account"]).status_code == 303, "nobody is logged in here"
    installation.client.set_cookie("officer", installation.expected["officer_session"])
    assert installation.client.get(CONSOLE["account"]).status_code == 200


def test_a_code_is_shown_and_checked(installation: Installation) -> None:
    token = installation.citizen("隔离", "/api/v1/code")["token"]
    headers = {"Authorization": f"Bearer {installation.expected['inspector']['session']}"}
    checked = installation.client.post("/api/v1/checks", json={"token": token}, headers=headers)
    assert (checked.json["state"], checked.json["action"]) == ("ORANGE", "stop")


# --- the officers


@pytest.mark.parametrize("name", ["待批", "紧急"])
def test_an_open_entry_can_be_approved(installation: Installation, name: str) -> None:
    id_ = installation.expected["entries"][name]
    approver = Officer(installation, "approver")
    assert approver.opens("entry", id_) == 200
    answer = approver.send("approve", id_)
    assert (answer.status_code, answer.location.endswith("done=entry-applied")) == (303, True), answer.text
    assert approver.send("approve", id_).status_code == 409, "once"
    assert installation.citizen(name, "/api/v1/code")["state"] == "ORANGE"


def test_old_entries_are_added_up_with_new_ones(installation: Installation) -> None:
    missing = "authority_folded is null or (place is null) <> (place_folded is null)"
    assert installation.scalar(f"select count(*) from entries where {missing}") == 0


def test_every_entry_can_be_read(installation: Installation) -> None:
    auditor = Officer(installation, "auditor")
    entries = installation.expected["entries"]
    assert {name: auditor.opens("entry", id_) for name, id_ in entries.items()} == dict.fromkeys(entries, 200)


def test_an_open_appeal_can_be_resolved(installation: Installation) -> None:
    appeals = installation.expected["appeals"]
    officer = Officer(installation, "appeals")
    assert {name: officer.opens("appeal", id_) for name, id_ in appeals.items()} == dict.fromkeys(appeals, 200)
    answer = officer.send("uphold", appeals["密接"], reason="document-confirms")
    assert answer.status_code == 303, answer.text
    appeal = installation.citizen("密接", "/api/v1/appeals")["appeals"][0]
    assert appeal["state"] == "upheld" and appeal["answer"]


# --- the operator


def test_the_old_configuration_is_accepted_and_each_old_name_is_reported(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JIXIANG_ENVIRONMENT", "JIXIANG_CLOCK__FILE"):  # as in production, where no clock can be moved
        monkeypatch.delenv(name)
    for name in ("JIXIANG_WECHAT__API_BASE", "JIXIANG_PLATFORM__BASE_URL"):  # and no sandbox is a partner
        monkeypatch.setenv(name, "https://partner.example")
    monkeypatch.setenv("JIXIANG_WECHAT__COLOR_CHANGE__TEMPLATE_ID", "t-0123")  # nor the template of the demo a template
    checked = installation.jixiang("config", "check")
    assert checked.exit_code == 0, checked.stderr
    for old, new in {
        "web.at_a_time": "web.max_concurrency",
        "limits.login_per_account_anywhere": "limits.login_per_account_global",
        "platform.pause_seconds": "platform.circuit_open_seconds",
        "wechat.callbacks.also_plain": "wechat.callbacks.allow_plaintext",
        "JIXIANG_WEB__AT_A_TIME": "JIXIANG_WEB__MAX_CONCURRENCY",
        "JIXIANG_WECHAT__CALLBACKS__ALSO_PLAIN": "JIXIANG_WECHAT__CALLBACKS__ALLOW_PLAINTEXT",
    }.items():
        assert checked.stderr.count(f"The setting {old} is now called {new};") == 1
        assert f"配置项 {old} 已更名为 {new}" in checked.stderr


def test_the_audit_and_the_cache_verify(installation: Installation) -> None:
    verified = installation.jixiang("audit", "verify", "--json")
    assert verified.exit_code == 0, verified.output
    assert '"number": 0' in verified.stdout
    assert installation.jixiang("audit", "seal").exit_code == 0
    assert installation.jixiang("audit", "verify").exit_code == 0
    for command in ("warm", "verify"):
        done = installation.jixiang("cache", command)
        assert done.exit_code == 0, done.output


def test_what_waited_in_the_queue_is_done_once(installation: Installation, worker: None) -> None:
    waiting = "select count(*) from procrastinate_jobs where status in ('todo', 'doing') and queueing_lock is null"
    assert installation.messages == []
    wait_until(lambda: installation.scalar(waiting) == 0, "the work that waited is not done")
    wait_until(lambda: installation.citizen("未核验", "/api/v1/code")["state"] == "GREEN", "nothing is verified")
    assert sorted(one["touser"] for one in installation.messages) == installation.expected["waiting_notices"]
    for name in ("黄", "发热", "紧急"):
        assert installation.citizen(name, "/api/v1/notices")["notices"][0]["wechat"] == "sent"
    balance = installation.citizen("病人", "/api/v1/subscriptions")["subscriptions"][0]["balance"]
    assert balance == 1, "of the callback that had come and was not handled"
    wait_until(lambda: installation.client.get("/readyz").json["parts"]["cache"] == "ok", "nobody leases the cache")
    ready = installation.client.get("/readyz")
    assert (ready.status_code, ready.json["ready"], ready.json["degraded"]) == (200, True, False), ready.json
