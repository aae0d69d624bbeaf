"""Notices: one message about a color change, by the first channel that takes it.

Of a code the newest notice is sent, once, and the others are closed. At most one message to a citizen is being sent, by
whichever worker (`delivery.py`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Final, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.models import Code, DecisionRow, Notice
from app.notifications import delivery
from app.notifications.channels import Candidate, Channel, DeliveryOutcome, MessageRow
from app.notifications.channels import DeliveryPostponed as DeliveryPostponed  # callers await it from here
from app.notifications.delivery import Letters, Round
from app.notifications.official.channel import OfficialChannel
from app.notifications.sms.channel import SmsChannel
from app.notifications.subscription_messages import SubscriptionChannel, find_users
from app.runtime import Services

EXPIRES_AFTER: Final = timedelta(hours=24)  # an older change is not worth a message any more


def list_channels(services: Services) -> tuple[Channel, ...]:
    """Return the channels that are configured, in the order in which they are tried."""
    channels: list[Channel] = [SubscriptionChannel(services)]
    if services.official is not None:
        channels.append(OfficialChannel(services, services.official))
    if services.sms is not None:
        channels.append(SmsChannel(services, services.sms))
    return tuple(channels)


def deliver(services: Services, serials: Sequence[int]) -> None:
    """Send the newest waiting notice of each code. Raises DeliveryPostponed when one has to wait; others are sent."""
    channels = list_channels(services)
    letters = Letters(channels, partial(_lease, services, channels), _lock, _serial_of)
    delivery.deliver(services, letters, serials)


def _serial_of(row: MessageRow) -> int:
    return cast(Notice, row).serial


def _lock(session: Session, ids: Sequence[int]) -> Sequence[MessageRow]:
    leased = select(Notice).where(Notice.id.in_(ids)).order_by(Notice.serial, Notice.id).with_for_update()
    return session.scalars(leased).all()


def _lease(services: Services, channels: Sequence[Channel], serials: Sequence[int]) -> Round:
    """Return the messages to send, marked as being sent, and whether another worker is sending to a citizen."""
    now, chosen, leased_elsewhere = services.clock.now(), [], False
    open_notices = select(Notice).where(Notice.serial.in_(serials), Notice.delivery.in_(("waiting", "sending")))
    with services.begin() as session, session.no_autoflush:
        # always in this order, so that two workers with the same citizens cannot deadlock
        rows = list(session.scalars(open_notices.order_by(Notice.serial, Notice.id).with_for_update()))
        for _, of_code in groupby(rows, key=lambda notice: notice.serial):
            notices = list(of_code)
            if any(delivery.is_leased(notice, now) for notice in notices):
                leased_elsewhere = True
            elif (notice := _newest(notices, now)) is not None:
                chosen.append(notice)
        leased, postponed = delivery.lease(channels, session, _list_candidates(session, chosen, now), now)
        return Round(leased, postponed or leased_elsewhere)


def _newest(notices: list[Notice], now: datetime) -> Notice | None:
    """Return the one notice of a citizen that is worth a message, if any; close the others."""
    for notice in notices:
        if notice.delivery == "sending":
            delivery.mark(notice, DeliveryOutcome("unknown", "interrupted"), now)
        elif notice is not notices[-1]:
            delivery.mark(notice, DeliveryOutcome("superseded"), now)
        elif now - notice.created_at > EXPIRES_AFTER:
            delivery.mark(notice, DeliveryOutcome("expired"), now)
        else:
            return notice
    return None


def _list_candidates(session: Session, notices: list[Notice], now: datetime) -> list[Candidate]:
    """Return what a channel needs to know of each notice; close those that its holder may not hear of."""
    serials = [notice.serial for notice in notices]
    users = find_users(session, serials)
    codes = {code.serial: code for code in session.scalars(select(Code).where(Code.serial.in_(serials)))}
    decisions = select(DecisionRow).where(DecisionRow.id.in_([notice.decision_id for notice in notices]))
    by_id = {decision.id: decision for decision in session.scalars(decisions)}
    candidates = []
    for notice in notices:
        code = codes[notice.serial]
        if code.is_withheld:
            delivery.mark(notice, DeliveryOutcome("withheld"), now)
        else:
            candidates.append(Candidate(notice, code, by_id[notice.decision_id], users.get(notice.serial)))
    return candidates
