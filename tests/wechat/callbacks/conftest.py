"""The door, at the moment of the examples."""

import pytest

from app.runtime import Services
from tests.wechat.callbacks.doors import Door, open_door


@pytest.fixture
def door(services: Services) -> Door:
    """Takes all six forms."""
    return open_door(services, allow_plaintext=True)
