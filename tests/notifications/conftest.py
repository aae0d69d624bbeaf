"""An installation with a gateway for text messages, the sandbox as a real server."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from app.core.settings import Settings, SmsSettings
from app.runtime import Services, make_sms_client
from sms_sandbox import Limits, create_sandbox
from tests.support.apps import Apps
from tests.support.clock import StandingClock
from tests.support.people import Phone, Station

SECRET_ID, SECRET_KEY = "invented-id", "invented-key"
WIDE = Limits(thirty_seconds=1000, hour=1000, day=1000)
PHONE = "13800000000"  # of everybody in the tests who has not another one


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
        read_timeout_seconds=1,
        circuit_open_seconds=60,
    )


def with_sms(services: Services, sms: SmsSettings) -> Services:
    """The services of an installation with these settings for text messages."""
    settings: Settings = services.settings.model_copy(update={"sms": sms})
    return replace(services, settings=settings, sms=make_sms_client(settings))


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


class Gateway:
    """What an operator of the gateway does and sees, and what happens to phones."""

    def __init__(self, url: str, services: Services) -> None:
        self._url, self._services = f"{url}/sandbox", services

    def tell(self, **how: Any) -> None:
        """Say how the gateway behaves from now on; the circuit closes."""
        requests.put(f"{self._url}/switch", json=how, timeout=5).raise_for_status()
        self._services.redis.delete("jx:sms-pause")

    def limit(self, **limits: Any) -> None:
        requests.put(f"{self._url}/limits", json={**WIDE.model_dump(), **limits}, timeout=5).raise_for_status()

    def texts(self, phone: str = PHONE) -> list[str]:
        """The text messages that arrived at a number."""
        found = requests.get(f"{self._url}/messages", params={"phone": f"+86{phone}"}, timeout=5).json()
        return [message["text"] for message in found["messages"]]

    def sends(self) -> int:
        return int(requests.get(f"{self._url}/calls", timeout=5).json().get("SendSms", 0))

    def give_up(self, phone: str = PHONE, word: str = "MK:0001") -> None:
        """Let the carrier have no such number."""
        requests.put(f"{self._url}/numbers/+86{phone}", json={"word": word}, timeout=5).raise_for_status()

    def reply(self, text: str, phone: str = PHONE) -> None:
        requests.post(f"{self._url}/numbers/+86{phone}/reply", json={"text": text}, timeout=5).raise_for_status()


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
