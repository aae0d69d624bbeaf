"""An auditor and a recorder at their desks, and a citizen."""

import pytest

from tests.support.auditing import Desks
from tests.support.desk import Desk
from tests.support.people import Phone


@pytest.fixture
def auditor(desk: Desks) -> Desk:
    return desk("auditor", username="aud-1")


@pytest.fixture
def recorder(desk: Desks) -> Desk:
    return desk("recorder", username="rec-1", district="长春市")


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen
