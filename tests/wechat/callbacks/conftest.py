"""The door, at the moment of the examples."""

import pytest

from app.runtime import Services
from tests.support.apps import Apps
from tests.wechat.callbacks.doors import Door, at_the_examples


@pytest.fixture
def door(services: Services, apps: Apps) -> Door:
    """Takes all six forms."""
    return Door(apps.of("door", at_the_examples(services, allow_plaintext=True)))
