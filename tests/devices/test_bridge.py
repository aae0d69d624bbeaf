"""The box beside a gate against a real server: over a serial line, through cut-offs and power cuts, and on a bus."""

import io
import os
import pty
import sqlite3
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import create_app
from app.codes.paper.models import PaperCard
from app.codes.states import State
from app.codes.tokens import Paper
from app.core.clock import BEIJING
from app.runtime import Services
from app.stations import rollup
from app.worker.due import refresh_revocations
from station_bridge.bridge import Bridge
from station_bridge.cards import Card
from station_bridge.cli import main
from station_bridge.inputs import Scan, SerialScanner, watch
from station_bridge.published import TRUST, Published
from station_bridge.server import Server, Timeouts
from station_bridge.signing import Signer
from station_bridge.store import Store
from tests.support.devices import STATION, Device, open_station
from tests.support.people import Phone
from tests.support.trust import EXAMPLE, OTHER, ROOT, TwoAdministrators, make_list, public_text, trusting
from tests.support.waiting import PATIENCE


class Site:
    """A box with its files; `reach` and `cut` are its network."""

    def __init__(self, directory: Path, device: Device, address: str, trust_root: str = "") -> None:
        self.directory, self._device, self.address = directory, device, address
        self._trust_root = trust_root
        self._running = ExitStack()
        self.start()

    def start(self, address: str = "") -> None:
        """Start the program, as after a power cut: what it knows is what is on disk."""
        self._running.close()
        signer = Signer.of_text(self._device.id, self._device.secret)
        server = Server(address or self.address, signer, timeouts=Timeouts(2, 10))
        self.store = self._running.enter_context(closing(Store(self.directory / "checks.sqlite")))
        self.published = Published(self.directory, self._trust_root)
        self.bridge = Bridge(server, self.store, self.published)

    def close(self) -> None:
        self._running.close()

    def cut(self) -> None:
        self.start("http://127.0.0.1:1")

    def fetch(self) -> None:
        signer = Signer.of_text(self._device.id, self._device.secret)
        self.published.fetch(Server(self.address, signer))


@pytest.fixture
def gate(client: FlaskClient, services: Services) -> Device:
    open_station(services)
    return Device.add(client, services)


@pytest.fixture
def site(gate: Device, app: Flask, serve: Callable[[Flask], str], tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path, gate, serve(app))) as made:
        yield made


@pytest.fixture
def citizen(services: Services, phone: Callable[..., Phone]) -> Phone:
    """Somebody green now: the clock of the tests, which stands, is set to that of the box."""
    services.clock.moment = services.real_clock.now()  # type: ignore[attr-defined]
    return phone().become_green()


def counted(services: Services) -> dict[str, int]:
    return {action: number for action, number in rollup.day_counts(services, 1, services.clock.now()).items() if number}


def test_a_code_from_a_serial_scanner_is_checked_and_leaves_nothing(
    site: Site, citizen: Phone, services: Services
) -> None:
    """The scanner at the other end of a pseudo-terminal sends the code in pieces, doubled blanks and a line end."""
    scanner, line = pty.openpty()
    tty.setraw(scanner)
    tty.setraw(line)
    got: list[object] = []
    came, stop = threading.Event(), threading.Event()

    def take(event: object) -> None:
        got.append(event)
        came.set()

    ready = threading.Event()
    one = SerialScanner(os.ttyname(line))
    thread = threading.Thread(target=watch, args=(one, take, lambda *_: ready.set(), stop), daemon=True)
    thread.start()
    sent = (citizen.code()["token"].replace(" ", "  ") + "\r\n").encode()
    for _ in range(int(PATIENCE)):  # the port may not be open yet, and forgets what was there before
        os.write(scanner, sent[:100])
        os.write(scanner, sent[100:])
        if came.wait(1):
            break
    stop.set()
    assert isinstance(got[0], Scan)
    decision = site.bridge.scan(got[0].text)
    assert decision is not None
    assert (decision.action, decision.state, decision.online) == ("pass", "GREEN", True)
    assert site.store.number() == 0
    assert site.bridge.scan(got[0].text) is None  # the same scan once more
    assert counted(services) == {"pass": 1}
    os.close(scanner)
    os.close(line)


