"""The platform sandbox over real HTTP: it keeps its contract and can be told to fail."""

import hashlib
import hmac
import itertools
import json
import logging
import re
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from platform_sandbox import create_sandbox
from sandbox_kit.testing import Clock, served

APP_KEY, SECRET = "jixiang-demo", "platform-secret-0001"
NUMBER = "X00000001"
QUESTION: dict[str, Any] = {
    "reference": "declaration-1",
    "name": "李小禾",
    "document": {"type": "passport", "number": NUMBER},
    "phone": "00000000000",
    "declaration": {
        "symptoms": [],
        "contact_on": None,
        "declared_at": "2020-03-11T15:00:00+08:00",
    },
}
CONTACT = {
    "kind": "contact",
    "authority": "长春市疾病预防控制中心",
    "document": "长疾控〔2020〕12号",
    "since": "2020-03-10T09:00:00+08:00",
    "exposed_on": "2020-03-08",
}
QUARANTINE = {
    "kind": "quarantine",
    "authority": "长春市疾病预防控制中心",
    "document": "长疾控〔2020〕13号",
    "since": "2020-03-10T09:00:00+08:00",
    "first_day": "2020-03-10",
    "last_day": "2020-03-23",
}


class Platform:
    """A running sandbox, asked as the contract says, with a signature of the tests' own making."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url, self.clock = url, clock
        self._nonces = itertools.count()

    def ask(
        self,
        question: object = QUESTION,
        *,
        body: bytes | None = None,
        secret: str = SECRET,
        nonce: str | None = None,
        age: int = 0,
        to: str = "/verification",
        signed: tuple[str, str] | None = None,
        **headers: str,
    ) -> requests.Response:
        body = json.dumps(question).encode() if body is None else body
        timestamp = str(int(self.clock().timestamp()) - age)
        nonce = f"nonce-{next(self._nonces)}" if nonce is None else nonce
        lines = [*(signed or ("POST", to)), timestamp, nonce, hashlib.sha256(body).hexdigest()]
        mac = hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        sent = {
            "X-App-Key": APP_KEY,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": mac,
            "Content-Type": "application/json",
        }
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return requests.post(self.url + to, data=body, headers=sent, timeout=10)

    def answer(self, **changes: object) -> dict[str, Any]:
        response = self.ask({**QUESTION, **changes})
        assert response.status_code == 200, response.text
        envelope = response.json()
        assert (envelope["code"], envelope["message"]) == (0, "ok")
        return dict(envelope["data"])

    def control(self, method: str, path: str, body: object = None) -> Any:
        response = requests.request(method, f"{self.url}/sandbox{path}", json=body, timeout=10)
        assert response.status_code == 200, response.text
        return response.json()


Start = Callable[..., Platform]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app))


@pytest.fixture
def start(serve: Callable[[Flask], str], clock: Clock) -> Start:
    def run(**options: Any) -> Platform:
        return Platform(serve(create_sandbox(APP_KEY, SECRET, now=clock, **options)), clock)

    return run


@pytest.fixture
def platform(start: Start) -> Platform:
    return start()


# --- answers --------------------------------------------------------------------------------


def test_a_stranger_is_consistent_and_has_no_findings(platform: Platform) -> None:
    data = platform.answer()
    assert set(data) == {"result", "reference", "checked_at", "findings"}
    assert (data["result"], data["findings"]) == ("consistent", [])
    assert datetime.fromisoformat(data["checked_at"]) == platform.clock()
    assert data["checked_at"].endswith("+08:00")


def test_what_the_platform_knows_of_a_person_is_in_the_answer(platform: Platform) -> None:
    platform.control("PUT", f"/people/{NUMBER}", {"findings": [CONTACT, QUARANTINE]})
    data = platform.answer()
    assert data["result"] == "consistent"
    assert data["findings"] == [
        {**CONTACT, "first_day": None, "last_day": None},
        {**QUARANTINE, "exposed_on": None},
    ]
    other = platform.answer(document={"type": "passport", "number": "X00000002"})
    assert other["findings"] == []


@pytest.mark.parametrize("kind", ["suspected", "confirmed"])
def test_a_case_has_no_days_of_its_own(platform: Platform, kind: str) -> None:
    case = {name: CONTACT[name] for name in ("authority", "document", "since")}
    platform.control("PUT", f"/people/{NUMBER}", {"findings": [{"kind": kind, **case}]})
    (finding,) = platform.answer()["findings"]
    assert finding["kind"] == kind
    assert finding["exposed_on"] is finding["first_day"] is finding["last_day"] is None


def test_a_wrong_identity_is_told(platform: Platform) -> None:
    platform.control("PUT", f"/people/{NUMBER}", {"result": "identity-mismatch"})
    assert platform.answer()["result"] == "identity-mismatch"
    assert platform.control("DELETE", f"/people/{NUMBER}") == {"forgotten": True}
    assert platform.answer()["result"] == "consistent"
    assert platform.control("DELETE", f"/people/{NUMBER}") == {"forgotten": False}


@pytest.mark.parametrize(
    ("changes", "mismatched"),
    [
        ({}, []),
        ({"phone": None}, []),  # withdrawn: nothing to compare
        ({"name": "李 小禾"}, ["name"]),
        ({"phone": "+8600000000000"}, ["phone"]),
        ({"name": "李小何", "phone": "00000000001"}, ["name", "phone"]),
    ],
)
def test_a_known_name_and_phone_are_compared_letter_by_letter(
    platform: Platform, changes: dict[str, Any], mismatched: list[str]
) -> None:
    known = {"name": "李小禾", "phone": "00000000000"}
    shown = platform.control("PUT", f"/people/{NUMBER}", known)
    assert (shown["name"], shown["phone"]) == ("李小禾", "00000000000")
    data = platform.answer(**changes)
    assert (data["result"] == "consistent", data.get("mismatched", [])) == (not mismatched, mismatched)


def test_the_same_reference_has_the_same_answer_reference(platform: Platform) -> None:
    first, again = platform.answer(), platform.answer()
    other = platform.answer(reference="declaration-2")
    assert first["reference"] == again["reference"] != other["reference"]


# --- signatures -----------------------------------------------------------------------------


def code_of(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()["code"]


def test_the_readme_lists_every_path() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    rules = [(rule.rule, rule.methods or set()) for rule in create_sandbox(APP_KEY, SECRET).url_map.iter_rules()]
    paths = {(method, path) for path, methods in rules for method in methods - {"HEAD", "OPTIONS"}}
    listed = set(re.findall(r"^\| `([A-Z]+) (/sandbox/\S+)` \|", readme, re.MULTILINE))
    assert listed == {(method, path) for method, path in paths if path.startswith("/sandbox/")}


def test_a_wrong_signature_is_refused(platform: Platform) -> None:
    assert code_of(platform.ask(secret="another")) == (401, 40101)
    assert code_of(platform.ask(X_Signature="")) == (401, 40101)
    assert code_of(platform.ask(signed=("PUT", "/verification"))) == (401, 40101)
    assert code_of(platform.ask(signed=("POST", "/other"))) == (401, 40101)


def test_a_changed_body_is_refused(platform: Platform) -> None:
    asked = json.dumps(QUESTION).encode()
    response = platform.ask(body=asked, X_Timestamp="1")
    assert code_of(response) == (401, 40101)
    good = platform.ask(body=asked).request
    changed = requests.post(
        platform.url + "/verification",
        data=asked.replace(b"X00000001", b"X00000002"),
        headers={**good.headers, "X-Nonce": "nonce-new"},
        timeout=10,
    )
    assert code_of(changed) == (401, 40101)


def test_an_unknown_app_key_is_refused(platform: Platform) -> None:
    assert code_of(platform.ask(X_App_Key="someone-else")) == (401, 40101)
    assert code_of(platform.ask(X_App_Key="")) == (401, 40101)


@pytest.mark.parametrize(("age", "status"), [(300, 200), (301, 401), (-300, 200), (-301, 401)])
def test_a_timestamp_holds_for_300_seconds_either_way(platform: Platform, age: int, status: int) -> None:
    response = platform.ask(age=age)
    assert response.status_code == status
    assert response.json()["code"] == (0 if status == 200 else 40101)


@pytest.mark.parametrize("timestamp", ["", "yesterday", "1.5", "-1", "９", "9" * 40])
def test_a_timestamp_that_is_no_number_is_refused(platform: Platform, timestamp: str) -> None:
    headers = {"X_Timestamp": timestamp.encode().decode("latin-1")}
    assert code_of(platform.ask(**headers)) == (401, 40101)


def test_a_nonce_works_once_within_the_window_and_not_a_second_time(platform: Platform) -> None:
    assert platform.ask(nonce="one").status_code == 200
    assert code_of(platform.ask(nonce="one")) == (401, 40102)
    platform.clock.advance(seconds=300)
    assert code_of(platform.ask(nonce="one")) == (401, 40102)
    platform.clock.advance(seconds=1)
    assert platform.ask(nonce="one").status_code == 200


def test_a_call_signed_ahead_of_time_cannot_be_replayed_while_its_time_is_good(
    platform: Platform,
) -> None:
    assert platform.ask(nonce="one", age=-300).status_code == 200
    platform.clock.advance(seconds=600)
    assert code_of(platform.ask(nonce="one", age=300)) == (401, 40102)


def test_an_empty_nonce_is_refused(platform: Platform) -> None:
    assert code_of(platform.ask(nonce="")) == (401, 40101)


def test_a_forged_call_uses_up_no_nonce(platform: Platform) -> None:
    assert code_of(platform.ask(nonce="one", secret="another")) == (401, 40101)
    assert platform.ask(nonce="one").status_code == 200


def test_one_signed_call_sent_many_times_at_once_is_answered_once(platform: Platform) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: platform.ask(nonce="one").status_code, range(8)))
    assert sorted(statuses) == [200] + [401] * 7


# --- malformed questions --------------------------------------------------------------------


def changed(path: str, value: object) -> dict[str, Any]:
    question: dict[str, Any] = json.loads(json.dumps(QUESTION))
    *parents, last = path.split(".")
    place = question
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return question


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("reference", ...),
        ("reference", " "),
        ("name", ""),
        ("name", 7),
        ("document", "X00000001"),
        ("document.number", ...),
        ("document.type", None),
        ("document.country", "CN"),
        ("phone", 13800000000),
        ("declaration", ...),
        ("declaration.symptoms", "fever"),
        ("declaration.symptoms", [1]),
        ("declaration.contact_on", ...),
        ("declaration.contact_on", "2020-02-30"),
        ("declaration.contact_on", 1583884800),
        ("declaration.declared_at", "2020-03-11T15:00:00"),
        ("declaration.declared_at", 1583910000),
        ("declaration.temperature", "36.5"),
        ("color", "green"),
    ],
)
def test_a_malformed_question_is_refused_naming_the_field_and_no_value(
    platform: Platform, path: str, value: object
) -> None:
    response = platform.ask(changed(path, value))
    assert code_of(response) == (400, 40001)
    assert path in response.json()["message"]
    for personal in (NUMBER, "李小禾", "2020-02-30", "13800000000"):
        assert personal not in response.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_body_that_is_no_question_is_refused(platform: Platform, body: bytes) -> None:
    assert code_of(platform.ask(body=body)) == (400, 40001)


def test_symptoms_and_a_day_of_contact_are_accepted(platform: Platform) -> None:
    declaration = {
        "symptoms": ["fever", "cough"],
        "contact_on": "2020-03-08",
        "declared_at": "2020-03-11T07:00:00Z",
    }
    assert platform.answer(declaration=declaration)["result"] == "consistent"


# --- the switch -----------------------------------------------------------------------------


def test_switched_off_it_answers_503_and_uses_up_no_nonce(platform: Platform) -> None:
    platform.control("PUT", "/switch", {"on": False})
    assert code_of(platform.ask(nonce="one")) == (503, 50300)
    platform.control("PUT", "/switch", {"on": True})
    assert platform.ask(nonce="one").status_code == 200


@pytest.mark.parametrize("status", [429, 500])
def test_it_answers_with_the_status_that_it_is_told(platform: Platform, status: int) -> None:
    platform.control("PUT", "/switch", {"on": True, "status": status})
    assert code_of(platform.ask()) == (status, status * 100)
    platform.control("PUT", "/switch", {"on": True, "status": None})
    assert platform.ask().status_code == 200


def test_it_can_answer_with_broken_json(platform: Platform) -> None:
    platform.control("PUT", "/switch", {"garbage": True})
    response = platform.ask()
    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_it_can_be_slow(platform: Platform) -> None:
    platform.control("PUT", "/switch", {"delay": 0.3})
    began = time.monotonic()
    assert platform.ask().status_code == 200
    assert time.monotonic() - began >= 0.3


def test_the_switch_tells_how_it_stands_and_forgets_what_is_left_out(platform: Platform) -> None:
    platform.control("PUT", "/switch", {"on": False, "status": 500})
    platform.control("PUT", "/switch", {"delay": 0.1})
    normal = {"on": True, "delay": 0.1, "status": None, "garbage": False}
    assert platform.control("GET", "/switch") == normal


# --- control --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/switch", {"on": "maybe"}, "on"),
        ("/switch", {"off": True}, "off"),
        ("/switch", {"status": 200}, "status"),
        ("/switch", {"delay": -1}, "delay"),
        (f"/people/{NUMBER}", {"result": "fine"}, "result"),
        (f"/people/{NUMBER}", {"findings": [{"kind": "contact"}]}, "findings.0.authority"),
        (f"/people/{NUMBER}", {"findings": [{**CONTACT, "exposed_on": None}]}, "exposed_on"),
        (f"/people/{NUMBER}", {"findings": [{**CONTACT, "kind": "suspected"}]}, "exposed_on"),
        (f"/people/{NUMBER}", {"findings": [{**QUARANTINE, "last_day": None}]}, "last_day"),
        (f"/people/{NUMBER}", {"findings": [{**QUARANTINE, "last_day": "2020-03-09"}]}, "after"),
        (f"/people/{NUMBER}", {"findings": [{**CONTACT, "since": "2020-03-10"}]}, "since"),
    ],
)
def test_bad_control_input_is_answered_with_400_and_a_sentence(
    platform: Platform, path: str, body: object, words: str
) -> None:
    response = requests.put(f"{platform.url}/sandbox{path}", json=body, timeout=10)
    assert response.status_code == 400
    assert words in response.json()["error"]
    assert platform.control("GET", "/people") == []


def test_control_input_that_is_not_json_is_refused(platform: Platform) -> None:
    response = requests.put(platform.url + "/sandbox/switch", data="on=false", timeout=10)
    assert response.status_code == 400
    assert "JSON" in response.json()["error"]


def test_people_and_calls_can_be_listed(platform: Platform) -> None:
    platform.control("PUT", f"/people/{NUMBER}", {"findings": [CONTACT]})
    platform.ask()
    (person,) = platform.control("GET", "/people")
    assert (person["number"], person["findings"][0]["kind"]) == (NUMBER, "contact")
    assert platform.control("GET", "/calls") == {"/verification": 1}


def test_a_reset_forgets_people_the_switch_nonces_and_calls(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "platform.json"
    platform = start(state_file=file)
    platform.control("PUT", f"/people/{NUMBER}", {"findings": [CONTACT]})
    platform.ask(nonce="one")
    platform.control("PUT", "/switch", {"on": False})
    platform.control("POST", "/reset")
    for one in (platform, start(state_file=file)):
        assert one.control("GET", "/people") == []
        assert one.control("GET", "/switch")["on"] is True
        assert one.control("GET", "/calls") == {}
    assert platform.ask(nonce="one").status_code == 200


def test_a_restart_keeps_people_the_switch_and_used_nonces(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "var" / "platform.json"
    before = start(state_file=file)
    before.control("PUT", f"/people/{NUMBER}", {"findings": [CONTACT, QUARANTINE]})
    reference = before.answer()["reference"]
    before.ask(nonce="one")
    before.control("PUT", "/switch", {"delay": 0.01})
    after = start(state_file=file)
    assert after.control("GET", "/people") == before.control("GET", "/people")
    assert after.control("GET", "/switch")["delay"] == 0.01
    assert code_of(after.ask(nonce="one")) == (401, 40102)
    assert after.ask(nonce="two").json()["data"]["reference"] == reference
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


# --- the page and the log -------------------------------------------------------------------


def test_the_page_shows_the_switch_and_people_with_masked_numbers(platform: Platform) -> None:
    platform.control("PUT", f"/people/{NUMBER}", {"findings": [CONTACT]})
    platform.control("PUT", "/switch", {"on": False})
    page = requests.get(platform.url + "/", timeout=10).text
    for words in ("服务已关闭", "X00****01", "密切接触", "长疾控〔2020〕12号", "2020-03-08"):
        assert words in page
    assert NUMBER not in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_page_escapes_what_people_typed(platform: Platform) -> None:
    finding = {**CONTACT, "authority": "<img src=x>"}
    platform.control("PUT", f"/people/{NUMBER}", {"findings": [finding]})
    page = requests.get(platform.url + "/", timeout=10).text
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page


def test_the_forms_of_the_page_work(platform: Platform) -> None:
    def press(action: str, **form: str) -> requests.Response:
        return requests.post(platform.url + action, data=form, timeout=10)

    days = {"exposed_on": "2020-03-08", "first_day": "", "last_day": ""}
    named = {"authority": "长春市疾病预防控制中心", "document": "12号"}
    press("/people", number=NUMBER, result="consistent", kind="contact", **named, **days)
    press("/people", number=NUMBER, result="consistent", kind="suspected", name="李小何", **named)
    press("/people", number=NUMBER, result="consistent", kind="")  # what is left out stays
    assert platform.answer()["mismatched"] == ["name"]
    assert [finding["kind"] for finding in platform.answer()["findings"]] == [
        "contact",
        "suspected",
    ]
    page = press("/switch", on="false", delay="", status="", garbage="false").text
    assert platform.ask().status_code == 503
    handle = page.split('name="handle" value="')[1].split('"')[0]
    press("/people/forget", handle=handle)
    assert platform.control("GET", "/people") == []
    bad = press("/people", number=NUMBER, result="consistent", kind="contact")
    assert bad.status_code == 400
    assert "authority" in bad.text


def test_forms_of_other_sites_are_refused(platform: Platform) -> None:
    response = requests.post(
        platform.url + "/switch",
        data={"on": "false"},
        headers={"Origin": "http://elsewhere.example"},
        timeout=10,
    )
    assert response.status_code == 403
    assert platform.ask().status_code == 200


def test_the_sandbox_logs_nothing(platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    platform.control("PUT", f"/people/{NUMBER}", {"findings": [CONTACT]})
    platform.ask()
    platform.ask(changed("name", ...))
    requests.get(platform.url + "/", timeout=10)
    ours = [record for record in caplog.records if not record.name.startswith("urllib3")]
    assert ours == []


GUARDIANSHIP: dict[str, Any] = {
    "reference": "guardianship-1",
    "guardian": {"name": "示例父", "document": {"type": "passport", "number": "X00000002"}},
    "child": {"name": "示例子", "document": {"type": "birth-certificate", "number": "A000000001"}},
}


def vouched(platform: Platform, **changes: Any) -> dict[str, Any]:
    answer = platform.ask({**GUARDIANSHIP, **changes}, to="/guardianship")
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json()["data"].items() if name in ("result", "born_on")}


def test_it_vouches_for_a_guardian_on_record_and_for_nobody_else(start: Start) -> None:
    platform = start()
    known = {"name": "示例子", "born_on": "2019-05-01", "guardians": ["X00000002"]}
    platform.control("PUT", "/people/A000000001", known)
    assert vouched(platform) == {"result": "guardian", "born_on": "2019-05-01"}
    stranger = {**GUARDIANSHIP["guardian"], "document": {"type": "passport", "number": "X00000003"}}
    unknown = {**GUARDIANSHIP["child"], "document": {"type": "birth-certificate", "number": "A000000002"}}
    misnamed = {**GUARDIANSHIP["child"], "name": "示例丑"}
    for other in ({"guardian": stranger}, {"child": unknown}, {"child": misnamed}):
        assert vouched(platform, **other) == {"result": "not-guardian"}


def test_a_question_about_a_guardian_is_signed_and_whole_and_meets_the_switch(start: Start) -> None:
    platform = start()
    there = "/guardianship"
    assert platform.ask(GUARDIANSHIP, secret="another", to=there).json()["code"] == 40101
    short = {name: value for name, value in GUARDIANSHIP.items() if name != "child"}
    refused = platform.ask(short, to=there)
    assert (refused.status_code, refused.json()["code"]) == (400, 40001)
    assert "child" in refused.json()["message"] and "X00000002" not in refused.text
    platform.control("PUT", "/switch", {"on": False})
    assert platform.ask(GUARDIANSHIP, to=there).status_code == 503
