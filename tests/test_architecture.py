"""The architecture page is true: its layers are those of the import contract, and its walks are what the code does."""

import re
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.api.wechat import callbacks
from app.runtime import Services
from app.wechat.callbacks.envelope import Stamp, write_callback
from tests.support.codes import fever, tell, with_short_lease, without_redis
from tests.support.desk import Desk, make_officer
from tests.support.forms import ORDER, page_of, save
from tests.support.people import Phone, Station

ROOT = Path(__file__).parent.parent
APP = f"{ROOT / 'app'}/"
PAGE = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
MOST_FILES = {"A color changes": 7, "Saving an entry": 10, "Approving an entry": 8}
FEW_FILES = 6  # in every other walk
COMES_BACK = {"A color changes": {"codes/batch_change.py"}}  # which has the decision made in between


@pytest.fixture
def app(services: Services) -> Flask:
    """Flask alone, which answers in the thread of the test, where the steps are noted."""
    return create_app(services)


class Step(NamedTuple):
    """A function of a walk, and the module that it is in."""

    file: str
    function: str


def _walks(page: str) -> dict[str, list[Step]]:
    """The steps of each walk, by its name."""
    walks = re.findall(r"^\d+\. \*\*(.+?)[.。]\*\*(.*(?:\n +.*)*)", page, re.MULTILINE)
    return {name: [Step(*step) for step in re.findall(r"`([\w/]+\.py):(\w+)`", text)] for name, text in walks}


WALKS = _walks(PAGE)


def test_the_layers_of_the_page_are_those_of_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    enforced = [set(layer.replace("app.", "").split(" | ")) for layer in contracts[0]["layers"]]
    table = PAGE.partition("## Layers")[2].partition("\n## ")[0]
    described = [set(re.findall(r"`(\w+)`", row)) for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)]
    assert described == enforced


def test_the_walks_of_the_chinese_page_take_the_same_steps() -> None:
    page = (ROOT / "docs/explanation/architecture.zh.md").read_text(encoding="utf-8")
    assert list(_walks(page).values()) == list(WALKS.values())


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_passes_few_files_and_none_of_them_twice(name: str) -> None:
    files = [step.file for step in WALKS[name]]
    assert 0 < len(set(files)) <= MOST_FILES.get(name, FEW_FILES)
    assert {file for file in files if files.count(file) > 1} == COMES_BACK.get(name, set())


# --- each walk is taken, and the calls are compared with the page


@contextmanager
def calls() -> Iterator[list[Step]]:
    """Collect the functions of `app` that are called, in every thread that starts meanwhile."""
    called: list[Step] = []

    def note(frame: FrameType, kind: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if kind == "call" and file.startswith(APP):
            called.append(Step(file.removeprefix(APP), frame.f_code.co_name))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def assert_walked(name: str, called: list[Step]) -> None:
    """Fail at the first step of the page that was not called after the step before it."""
    rest = iter(called)
    missing = [step for step in WALKS[name] if step not in rest]
    assert missing == []


def test_a_log_in_walks_as_the_page_says(phone: Callable[..., Phone]) -> None:
    known = phone()
    known.register()
    with calls() as called:
        assert known.log_in_with_wechat().status_code == 200
    assert_walked("Log-in", called)


def test_a_declaration_and_its_verification_walk_as_the_page_says(phone: Callable[..., Phone]) -> None:
    citizen = phone()
    citizen.register()
    with calls() as called:
        assert citizen.declare().status_code == 201
    assert_walked("Declaration", called)
    assert_walked("Verification", called)


def test_a_color_and_its_notice_walk_as_the_page_says(
    phone: Callable[..., Phone], station: Station, work: Callable[[], None]
) -> None:
    citizen = phone().become_green()
    citizen.subscribe()
    token = citizen.code()["token"]
    work()
    with calls() as called:
        assert station.measure(token, 37.5).status_code == 200
    assert_walked("A color changes", called)
    with calls() as called:
        work()
    assert_walked("Notice", called)
    with calls() as called:
        assert citizen.color() == "YELLOW"
    assert_walked("查看吉祥码", called)


def test_a_check_walks_as_the_page_says(phone: Callable[..., Phone], station: Station) -> None:
    token = phone().become_green().code()["token"]
    with calls() as called:
        answer = station.client.post(
            "/api/v1/checks",
            json={"token": token},
            headers={"Authorization": f"Bearer {station.session}", "Content-Type": "application/json; charset=utf-8"},
        )
    assert answer.status_code == 200
    assert_walked("Check", called)


def test_a_callback_and_its_effect_walk_as_the_page_says(
    services: Services,
    client: FlaskClient,
    phone: Callable[..., Phone],
    work: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callbacks, "_writers", ThreadPoolExecutor(1))  # calls are seen in new threads only
    citizen = phone().become_green()
    openid = requests.post(f"{citizen.wechat}/sandbox/users", json={"name": citizen.name}, timeout=5).json()["openid"]
    answer = {"TemplateId": "demo-color-change", "SubscribeStatusString": "accept", "PopupScene": 0}
    event = {"ToUserName": "gh_0123456789ab", "FromUserName": openid, "CreateTime": 1584676800, "MsgType": "event"}
    message = {**event, "Event": "subscribe_msg_popup_event", "List": [answer]}
    assert services.callback_keys is not None
    query, body = write_callback(
        services.callback_keys, message, "safe", "json", Stamp.fresh(services.real_clock.now())
    )
    with calls() as called:
        assert client.post("/wechat/callback", query_string=query, data=body).text == "success"
    assert_walked("Callback", called)
    with calls() as called:
        work()
    assert_walked("Effect of a callback", called)
    assert citizen.balance() == 1


def test_an_entry_is_saved_and_approved_as_the_page_says(
    services: Services, app: Flask, phone: Callable[..., Phone]
) -> None:
    citizen = phone().become_green()
    for name in ("recorder", "approver"):
        make_officer(services, f"the-{name}", name, district="长春市")
    recorder, approver = (Desk(app, services, f"the-{name}").ensure_logged_in() for name in ("recorder", "approver"))
    with calls() as called:
        saved = page_of(save(recorder, citizen.document, **ORDER))
    assert_walked("Saving an entry", called)
    with calls() as called:
        approver.sign(f"{saved}/approve")
    assert_walked("Approving an entry", called)
    assert citizen.color() == "ORANGE"


def test_the_cache_lease_is_renewed_as_the_page_says(services: Services, phone: Callable[..., Phone]) -> None:
    citizen = phone().become_green()
    tell(without_redis(with_short_lease(services)), 1, fever(services.clock.now()))  # what Redis has not confirmed
    with calls() as called:
        assert services.lease.renew()
    assert_walked("The cache lease", called)
    assert citizen.color() == "YELLOW"
