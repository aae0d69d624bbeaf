"""What partners are answered, about a code that its holder shows them: never by a name or a number.

Who shows a code consents that it is looked at, for as long as the code lasts. `verify` says what a station would be
shown; `query` takes the code on a screen alone and says since when it is so; `correct` files the holder's appeal.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app import audit
from app.appeals.appeals import NewAppeal, file_appeal
from app.audit import Actor
from app.codes import ledger
from app.codes.states import State
from app.codes.tokens import STRIP_PREFIX
from app.core.errors import Problem
from app.partners.models import Partner
from app.runtime import Services
from app.stations import checks
from app.stations.checks import ScannedToken


class CodeAnswer(NamedTuple):
    """The state of a code now, what a station does about it, since when it is so and until when it may be relied on."""

    state: State
    action: str
    since: datetime
    checked_at: datetime
    valid_until: datetime


def verify(services: Services, token: str, issuer: str | None = None) -> CodeAnswer:
    """Return what the code of a token says now. Raises Problem with why there is no answer."""
    if issuer is not None and issuer != services.settings.trust.issuer:
        raise Problem("partner-other-issuer")
    now = services.clock.now()
    scanned = checks.read_token(services, token, now)
    with services.sessions() as session:
        require_held(session, scanned)
    current = services.current_code(scanned.serial)
    if current.stale:  # an answer is as of now
        raise Problem("unavailable", retry_after=5)
    check = checks.check_code(services, current)
    return CodeAnswer(
        current.record.state, check.action, current.record.since, now, now + services.settings.tokens.life
    )


def query(services: Services, token: str) -> CodeAnswer:
    """Return the same of a code on a screen, whose holder is there. Raises Problem."""
    require_screen(token)
    return verify(services, token)


def correct(services: Services, partner: str, token: str, text: str) -> datetime:
    """File the appeal of the holder of a code on a screen; return until when it is resolved. Raises Problem."""
    require_screen(token)
    now = services.clock.now()
    scanned = checks.read_token(services, token, now)
    with services.begin() as session:
        require_held(session, scanned)
        appeal = file_appeal(session, services.encryption, NewAppeal(scanned.serial, text), now)
        audit.append(
            session, Actor("partner", partner), "partner-filed-appeal", now, serial=scanned.serial,
            appeal=appeal.id, authority=session.get_one(Partner, partner).name,
        )  # fmt: skip
        return appeal.due_at


def require_screen(token: str) -> None:
    """Raise Problem for a code of a strip, which is hours old: it is no consent of now."""
    if token.startswith(STRIP_PREFIX):
        raise Problem("partner-needs-screen")


def require_held(session: Session, scanned: ScannedToken) -> None:
    """Raise Problem where who showed the code has been erased, or whose session has ended, since it was issued."""
    code = ledger.get_code(session, scanned.serial)
    if code.claimed_at is None or scanned.mark.issued < int(code.claimed_at.timestamp()):
        raise Problem("partner-holder-erased")
    if scanned.epoch is not None and scanned.epoch != code.epoch:
        raise Problem("strip-ended")
