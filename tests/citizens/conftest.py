"""The national platform as a test tells it to be, and whom it does not confirm."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from app.runtime import Services
from tests.support.people import Phone

Tell = Callable[..., None]


@pytest.fixture
def platform(services: Services, platform_url: str) -> Tell:
    """Tells the platform how to behave, or what it knows of a person."""

    def tell(person: Phone | None = None, **how: Any) -> None:
        path = f"people/{person.document}" if person else "switch"
        requests.put(f"{platform_url}/sandbox/{path}", json=how, timeout=5).raise_for_status()
        services.redis.delete("jx:platform-pause")

    return tell


@pytest.fixture
def squat(platform: Tell) -> Callable[[Phone], Any]:
    """Registers somebody whom the platform does not confirm, because it is away at that moment."""

    def register(person: Phone) -> Any:
        platform(on=False)
        answer = person.register()
        platform(on=True)
        return answer

    return register


@pytest.fixture
def owner(phone: Callable[..., Phone]) -> Phone:
    return phone("示例甲")


@pytest.fixture
def stranger(phone: Callable[..., Phone], owner: Phone) -> Phone:
    """Somebody who claims the document of the owner."""
    return phone("示例乙", document=owner.document)
