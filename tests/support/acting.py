"""Acts of officers straight at the packages, without a page: the context that `context.begin_officer` makes."""

from sqlalchemy.orm import Session

from app.runtime import Services
from app.staff.context import OPERATOR, OfficerContext, actor_of
from app.staff.models import Officer


def acting(services: Services, session: Session, officer: Officer | None = None) -> OfficerContext:
    """The context of an officer in this session; of an operator where there is none."""
    actor = OPERATOR if officer is None else actor_of(officer)
    return OfficerContext(session, services.policy, services.encryption, services.clock.now(), actor, officer)
