"""Devices at the console and the command line: added to a lane, listed, revoked; a secret is shown once."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app import create_app
from app.cli import main
from app.runtime import Services
from tests.support.codes import write_config
from tests.support.desk import Desk, text_of
from tests.support.devices import STATION, Device, open_station
from tests.support.people import Phone

FORM = {"station": STATION, "lane": "东门-1", "kind": "gate", "public_key": "", "shape": ""}


def test_an_administrator_adds_a_device_sees_its_secret_once_and_revokes_it(
    desk: Callable[..., Desk], client: FlaskClient, services: Services
) -> None:
    open_station(services)
    administrator = desk("administrator", username="adm-1", district="长春市")
    added = administrator.send("/console/devices", FORM)
    secret = re.search(r"<code>([\w-]{43})</code>", added.text)
    assert secret is not None, added.text
    device = Device(client, services, 1, secret[1])
    assert device.get("me").json["lane"] == "东门-1"  # type: ignore[index]
    listed = administrator.get("/console/devices")
    assert secret[1] not in listed.text
    assert "东门-1" in text_of(listed)
    assert administrator.send("/console/devices/1/revoke").status_code == 303
    assert device.get("me").status_code == 403
    assert "已吊销" in text_of(administrator.get("/console/devices"))


def test_what_is_wrong_is_said_on_the_page_and_another_district_is_out_of_reach(
    desk: Callable[..., Desk], client: FlaskClient, services: Services
) -> None:
    open_station(services)
    administrator = desk("administrator", username="adm-1", district="长春市")
    administrator.send("/console/devices", FORM)
    assert "已有一台同类设备" in text_of(administrator.send("/console/devices", FORM))
    assert "通道应为" in text_of(administrator.send("/console/devices", {**FORM, "lane": "a b!"}))
    elsewhere = desk("administrator", username="adm-2", district="吉林市")
    assert "没有这个查验点" in text_of(elsewhere.send("/console/devices", FORM))
    assert elsewhere.send("/console/devices/1/revoke").status_code == 404
    assert "东门-1" not in text_of(elsewhere.get("/console/devices"))


def test_an_operator_does_the_same(
    services: Services, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_station(services)
    monkeypatch.setenv("JIXIANG_CONFIG", str(write_config(services.settings, tmp_path / "config.toml")))

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["device", *arguments], env={"LC_ALL": "C"})
        assert result.exit_code == code, result.output
        return result.output

    said = run("add", "--station", STATION, "--lane", "7", "--kind", "bus")
    device = Device(client, services, 1, said.split()[-1])
    assert device.get("me").json["kind"] == "bus"  # type: ignore[index]
    row = json.loads(run("list", "--json"))
    assert {name: row[name] for name in ("device", "station", "lane", "kind", "revoked")} == {
        "device": 1, "station": STATION, "lane": "7", "kind": "bus", "revoked": False,
    }  # fmt: skip
    assert row["heard"] is not None
    run("revoke", "1")
    assert device.get("me").status_code == 403
    assert "lane" in run("add", "--station", STATION, "--lane", "a b", "--kind", "bus", code=1)


def test_auditors_read_of_a_device_at_its_ceiling_and_of_its_acts(
    desk: Callable[..., Desk], client: FlaskClient, services: Services, green_citizen: Phone
) -> None:
    """A temperature of a device is an event of its own, and so is trying out documents."""
    open_station(services)
    gate = Device.add(client, services)
    gate.check(green_citizen.code()["token"], celsius=36.5)
    small = services.settings.document_checks.model_copy(update={"ceiling": "1 per minute"})
    bounded = replace(services, settings=services.settings.model_copy(update={"document_checks": small}))
    trying = Device(create_app(bounded).test_client(), services, gate.id, gate.secret)
    document = {"type": "id-card", "number": green_citizen.document, "name": "示例他人"}
    statuses = [trying.post("checks", {"number": str(uuid4()), "document": document}).status_code for _ in range(2)]
    assert statuses == [200, 429]
    auditor = desk("auditor", username="aud-1")
    assert "gate 1" in text_of(auditor.get("/console/audit"))
    assert "查验设备" in text_of(auditor.get("/console/audit/events"))