def test_without_network_a_code_is_verified_kept_over_a_power_cut_and_counted_once(
    site: Site, citizen: Phone, services: Services
) -> None:
    site.fetch()
    site.cut()
    decision = site.bridge.scan(citizen.code()["token"] + "\t")
    assert decision is not None
    assert (decision.action, decision.online) == ("pass", False)
    assert "离线" in decision.words
    forged = site.bridge.scan("JX1:" + "0" * 209)
    assert forged is not None
    assert forged.action == "stop"
    assert site.store.number() == 1  # what the box did not verify is not submitted
    site.close()
    site.start()  # power is back, and network
    assert site.store.number() == 1
    site.bridge.deliver()
    assert site.store.number() == 0
    assert counted(services) == {"pass": 1}


def test_an_answer_that_is_lost_counts_once(site: Site, citizen: Phone, services: Services) -> None:
    """The installation has counted, and the box has not heard of it: it verifies, keeps, and submits."""
    site.fetch()
    token = citizen.code()["token"]
    site._device.check(token)  # what was heard there
    site.cut()
    assert site.bridge.scan(token).action == "pass"  # type: ignore[union-attr]
    site.start()
    assert site.bridge.deliver().submitted == 1
    assert counted(services) == {"pass": 1}


@contextmanager
def disk_that_takes_nothing(directory: Path) -> Iterator[None]:
    """Neither a check nor a file of what is published, as on a full disk."""
    (directory / "keys.new").mkdir()
    with closing(sqlite3.connect(directory / "checks.sqlite", isolation_level=None)) as other:
        other.execute("begin exclusive")
        yield
    (directory / "keys.new").rmdir()


def test_a_disk_that_takes_nothing_stops_nobody(site: Site, citizen: Phone, services: Services) -> None:
    site.fetch()
    with disk_that_takes_nothing(site.directory):
        asked = site.bridge.scan(citizen.code()["token"])
        site.fetch()  # what is published goes on in this run
    site.cut()
    with disk_that_takes_nothing(site.directory):
        verified = site.bridge.scan(citizen.code()["token"])
    assert asked is not None
    assert verified is not None
    assert [(one.action, one.online) for one in (asked, verified)] == [("pass", True), ("pass", False)]
    site.start()
    site.bridge.scan(citizen.code()["token"])
    site.bridge.deliver()
    assert (site.store.is_broken, site.store.number(), counted(services)) == (False, 0, {"pass": 2})


def test_what_waits_is_sent_once_where_the_disk_cannot_delete_it(
    site: Site, citizen: Phone, services: Services
) -> None:
    site.fetch()
    site.cut()
    site.bridge.scan(citizen.code()["token"])
    site.start()
    with disk_that_takes_nothing(site.directory):
        assert site.bridge.deliver().submitted == 1, "and not again and again"
    assert site.store.is_broken
    site.bridge.deliver()
    assert (site.store.number(), counted(services)) == (0, {"pass": 1})


