"""The person at a window as they may see themselves, which is what the clerk shows them.

State, reasons and next step; no history, and no more of the identity than its holder recognizes.
"""

from typing import NamedTuple

from sqlalchemy import func, select

from app.citizens import accounts
from app.citizens.accounts import Profile
from app.codes import display, ledger
from app.codes.display import ShownDecision
from app.codes.paper import cards
from app.core.errors import Problem
from app.runtime import Services
from app.staff.context import begin_officer
from app.staff.models import Officer
from app.wechat.models import WeChatUser
from app.windows import recoveries
from app.windows.models import Recovery
from app.windows.visits import find_visit


class Visitor(NamedTuple):
    """The person at the window. `decision` is None before the first declaration, and after a denial of the platform.

    `bound` counts the WeChat users who open the account; `recovery` is one that is not over, and
    `reprint_asked` says that an auditor asks for another print of the card on paper.
    """

    profile: Profile
    is_confirmed: bool
    is_denied: bool
    bound: int
    decision: ShownDecision | None
    recovery: Recovery | None
    reprint_asked: bool


def show_visitor(services: Services, officer: Officer, visit_id: int) -> Visitor:
    """Return what the person at the window may see. Raises Problem `visit-over`."""
    with begin_officer(services, officer) as context:
        session, now = context.session, context.now
        serial = find_visit(context, visit_id).serial
        profile = accounts.get_profile(session, context.encryption, serial)
        if profile is None:  # deleted meanwhile
            raise Problem("visit-over")
        code = ledger.get_code(session, serial)
        is_confirmed, is_denied = code.confirmed_at is not None, code.denied_at is not None
        bound = session.scalars(select(func.count()).select_from(WeChatUser).filter_by(serial=serial)).one()
        recovery = recoveries.find_open(session, serial, now)
        card = cards.find_live(session, serial, now)
    reprint_asked = card is not None and card.reprint_asked_at is not None
    try:
        decision = display.decide_for_holder(services, serial, now)
    except Problem:  # not declared, or denied: `is_denied` says which
        decision = None
    return Visitor(profile, is_confirmed, is_denied, bound, decision, recovery, reprint_asked)
