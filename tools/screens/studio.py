"""The system, the people in the pictures, and the taking of a picture."""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from typing import Any, NamedTuple

from playwright.sync_api import Browser

from devstack.demo.office import Desk
from devstack.demo.places.window_story import CLERK
from tests.browser import chromium
from tests.browser.inspector import Inspector
from tests.browser.system import Person, System

USUAL = (390, 844)
_SHARP = 2  # pixels of a picture for one of the screen
_SAID = "示例：那天我没有去过示例商场。"
SAID_AGAIN = "示例：那天我整天在家，附上示例小区的出入登记。"


class Scene(NamedTuple):
    """A page in a situation: the person with the phone, and their actions before the picture is taken."""

    page: str
    holder: str = ""  # a state of the code, `person` before a declaration, `appealing`, `inspector`, or nobody known
    act: "Callable[[Inspector, Studio, str], object] | None" = None
    step: int = 0  # of a declaration in progress
    agreed: bool = True  # to what is done with personal data
    time_passes: bool = False  # by the clock of the page, as the act says


class Reader(NamedTuple):
    """How the person reads: the settings of the mini-program."""

    language: str = "zh"
    large: bool = False
    contrast: bool = False


_USUAL_READER = Reader()


class Studio:
    """The system, and the people in the pictures, each made once."""

    def __init__(self, system: System, browser: Browser) -> None:
        self.system, self.browser = system, browser
        self._people: dict[str, Person] = {}
        self._numbers = count(1)
        self.has_family = False  # whether the mother has one
        self.venue: dict[str, Any] | None = None  # of the manager
        self.has_recovered = False  # whether an account was recovered at a window
        self._clerk: Desk | None = None
        self.alarmed = False  # whether an entry of too many people at once was recorded

    def clerk(self) -> Desk:
        """The clerk, logged in once: a one-time code works once."""
        self._clerk = self._clerk or Desk(self.system.place.web, CLERK)
        return self._clerk

    def person(self, holder: str) -> Person:
        if holder not in self._people:
            self._people[holder] = self._made(holder, f"screen-{holder}-{next(self._numbers)}")
        return self._people[holder]

    def _made(self, holder: str, name: str) -> Person:
        if holder == "person":
            return self.system.person(name)
        color = {"appealing": "orange", "mother": "green", "recovered": "green", "manager": "green"}.get(holder, holder)
        person = self.system.of_color(name, color, "示例母" if holder == "mother" else "示例甲")
        if holder == "yellow":
            self.system.subscribe(person)
        if holder == "appealing":
            self.system.check_document(person)
            self.system.uphold(self.system.appeal(person, _SAID))
            self.system.appeal(person, SAID_AGAIN)
        return person

    def storage(self, scene: Scene, settings: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {"settings": settings}
        if scene.holder == "inspector":
            return {**kept, **self.system.inspector()}
        person = self.person(scene.holder)
        if scene.step:
            answers = {"step": scene.step, "ill": "no", "symptoms": [], "contact": "no", "contactOn": ""}
            now = int(self.system.now().timestamp() * 1000)
            owner = " ".join(person.account[key] for key in ("username", "name", "document_number"))
            kept["declaration.draft"] = {"owner": owner, "answers": answers, "at": now}
        return {**kept, **person.storage}

    def take(
        self, scene: Scene, reader: Reader = _USUAL_READER, size: tuple[int, int] = USUAL, scale: float = _SHARP
    ) -> bytes:
        """Return the picture of a scene, as PNG."""
        context = chromium.unused(self.browser, *size, scale=scale)
        away = self.system.platform_away() if scene.holder == "unverified" else nullcontext()
        with away:
            settings = reader._asdict()
            storage = self.storage(scene, settings) if scene.holder else {"settings": settings}
            name = (
                self.person(scene.holder).phone
                if scene.holder not in ("", "inspector")
                else f"screen-{reader.language}"
            )
            phone = Inspector(context.new_page(), self.system.address, name).keep(storage, agreed=scene.agreed)
            if scene.time_passes:
                phone.page.clock.install()
            phone.open(scene.page).is_settled()
            if scene.act:
                scene.act(phone, self, reader.language)
            phone.page.wait_for_load_state("networkidle")
            picture = phone.page.screenshot(animations="disabled")
        context.close()
        if scene.holder == "unverified":
            del self._people[scene.holder]  # the platform has been asked meanwhile
        return picture
