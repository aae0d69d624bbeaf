"""A service window with two clerks, and people who come there."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from app.runtime import Services
from app.staff.context import OPERATOR, begin_as
from app.windows import administration
from app.windows.administration import NewWindow
from tests.support.desk import Desk
from tests.support.windows import DISTRICT, WINDOW, Clerk

Desks = Callable[..., Desk]


@pytest.fixture
def clerk(console: Services, desk: Desks) -> Clerk:
    """A clerk at the window of the tests, and a colleague."""
    with begin_as(console, OPERATOR) as context:
        administration.add_window(context, NewWindow(WINDOW, "示例路 1 号", DISTRICT))
    return hire(console, desk, "clerk-1")


@pytest.fixture
def colleague(console: Services, clerk: Clerk, desk: Desks) -> Clerk:
    """A second clerk at the same window."""
    return hire(console, desk, "clerk-2")


def hire(console: Services, desk: Desks, username: str) -> Clerk:
    sitting = desk("clerk", username=username, district=DISTRICT)
    with begin_as(console, OPERATOR) as context:
        window = administration.find_by_name(context, WINDOW)
        administration.assign_clerk(context, window.id, username)
    return Clerk(sitting)


@pytest.fixture
def platform(services: Services, platform_url: str) -> Callable[..., None]:
    """Tells the platform how to behave, or what it knows of a person."""

    def tell(number: str = "", **how: Any) -> None:
        path = f"people/{number}" if number else "switch"
        requests.put(f"{platform_url}/sandbox/{path}", json=how, timeout=5).raise_for_status()
        services.redis.delete("jx:platform-pause")

    return tell
