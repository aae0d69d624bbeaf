"""The callback endpoint, at the moment of the examples."""

import pytest

from app.runtime import Services
from tests.support.apps import Apps
from tests.wechat.callbacks.endpoint import Endpoint, at_the_examples


@pytest.fixture
def endpoint(services: Services, apps: Apps) -> Endpoint:
    """An endpoint that accepts all six forms."""
    return Endpoint(apps.of("endpoint", at_the_examples(services, allow_plaintext=True)))
