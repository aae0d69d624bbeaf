"""The system under attack, with the people whom every campaign needs."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy import select

from app.audit import Actor
from app.core.settings import load_settings
from app.devices import registry
from app.runtime import Services, make_services
from app.staff.context import OPERATOR, begin_as
from app.staff.models import Officer
from app.stations.accounts import NewInspector, add_inspector
from app.windows import administration
from app.windows.administration import NewWindow
from attack.officers import HERE, NAMED, OFFICERS, THERE, Clerk
from attack.provinces import OUR_ISSUER, ROOT
from attack.sending import OUR_ADDRESS, Answer, Headers, Line, Request, bearer, can_send_from
from attack.tally import Tally
from devstack.officers import add_invented, open_demo_window
from devstack.people import PASSWORD, STATION
from faults.calling import wait_until
from faults.people import Citizen, Inspector
from faults.system import System, running

AUTHORITY: Final = "示例市疾病预防控制中心"
NAME: Final = "示例甲"  # of every citizen of the attack
ELSEWHERE: Final = "示例外地查验点"  # a station of another district
COLORS: Final = ("GREEN", "YELLOW", "ORANGE", "RED")  # from good to bad
_COMMAND_SECONDS: Final = 60
_CONFIGURED: Final = {
    "JIXIANG_WEB__SWAGGER": "false",  # production refuses the page of the API document, which `jixiang-dev run` has
    "JIXIANG_PARTNERS__ENABLED": "true",
    "JIXIANG_TRUST__ROOT": ROOT,
    "JIXIANG_TRUST__ISSUER": OUR_ISSUER,
}


class Failed(Exception):
    """Something that an attack needs first did not come about; the text says what."""


class World:
    """The running system, and what attackers and their victims do to it."""

    def __init__(self, system: System) -> None:
        self.system, self.hosts = system, system.hosts
        self.inspector = Inspector()
        self._clerks: dict[tuple[str, int], Clerk] = {}
        self._addresses = count(2)
        self._has_addresses = can_send_from("127.0.7.2")

    # --- who acts

    def address(self) -> str:
        """An address that nobody else has sent from; everybody's own where this machine has only one."""
        number = next(self._addresses)
        return f"127.0.{7 + number // 250}.{2 + number % 250}" if self._has_addresses else OUR_ADDRESS

    def citizen(self, *, is_declared: bool = True, phone: str = "") -> Citizen:
        """Somebody new with an account, and this number; green once declared. Raises Failed."""
        one = Citizen(self.system.place.wechat)
        one.phone = phone or one.phone
        if not one.log_in(self.hosts[0]).is_good or not one.register(self.hosts[0]).is_good:
            raise Failed("a citizen cannot register")
        if is_declared and one.declare(self.hosts[0]).body.get("state") != "GREEN":
            raise Failed("a citizen does not become green")
        return one

    def phone(self) -> Citizen:
        """A WeChat user without an account, logged in. Raises Failed."""
        one = Citizen(self.system.place.wechat)
        if not one.log_in(self.hosts[0]).is_good:
            raise Failed("a phone cannot log in with WeChat")
        return one

    def clerk(self, username: str, host: int = 0) -> Clerk:
        """An officer who is logged in at a host. Raises Failed."""
        clerk = self._clerks.setdefault((username, host), Clerk(self.hosts[host], username))
        if not clerk.log_in():
            raise Failed(f"the console does not let {username} in")
        return clerk

    def line(self, host: int = 0) -> Line:
        """A connection from an address of its own."""
        return Line(self.hosts[host], self.address())

    def station(self) -> Headers:
        """The session of the inspector. Raises Failed."""
        if not self.inspector.session and not self.inspector.log_in(self.hosts[0]):
            raise Failed("the inspector cannot log in")
        return bearer(self.inspector.session)

    def officers(self, services: Services, *usernames: str) -> list[Officer]:
        """Officers as a command on the server knows them; without names, two administrators of the province."""
        named = usernames or ("demo-administrator", "demo-administrator-2")
        with services.sessions() as session:
            return [session.scalars(select(Officer).where(Officer.username == name)).one() for name in named]

    # --- what is so

    def state(self, citizen: Citizen) -> str:
        """The state of a code as its holder is shown it; nothing when they are shown none."""
        return str(citizen.show(self.hosts[0]).body.get("state", ""))

    def is_worse(self, citizen: Citizen, than: str = "GREEN") -> bool:
        """Whether somebody is shown a color that is worse than this one."""
        state = self.state(citizen)
        return state in COLORS and COLORS.index(state) > COLORS.index(than)

    def one(self, query: str, *parameters: Any) -> Any:
        """The first cell that the database finds, or None."""
        rows = self.system.ask(query, *parameters)
        return rows[0][0] if rows else None

    # --- the operator

    @contextmanager
    def operating(self) -> Iterator[Services]:
        """What commands on the server work with, for the length of the block: without their start."""
        services = make_services(load_settings())
        try:
            yield services
        finally:
            services.close()

    def jixiang(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command on the server."""
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )

    def advance(self, ahead: timedelta) -> None:
        """Set the clocks of everything ahead. Raises Failed."""
        shown = self.jixiang("clock", "show").stdout.strip()
        moment = datetime.fromisoformat(shown) + ahead
        for config in (self.system.place.config, self.system.other_config):
            done = self.jixiang("clock", "advance", moment.isoformat(), JIXIANG_CONFIG=str(config))
            if done.returncode:
                raise Failed(f"the clock cannot be advanced: {done.stderr.strip()}")
        self.inspector.session = ""


def take(tally: Tally, line: Line, request: Request, may: bool | None, words: str) -> Answer:
    """Send a request and count what came of it."""
    answer = line.send(request)
    tally.judge(answer, request.path, may, words)
    return answer


def wrong_login(username: str) -> Mapping[str, str]:
    return {"username": username, "password": PASSWORD + "-wrong"}


def _add_inspectors(services: Services) -> None:
    with services.begin() as session:
        for username in NAMED:
            new = NewInspector(STATION, HERE, username, PASSWORD)
            inspector = add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())
            inspector.must_change_password, inspector.password_ends_at = False, None  # they have changed it
        elsewhere = NewInspector(ELSEWHERE, THERE, "attack-elsewhere", PASSWORD)
        add_inspector(session, elsewhere, actor=Actor("operator"), now=services.clock.now())


@contextmanager
def _configured() -> Iterator[None]:
    """As in production, with partners, and with other provinces whose codes are recognised."""
    os.environ.update(_CONFIGURED)
    try:
        yield
    finally:
        for name in _CONFIGURED:
            del os.environ[name]


def _add_device(services: Services) -> None:
    """Have a gate in the district that the attack is after; it is no caller, for nobody has its key."""
    with begin_as(services, OPERATOR) as context:
        registry.add_device(context, registry.NewDevice(STATION, "attack", "gate"))


def _open_window_elsewhere(services: Services) -> None:
    """Have the clerk of the other district work at a window there."""
    with begin_as(services, OPERATOR) as context:
        window = administration.add_window(context, NewWindow("示例外地服务窗口", "示例路 2 号", THERE))
        administration.assign_clerk(context, window.id, "attack-clerk-there")


@contextmanager
def attacked() -> Iterator[World]:
    """Start the system with everybody who works there, and stop it at the end of the block. Raises StartError."""
    with _configured(), running() as system:
        services = make_services(load_settings())
        try:
            add_invented(services, OFFICERS)
            open_demo_window(services, "attack-clerk")
            _open_window_elsewhere(services)
            _add_inspectors(services)
            _add_device(services)
        finally:
            services.close()
        world = World(system)
        wait_until(system.ready, 30)
        yield world
