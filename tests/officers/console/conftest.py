"""Two officers of one district, and a case whose contacts one brings and the other signs for."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.entries.models import Case
from app.runtime import Services
from tests.support.desk import Desk
from tests.support.forms import STATED, OpenCase, page_of, save
from tests.support.people import id_number

Desks = Callable[..., Desk]


@pytest.fixture
def recorder(desk: Desks) -> Desk:
    return desk("recorder", username="rec-1", district="长春市")


@pytest.fixture
def approver(desk: Desks, recorder: Desk) -> Desk:
    return desk("approver", username="app-1", district="长春市")


@pytest.fixture
def case(recorder: Desk, approver: Desk, console: Services) -> OpenCase:
    """A case that was just confirmed."""
    approver.sign(f"{page_of(save(recorder, id_number(500), kind='confirmed', **STATED))}/approve")
    with console.sessions() as session:
        one = session.scalars(select(Case)).one()
        return OpenCase(one.number, f"/console/entries/new?kind=contact&case={one.id}")
