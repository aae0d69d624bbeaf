"""A venue, its manager, and the administrator of its district."""

from typing import Any

import pytest
from flask import Flask

from app.runtime import Services
from tests.support.desk import Desk
from tests.support.people import Phone
from tests.support.venues import administrator, open_venue


@pytest.fixture
def manager(green_citizens: list[Phone]) -> Phone:
    return green_citizens[0]


@pytest.fixture
def desk(manager: Phone, services: Services, app: Flask) -> Desk:
    return administrator(services, app)


@pytest.fixture
def venue(manager: Phone, desk: Desk) -> Any:
    return open_venue(manager, desk)
