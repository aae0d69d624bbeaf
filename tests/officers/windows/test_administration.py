"""Service windows are made and closed, and clerks assigned, by administrators of the district and by operators."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.audit import AuditEvent
from app.cli import main
from app.runtime import Services
from app.staff.models import Officer, Window
from tests.support.codes import write_config
from tests.support.desk import Desk, make_officer, text_of
from tests.support.windows import DISTRICT, DONE, WINDOW, Clerk

Desks = Callable[..., Desk]
FORM = {"name": "示例窗口二", "place": "示例路 2 号", "district": DISTRICT}


@pytest.fixture
def administrator(desk: Desks) -> Desk:
    return desk("administrator", username="adm-1", district=DISTRICT)


def test_an_administrator_makes_a_window_and_moves_a_clerk_there(
    administrator: Desk, clerk: Clerk, console: Services
) -> None:
    made = administrator.send("/console/windows", FORM)
    assert (made.status_code, made.location) == (DONE, "/console/windows/2?done=window-added")
    assert administrator.send("/console/windows/2/clerks", {"username": " CLERK-1 "}).status_code == DONE
    assert "示例窗口二" in text_of(clerk.desk.get("/console/window"))
    assert "clerk-1" in text_of(administrator.get("/console/windows/2"))
    assert administrator.send("/console/windows/2/close").status_code == DONE
    assert clerk.desk.get("/console/window").status_code == 403
    assert administrator.send("/console/windows/2/clerks", {"username": "clerk-1"}).status_code == 404
    assert administrator.send("/console/windows/1/clerks", {"username": "clerk-1"}).status_code == DONE
    with console.sessions() as session:
        clerk_id = session.scalars(select(Officer.id).filter_by(username="clerk-1")).one()
    assert administrator.send(f"/console/windows/1/clerks/{clerk_id}/release").status_code == DONE
    assert clerk.desk.get("/console/window").status_code == 403
    with console.sessions() as session:
        acts = session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.like("window-%")).order_by(AuditEvent.id)
        ).all()
    assert [one.removeprefix("window-") for one in acts[2:]] == [
        "added", "clerk-assigned", "closed", "clerk-assigned", "clerk-released",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": " "}, "请填写此项"),
        ({"name": WINDOW}, "已有同名的服务窗口"),
        ({"place": "长" * 121}, "太长"),
        ({"district": "吉林市"}, "不在可选范围内"),
    ],
)
def test_a_window_that_is_not_one_is_refused_with_every_fault(
    administrator: Desk, clerk: Clerk, console: Services, changed: dict[str, str], says: str
) -> None:
    answer = administrator.send("/console/windows", {**FORM, **changed})
    assert answer.status_code == 422 and says in text_of(answer)
    with console.sessions() as session:
        assert len(session.scalars(select(Window.id)).all()) == 1


def test_only_a_clerk_of_the_district_is_assigned_and_no_other_districts_window_is_there(
    administrator: Desk, clerk: Clerk, console: Services, desk: Desks
) -> None:
    make_officer(console, "rec-1", "recorder", district=DISTRICT)
    make_officer(console, "clerk-there", "clerk", district="吉林市")
    for username in ("rec-1", "clerk-there", "nobody"):
        answer = administrator.send("/console/windows/1/clerks", {"username": username})
        assert answer.status_code == 422 and "不是本辖区的窗口工作人员" in text_of(answer)
    elsewhere = desk("administrator", username="adm-2", district="吉林市")
    assert WINDOW not in text_of(elsewhere.get("/console/windows"))
    for path in ("/console/windows/1/close", "/console/windows/1/clerks"):
        assert elsewhere.send(path, {"username": "clerk-there"} if "clerks" in path else None).status_code == 404


def test_who_lost_the_district_of_the_window_serves_nobody(clerk: Clerk, console: Services) -> None:
    with console.begin() as session:
        session.scalars(select(Officer).filter_by(username="clerk-1")).one().district = "吉林市"
    assert clerk.desk.get("/console/window").status_code == 403


def test_operators_do_the_same_at_the_command_line(
    console: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", str(write_config(console.settings, tmp_path / "config.toml")))
    make_officer(console, "clerk-1", "clerk", district=DISTRICT)

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["windows", *words], env={"LC_ALL": "en_US.UTF-8"})
        return result.exit_code, result.output

    given = ("add", "--name", WINDOW, "--place", "示例路 1 号", "--district", DISTRICT)
    assert run(*given) == (0, f"{WINDOW} is open.\n")
    code, output = run(*given)
    assert code == 1 and len(output.splitlines()) == 1
    assert run("assign", "--name", WINDOW, "--username", "clerk-1") == (0, f"clerk-1 works at {WINDOW}.\n")
    assert run("assign", "--name", "示例", "--username", "clerk-1")[0] == 1
    (row,) = json.loads(run("list", "--json")[1])
    assert (row["clerks"], row["closed"]) == (["clerk-1"], False)
    assert run("close", "--name", WINDOW)[0] == 0
    assert "closed" in run("list")[1]
