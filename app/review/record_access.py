"""An officer's look at one person's record from the command line. No look without an entry in the audit."""

from datetime import datetime

from sqlalchemy.orm import Session

from app import audit
from app.audit import AccessReason, RecordPart
from app.citizens import accounts
from app.citizens.documents import normalize, parse_document_type
from app.codes import explanation
from app.codes.explanation import Explanation
from app.codes.models import Code
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.runtime import Services
from app.staff import officers
from app.staff.models import Officer, Role

_ACCESS_ROLES = (Role.RECORDER, Role.APPROVER, Role.APPEALS, Role.AUDITOR)


def explain(
    services: Services, whom: int | tuple[str, str], at: datetime, *, officer: Officer, reason: str
) -> Explanation:
    """Why a person has their color at a moment; `whom` is a serial, or the type and number of a document.

    The entry in the audit is committed before anything is told; a question about nobody is entered too. Raises Problem,
    `not-your-role` among them: administrators of officers look at nobody.
    """
    actor, now = officers.actor_of(officer), services.clock.now()
    role = next((role for role in officer.roles if role in _ACCESS_ROLES), None)
    if role is None:
        raise Problem("not-your-role")
    if reason not in set(AccessReason):
        raise bad_field("/reason", "not-a-choice")
    with services.begin() as session:
        serial = _find_serial(session, services, whom)
        if serial is None:
            audit.append(session, actor, "record-sought", now, role=role, reason=reason, what=str(RecordPart.EVIDENCE))
        else:
            audit.record_access(session, actor, role, serial, reason, RecordPart.EVIDENCE, now)
            explained = explanation.explain(session, services.policy, serial, at)
    if serial is None:
        raise Problem("code-not-found")
    return explained


def _find_serial(session: Session, services: Services, whom: int | tuple[str, str]) -> int | None:
    """The serial of whom somebody asks about, None for nobody. Raises Problem for a document that cannot be one."""
    if isinstance(whom, int):
        return None if session.get(Code, whom) is None else whom
    kind, today = parse_document_type(whom[0]), services.clock.now().astimezone(BEIJING).date()
    return accounts.find_serial(session, services.encryption, kind, normalize(kind, whom[1], today))
