"""The certificate of a deletion: its line, its event and the chain prove each other, and it names nobody."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from app.audit.sealing import seal_all
from app.cli import main
from app.runtime import Services
from tests.support.codes import write_config
from tests.support.people import PASSWORD, Phone


@pytest.fixture
def line(green_citizen: Phone) -> str:
    person = green_citizen
    certificate: str = person.post("/api/v1/accounts/me/erasure", {"password": PASSWORD}).json["certificate"]
    return certificate


@pytest.fixture
def check(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("JIXIANG_CONFIG", str(write_config(services.settings, tmp_path / "config.toml")))
    return lambda line, *words: CliRunner().invoke(main, ["audit", "certificate", line, *words])


def test_a_certificate_is_found_in_the_chain(services: Services, line: str, check: Any) -> None:
    waits = check(line)
    assert waits.exit_code == 0 and "not in the chain yet" in waits.output
    sealed = seal_all(services)
    found = check(f" {line[:40]}\n{line[40:]} ")  # as a phone breaks it
    assert found.exit_code == 0 and f"event {sealed} of the chain" in found.output
    assert json.loads(check(line, "--json").output) == {
        "action": "erased", "at": "2020-03-20T12:00:00+08:00", "fault": None, "place": sealed,
    }  # fmt: skip


def test_what_was_changed_or_made_elsewhere_proves_nothing(line: str, check: Any) -> None:
    action, id_, at, kid, signature = line.split(".")
    for other, words in (
        (f"{action}.{id_}.{int(at) + 1}.{kid}.{signature}", "was changed"),
        (f"{action}.{'0' * 32}.{at}.{kid}.{signature}", "was changed"),
        (f"{action}.{id_}.{at}.00000000.{signature}", "a key that is not here"),
        (line[:-1], "no certificate"),
    ):
        refused = check(other)
        assert refused.exit_code == 1 and words in refused.output, other


def test_an_event_that_was_removed_is_missed(services: Services, line: str, check: Any) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("alter table audit disable trigger user"))
        connection.execute(text("delete from audit where action = 'erased'"))
        connection.execute(text("alter table audit enable trigger user"))
    missed = check(line)
    assert missed.exit_code == 1 and "no such event" in missed.output
