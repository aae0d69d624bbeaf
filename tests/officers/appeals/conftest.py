"""Officers, and citizens of a color who appeal."""

import pytest
from sqlalchemy import select

from app.entries.models import Case
from app.runtime import Services
from tests.support.appeals import Office
from tests.support.codes import open_code
from tests.support.people import Phone


@pytest.fixture
def office(services: Services) -> Office:
    return Office(services)


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    """Green, with the serial 1."""
    return green_citizen


@pytest.fixture
def ill(citizen: Phone) -> Phone:
    """Yellow, by what they have declared."""
    citizen.declare(symptoms=("cough",))
    return citizen


@pytest.fixture
def contact_of_a_case(office: Office, citizen: Phone) -> str:
    """The citizen is orange, for two officers have recorded a contact; the case's number."""
    infected = open_code(office.services)
    office.apply("confirmed", infected, reference="示例病例")
    with office.services.sessions() as session:
        number = session.scalars(select(Case.number)).one()
    office.apply("contact", 1, case=number)
    assert citizen.color() == "ORANGE"
    return number
