"""Installations with a gateway for text messages and an official account, the sandboxes as real servers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from app.core.settings import SmsSettings
from app.core.settings.sections import OfficialAccountSettings
from app.runtime import Services
from sms_sandbox import create_sandbox
from tests.support.apps import Apps
from tests.support.clock import StandingClock
from tests.support.official import Official, official_settings, with_official
from tests.support.people import Phone, Station
from tests.support.text_messages import WIDE, Gateway, with_sms

SECRET_ID, SECRET_KEY = "invented-id", "invented-key"


@pytest.fixture(scope="session")
def sms_sandbox() -> Flask:
    return create_sandbox(SECRET_ID, SECRET_KEY, limits=WIDE)


@pytest.fixture(scope="session")
def sms_url(serve: Callable[[Flask], str], sms_sandbox: Flask) -> str:
    return serve(sms_sandbox)


@pytest.fixture(scope="session")
def sms_settings(sms_url: str, tmp_path_factory: pytest.TempPathFactory) -> SmsSettings:
    key = tmp_path_factory.mktemp("sms") / "key"
    key.touch(mode=0o600)
    key.write_text(SECRET_KEY)
    return SmsSettings(
        gateway="tencent-cloud",
        api_base=sms_url,
        secret_id=SECRET_ID,
        secret_key_file=key,
        sdk_app_id="1400000000",
        sign_name="吉林政务",
        templates={"zh": "1000001", "en": "1000002"},
        news_templates={"zh": "1000004", "en": "1000005"},
        read_timeout_seconds=1,
        circuit_open_seconds=60,
    )


@pytest.fixture(scope="session")
def all_sms_services(all_services: Services, sms_settings: SmsSettings) -> Services:
    return with_sms(all_services, sms_settings)


@pytest.fixture
def services(services: Services, all_sms_services: Services, sms_sandbox: Flask) -> Services:
    sms_sandbox.test_client().post("/sandbox/reset")
    return all_sms_services


@pytest.fixture
def app(services: Services, apps: Apps) -> Flask:
    return apps.of("sms", services)


@pytest.fixture(scope="session")
def official_account(tmp_path_factory: pytest.TempPathFactory) -> OfficialAccountSettings:
    return official_settings(tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="session")
def all_official_services(all_sms_services: Services, official_account: OfficialAccountSettings) -> Services:
    return with_official(all_sms_services, official_account)


@pytest.fixture
def official(wechat_url: str, client: FlaskClient, services: Services) -> Iterator[Official]:
    yield Official(wechat_url, client, services)
    requests.delete(f"{wechat_url}/sandbox/failures", timeout=5)


@pytest.fixture
def gateway(services: Services, sms_url: str) -> Gateway:
    return Gateway(sms_url, services)


@pytest.fixture
def measure(client: FlaskClient, services: Services, clock: StandingClock) -> Callable[..., None]:
    """Change a citizen's color at a station, a minute later: a fever, or none any more. Each day has its inspector."""
    stations: dict[str, Station] = {}

    def register(citizen: Phone, celsius: float = 38.0) -> None:
        clock.advance(minutes=1)
        name = f"inspector-{clock.now():%j}"
        if name not in stations:
            stations[name] = Station.open(client, services, name)
        assert stations[name].measure(citizen.code()["token"], celsius).status_code == 200

    return register


@pytest.fixture
def key_file(sms_settings: SmsSettings) -> Path:
    assert sms_settings.secret_key_file is not None
    return sms_settings.secret_key_file
