"""A clerk who enumerates people meets a ceiling: held, whoever they ask about, until an auditor clears it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from app.core.errors import ConfigError
from app.core.settings import Settings
from app.runtime import Services
from app.windows.ceilings import load_ceilings
from app.windows.models import WindowHold
from tests.support.clock import StandingClock
from tests.support.desk import Desk, text_of
from tests.support.people import Phone, id_number
from tests.support.windows import DONE, Clerk

Desks = Callable[..., Desk]
FEW = """
in_an_hour = 100
in_a_day = 100
[districts."长春市"]
in_an_hour = 3
in_a_day = 5
"""


@pytest.fixture
def few(console: Services, tmp_path: Path) -> Iterator[None]:
    """Few look-ups in the district of the window."""
    file = tmp_path / "ceilings.toml"
    file.write_text(FEW, encoding="utf-8")
    with with_ceilings(console, file):
        yield


@contextmanager
def with_ceilings(services: Services, file: Path) -> Iterator[None]:
    before = services.settings
    changed: Settings = before.model_copy(update={"windows": before.windows.model_copy(update={"ceilings_file": file})})
    object.__setattr__(services, "settings", changed)
    yield
    object.__setattr__(services, "settings", before)


def test_beyond_the_ceiling_a_clerk_is_held_and_auditors_see_it(
    few: None, clerk: Clerk, desk: Desks, phone: Callable[..., Phone], console: Services
) -> None:
    citizen = phone("示例甲").become_green()
    for number in range(800, 802):
        assert clerk.look_up("示例", id_number(number)).status_code == 404
    assert clerk.register("示例", id_number(803), phone="").status_code == DONE, "an attempt to register counts too"
    known, unknown = clerk.look_up("示例甲", citizen.document), clerk.look_up("示例甲", id_number(804))
    assert {known.status_code, unknown.status_code} == {409}
    assert text_of(known) == text_of(unknown)
    assert clerk.register("示例", id_number(805)).status_code == 409
    auditor = desk("auditor", username="aud-1", district="长春市")
    elsewhere = desk("auditor", username="aud-2", district="吉林市")
    assert "clerk-1" in text_of(auditor.get("/console/audit"))
    assert "因查找人数达上限暂停的窗口工作人员 1" in text_of(auditor.get("/console/"))
    assert "clerk-1" not in text_of(elsewhere.get("/console/audit"))
    assert elsewhere.send("/console/audit/window-holds/1/clear", {"reason": "busy-day"}).status_code == 404
    assert auditor.send("/console/audit/window-holds/1/clear", {"reason": "because"}).status_code == 422
    assert clerk.look_up("示例甲", citizen.document).status_code == 409
    assert auditor.send("/console/audit/window-holds/1/clear", {"reason": "busy-day"}).status_code == DONE
    assert auditor.send("/console/audit/window-holds/1/clear", {"reason": "busy-day"}).status_code == 404
    assert clerk.look_up("示例甲", citizen.document).status_code == DONE
    with console.sessions() as session:
        assert session.scalars(select(WindowHold.span)).all() == ["hour"]


def test_the_ceiling_of_a_day_holds_who_goes_slowly(
    few: None, clerk: Clerk, clock: StandingClock, console: Services
) -> None:
    for hour in range(5):
        clerk.desk.ensure_logged_in()
        assert clerk.look_up("示例", id_number(800 + hour)).status_code == 404
        clock.advance(hours=1)
    clerk.desk.ensure_logged_in()
    assert clerk.look_up("示例", id_number(806)).status_code == 409
    with console.sessions() as session:
        assert session.scalars(select(WindowHold.span)).all() == ["day"]


def test_nobody_clears_their_own_hold(few: None, clerk: Clerk, console: Services) -> None:
    from app.staff import officers

    for number in range(800, 804):
        clerk.look_up("示例", id_number(number))
    with console.begin() as session:
        officers.find_by_username(session, "clerk-1").roles = ["clerk", "auditor"]
    answer = clerk.desk.send("/console/audit/window-holds/1/clear", {"reason": "busy-day"})
    assert answer.status_code == 403


@pytest.mark.parametrize("text", ["", "in_an_hour = 0\nin_a_day = 5", FEW.replace("长春市", "长春"), "in_an_hour = "])
def test_a_file_of_ceilings_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ceilings.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_ceilings(file)
    with pytest.raises(ConfigError):
        load_ceilings(tmp_path / "none.toml")


def test_what_comes_with_the_system_has_numbers_for_districts() -> None:
    ceilings = load_ceilings(None)
    assert ceilings.of("长白山保护开发区").in_an_hour < ceilings.of("长春市").in_an_hour == ceilings.in_an_hour