def test_the_program_says_that_its_disk_takes_nothing_and_goes_on(
    site: Site, gate: Device, citizen: Phone, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.fetch()
    (tmp_path / "key").write_text(gate.secret)
    box = tmp_path / "box.toml"
    box.write_text(f'server = "{site.address}"\ndevice = {gate.id}\nkey_file = "key"\n[[inputs]]\nkind = "stdin"\n')
    typed = io.StringIO(citizen.code()["token"] + "\nno code\n")
    monkeypatch.setattr("sys.stdin", typed)
    with disk_that_takes_nothing(tmp_path):
        assert main(["run", str(box)]) == 0
    said = capsys.readouterr()
    assert [line.split("\t")[0] for line in said.out.splitlines() if "\t" in line] == ["pass", "stop"]
    assert said.err.count("磁盘") == 1


def test_hours_are_those_of_beijing_in_whatever_zone_the_box_is(
    site: Site, citizen: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        site.fetch()
        site.cut()
        decision = site.bridge.scan(citizen.code()["token"])
    finally:
        monkeypatch.undo()
        time.tzset()
    hours = {f"{services.clock.now().astimezone(BEIJING) - timedelta(minutes=ago):%H:%M}" for ago in (0, 1)}
    assert decision is not None
    assert any(hour in decision.words for hour in hours), decision.words


def test_a_bus_verifies_on_board_and_submits_in_windows_each_once(
    site: Site, citizen: Phone, services: Services
) -> None:
    """More than a part waits; a window that is over leaves the rest for the next one, and loses and doubles nothing."""
    site.fetch()
    site.bridge.always_offline = True
    token = citizen.code()["token"]
    assert site.bridge.scan(token).action == "pass"  # type: ignore[union-attr]
    for _ in range(150):  # the same code, of as many check numbers: a token counts once
        site.store.keep(str(uuid4()), token, services.clock.now())
    assert site.bridge.deliver(seconds=0).submitted == 0
    waiting = 151
    while waiting:
        sent = site.bridge.deliver(seconds=0.05)
        assert sent.waiting < waiting or not sent.submitted
        waiting = sent.waiting
    assert counted(services) == {"pass": 1}


def test_a_card_on_the_reader_is_asked_and_never_written_down(site: Site, citizen: Phone) -> None:
    card = Card("id-card", citizen.document, citizen.name)
    assert site.bridge.card(card).action == "pass"
    site.cut()
    assert site.bridge.card(card).action == "stop"
    site.close()
    content = b"".join(file.read_bytes() for file in site.directory.iterdir())
    assert citizen.document.encode() not in content
    assert citizen.name.encode() not in content
    site.start()


def test_without_network_a_card_on_paper_is_genuine_and_never_passes(
    site: Site, citizen: Phone, services: Services
) -> None:
    assert citizen.post("/api/v1/paper-cards", None).status_code == 201
    with services.sessions() as session:
        card = session.scalars(select(PaperCard)).one()
        token = services.paper_tokens.mint(Paper(card.id, card.issued_at, card.ends_at))
    site.cut()
    assert site.bridge.scan(token).action == "ask"  # type: ignore[union-attr]
    assert site.bridge.card(Card("id-card", citizen.document, citizen.name)).action == "stop", "no keys yet"
    site.fetch()
    site.cut()
    site.bridge.scan(token)
    seen = site.bridge.card(Card("id-card", citizen.document, citizen.name))
    assert (seen.action, seen.state, seen.online, site.store.number()) == ("measure", None, False, 0)
    assert "未与证件核对" in seen.words and "挂失名单截至" in seen.words
    site.start()
    site.bridge.always_offline = True
    for scanned, action in ((token, "measure"), ("JX2:" + "0" * 188, "stop")):
        assert site.bridge.scan(scanned).action == action  # type: ignore[union-attr]
    assert site.bridge.deliver().submitted == 1
    assert counted(services) == {"measure": 1}
    assert citizen.post("/api/v1/paper-cards/current/loss", None).status_code == 204
    services.clock.advance(minutes=1)  # type: ignore[attr-defined]
    refresh_revocations(services)
    site.start()
    site.fetch()
    site.bridge.always_offline = True
    lost = site.bridge.scan(token)
    assert lost is not None
    assert (lost.action, "可能已挂失" in lost.words) == ("ask", True)


def test_somebodys_fever_in_the_lane_is_shown(site: Site) -> None:
    assert site.bridge.temperature(36.5) is None
    later = site.bridge.temperature(38.2)
    assert later is not None
    assert later.action == "measure"


def test_the_program_reads_its_configuration_and_a_pipe_and_says_what_is_wrong(
    site: Site,
    gate: Device,
    citizen: Phone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    box = tmp_path / "box.toml"
    (tmp_path / "key").write_text(gate.secret)
    lamp = tmp_path / "lamp"
    box.write_text(
        f'server = "{site.address}"\ndevice = {gate.id}\nkey_file = "key"\nlanguage = "en"\n'
        f'[[inputs]]\nkind = "stdin"\n[lamp]\nport = "{lamp}"\n'
    )
    read, write = os.pipe()
    with os.fdopen(write, "w") as pipe:
        pipe.write(citizen.code()["token"] + "\n")
    with os.fdopen(read) as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert main(["run", str(box)]) == 0
    said = capsys.readouterr()
    assert "pass\t" in said.out
    assert f"{STATION}, lane 1: ready" in said.err
    assert lamp.read_text() == "pass\n"
    box.write_text('sever = 1\n[[inputs]]\nkind = "tank"\n')
    assert main(["run", str(box)]) == 1
    wrong = capsys.readouterr().err
    assert all(name in wrong for name in ("sever", "server", "device", "key_file", "inputs[0]"))
    assert main(["key", str(tmp_path / "key")]) == 1  # one that is in use stays


def test_a_code_of_another_province_is_its_issuers_statement_without_network_too(
    gate: Device,
    services: Services,
    serve: Callable[[Flask], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = services.real_clock.now()
    services.clock.moment = now  # type: ignore[attr-defined]
    trusted = trusting(services)
    two = TwoAdministrators(trusted)
    two.take(make_list(EXAMPLE.issuer(), OTHER.issuer(), at=now - timedelta(hours=1)))
    site = Site(tmp_path, gate, serve(create_app(trusted)), public_text(ROOT))
    site.fetch()
    site.cut()
    green = site.bridge.scan(EXAMPLE.code(State.GREEN, now))
    assert green is not None and (green.action, green.state, green.online) == ("measure", "GREEN", False)
    assert "示例省认定" in green.words
    assert site.bridge.scan(OTHER.code(State.RED, now)).action == "stop"  # type: ignore[union-attr]
    site.start()
    assert site.bridge.deliver().submitted == 2
    assert sum(number for action, number in counted(trusted).items() if action.startswith("foreign-")) == 2
    older = (tmp_path / "trust.json").read_bytes()
    two.take(make_list(EXAMPLE.issuer(revoked=True), OTHER.issuer(), at=now))
    site.fetch()
    monkeypatch.setattr(
        Server, "fetch", lambda self, path, fetch=Server.fetch: older if path == TRUST else fetch(self, path)
    )
    site.fetch()
    site.cut()
    assert site.bridge.scan(EXAMPLE.code(State.GREEN, now)).action == "stop"  # type: ignore[union-attr]
    site.close()


def test_a_box_whose_clock_is_behind_at_its_start_keeps_its_list(tmp_path: Path) -> None:
    newest = make_list(EXAMPLE.issuer(), at=datetime.now(UTC) + timedelta(days=9))  # of the box's clock
    (tmp_path / "trust.json").write_text(newest)
    trust = Published(tmp_path, public_text(ROOT)).trust
    assert trust is not None and trust.keys[0].key.kid == EXAMPLE.kid


def test_a_long_text_that_begins_as_a_code_does_not_keep_what_waits_from_being_submitted(
    site: Site, citizen: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_power(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch, suppress(SystemExit):  # the power goes while the installation is asked
        patch.setattr(Server, "check", cut_power)
        site.bridge.scan("JX1:" + "A" * 1_100)
    site.fetch()
    site.cut()
    assert site.bridge.scan(citizen.code()["token"]).action == "pass"  # type: ignore[union-attr]
    site.start()
    sent = site.bridge.deliver()
    assert (sent.submitted, sent.waiting) == (1, 0)
