"""The gateway for text messages: what it does to phones, and an installation that has one."""

from dataclasses import replace
from typing import Any

import requests

from app.core.settings import Settings, SmsSettings
from app.runtime import Services, make_sms_client
from sms_sandbox import Limits

WIDE = Limits(thirty_seconds=1000, hour=1000, day=1000)
PHONE = "13800000000"  # of everybody in the tests who has not another one


def with_sms(services: Services, sms: SmsSettings) -> Services:
    """The services of an installation with these settings for text messages."""
    settings: Settings = services.settings.model_copy(update={"sms": sms})
    return replace(services, settings=settings, sms=make_sms_client(settings))


class Gateway:
    """What an operator of the gateway does and sees, and what happens to phones."""

    def __init__(self, url: str, services: Services) -> None:
        self._url, self._services = f"{url}/sandbox", services

    def tell(self, **how: Any) -> None:
        """Say how the gateway behaves from now on; the circuit closes."""
        requests.put(f"{self._url}/switch", json=how, timeout=30).raise_for_status()
        self._services.redis.delete("jx:sms-pause")

    def limit(self, **limits: Any) -> None:
        requests.put(f"{self._url}/limits", json={**WIDE.model_dump(), **limits}, timeout=30).raise_for_status()

    def texts(self, phone: str = PHONE) -> list[str]:
        """The text messages that arrived at a number."""
        found = requests.get(f"{self._url}/messages", params={"phone": f"+86{phone}"}, timeout=30).json()
        return [message["text"] for message in found["messages"]]

    def sends(self) -> int:
        return int(requests.get(f"{self._url}/calls", timeout=30).json().get("SendSms", 0))

    def give_up(self, phone: str = PHONE, word: str = "MK:0001") -> None:
        """Let the carrier have no such number."""
        requests.put(f"{self._url}/numbers/+86{phone}", json={"word": word}, timeout=30).raise_for_status()

    def reply(self, text: str, phone: str = PHONE) -> None:
        requests.post(f"{self._url}/numbers/+86{phone}/reply", json={"text": text}, timeout=30).raise_for_status()
