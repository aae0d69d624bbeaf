"""Desks for the tests of the console."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from app.runtime import Services
from tests.support.apps import Apps
from tests.support.desk import Desk, make_officer


@pytest.fixture(scope="session")
def all_console(all_services: Services) -> Services:
    return replace(all_services, real_clock=all_services.clock)


@pytest.fixture
def console(services: Services, all_console: Services) -> Services:
    """Services whose authenticators go by the clock of the test."""
    return all_console


@pytest.fixture
def console_app(console: Services, apps: Apps) -> Flask:
    return apps.of("console", console)


@pytest.fixture
def desk(console: Services, console_app: Flask) -> Callable[..., Desk]:
    """Makes officers at their desks, logged in: `desk("auditor")`, `desk("recorder", district="长春市")`."""

    def sit(*roles: str, username: str = "officer-1", district: str | None = None) -> Desk:
        make_officer(console, username, *roles, district=district)
        return Desk(console_app, console, username).enter()

    return sit
