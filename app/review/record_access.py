"""An officer's access to one person's record from the command line. No access without an audit event."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.audit import CHOSEN_REASONS, RecordPart
from app.citizens import lookup
from app.citizens.documents import normalize, parse_document_type
from app.codes import explanation
from app.codes.explanation import Explanation
from app.codes.models import Code
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.runtime import Services
from app.staff.context import begin_officer
from app.staff.models import Officer, Role

_ACCESS_ROLES = (Role.RECORDER, Role.APPROVER, Role.APPEALS, Role.AUDITOR)


def explain(
    services: Services, whom: int | tuple[str, str], at: datetime, *, officer: Officer, reason: str
) -> Explanation:
    """Explain a person's color at a moment; `whom` is a serial, or the type and number of a document.

    The audit event is committed before anything is shown; a search for an unknown person is recorded too. Raises
    Problem, among others `not-your-role`: administrators access no record.
    """
    if reason not in CHOSEN_REASONS:
        raise bad_field("/reason", "not-a-choice")
    with begin_officer(services, officer) as context:
        context = context.acting_as(*_ACCESS_ROLES)
        serial = _find_serial(context.session, services, whom)
        if serial is None:
            context.append_audit("record-sought", reason=reason, what=str(RecordPart.EVIDENCE))
        else:
            context.record_access(serial, reason, RecordPart.EVIDENCE)
            explained = explanation.explain(context.session, context.policy, serial, at)
    if serial is None:
        raise Problem("code-not-found")
    return explained


def _find_serial(session: Session, services: Services, whom: int | tuple[str, str]) -> int | None:
    """Return the serial of a person, None for an unknown one. Raises Problem for an invalid document."""
    if isinstance(whom, int):
        return None if session.get(Code, whom) is None else whom
    kind, today = parse_document_type(whom[0]), services.clock.now().astimezone(BEIJING).date()
    return lookup.find_serial(session, services.encryption, kind, normalize(kind, whom[1], today))
