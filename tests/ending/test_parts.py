"""The parts of the end by themselves: what becomes of each table, the announcement, and the report."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.exceptions import InvalidSignature
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from app.cli import main
from app.core.errors import Problem
from app.core.keys import load_signing_keys
from app.ending import deciding, report
from app.ending.tables import EMPTIED, KEPT
from app.installation import Installation
from app.runtime import Services
from app.web.ended import Ended, answer
from tests.support.desk import make_officer

HOW = Path(__file__).parents[2] / "docs/how-to"


def test_the_end_forgets_no_table_and_names_none_twice(services: Services) -> None:
    with services.engine.connect() as connection:
        tables = connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
    assert sorted([*EMPTIED, *KEPT]) == sorted(tables)


def test_an_announced_end_is_said_to_everybody_and_its_withdrawal_too(services: Services, client: FlaskClient) -> None:
    two = [make_officer(services, name, "administrator") for name in ("adm-1", "adm-2")]
    day = services.clock.now().date() + timedelta(days=20)
    with pytest.raises(Problem, match="end-notice-form"):
        deciding.announce(services, two, day, "two\nlines")
    deciding.announce(services, two, day, "感谢您的配合")
    services.generation.refresh()
    answer: Any = client.get("/api/v1/service", headers={"Accept-Language": "en"}).json
    said = answer["ending"]
    assert (answer["state"], said["ends_on"], said["notice"]) == ("announced", "2020-04-09", "感谢您的配合")
    assert "ends on 2020-04-09" in said["title"] and "export" in said["advice"]
    for path in ("/api/v1/service", "/api/v1/home"):
        assert "将于 2020-04-09 结束" in client.get(path).json["ending"]["title"], path  # type: ignore[index]
    assert "吉祥码服务将于 2020-04-09 结束" in client.get("/console/login").text
    deciding.withdraw(services, two)
    services.generation.refresh()
    assert client.get("/api/v1/service").json == {"state": "running", "ending": None}
    assert "服务将于" not in client.get("/console/login").text


def test_a_clock_that_jumped_ahead_ends_nothing(services: Services) -> None:
    with services.sessions() as session:
        at_database = session.scalars(select(func.clock_timestamp())).one()
        row = Installation(ends_on=at_database.date() - timedelta(days=2))
        deciding.require_due(services_at(services, at_database), session, row)
        with pytest.raises(Problem, match="clock-ahead"):
            deciding.require_due(services_at(services, at_database + timedelta(minutes=5)), session, row)
        row.ends_on = at_database.date() + timedelta(days=1)
        with pytest.raises(Problem, match="end-not-due"):
            deciding.require_due(services_at(services, at_database), session, row)


def services_at(services: Services, moment: Any) -> Any:
    from dataclasses import replace

    from tests.support.clock import StandingClock

    clock = StandingClock()
    clock.moment = moment
    return replace(services, clock=clock)


CONTENT = {"ended_at": "2027-01-01T00:10:00+08:00", "rows": {"personal": {"citizens": 3}}, "chain": {"entries": 9}}
CONTENT |= {"keys": {"files": ["sealing.key"]}}


def test_a_report_is_believed_as_it_was_signed_and_by_a_key_that_was_known(services: Services, tmp_path: Path) -> None:
    [key] = load_signing_keys(services.settings.keys.directory).signing
    signed = report.sign(key, CONTENT)
    document = report.to_text(signed, [])
    assert report.verify(document, {key.public}).content == CONTENT
    changed = json.dumps({**signed, "signed": signed["signed"].replace("3", "4")})
    for fault, text_, known in (
        ("forged", changed, None),
        ("unknown-key", document, {bytes(32)}),
        ("not-a-report", "[]", None),
        ("not-a-report", json.dumps(report.sign(key, {"other": 1})), None),
        ("not-a-report", json.dumps({**signed, "key": "AAAA"}), None),
    ):
        with pytest.raises(report.ReportInvalid, match=fault):
            report.verify(text_, known)
        (tmp_path / "file").write_text(text_)
        if known is None:
            run = CliRunner().invoke(main, ["service", "verify-report", str(tmp_path / "file")])
            assert (run.exit_code, run.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("name", ["end-the-service.md", "end-the-service.zh.md"])
def test_the_reader_of_the_how_to_verifies_a_report(
    name: str, services: Services, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [key] = load_signing_keys(services.settings.keys.directory).signing
    signed = report.sign(key, CONTENT)
    (tmp_path / "jixiang-end").write_text(report.to_text(signed, []))
    (tmp_path / "kept-keys").write_bytes(client.get("/.well-known/jixiang-keys").data)
    monkeypatch.chdir(tmp_path)
    [code] = re.findall(r"```python\n(.*?)```", (HOW / name).read_text(encoding="utf-8"), re.DOTALL)
    exec(code, {})  # as a reader who copies it runs it
    (tmp_path / "jixiang-end").write_text(json.dumps({**signed, "signed": "{}"}))
    with pytest.raises(InvalidSignature):
        exec(code, {})


def test_a_form_of_an_officer_that_was_on_its_way_is_answered_with_the_page() -> None:
    ended = Ended("2020-04-05T00:00:00+08:00", None)
    kinds = {
        (method, path): answer(ended, method, path, {}).kind
        for method, path in (("POST", "/console/entries/new"), ("GET", "/console/"), ("POST", "/api/v1/checks"))
    }
    assert [kind.partition(";")[0] for kind in kinds.values()] == [*["text/html"] * 2, "application/problem+json"]
    assert {answer(ended, method, path, {}).status for method, path in kinds} == {410}
