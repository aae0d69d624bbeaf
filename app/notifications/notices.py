"""Delivery of notices: one message about a color change, by the first channel that takes it.

Short steps for one code or many: lease the newest notice of each, with what its channel takes for it; call the partner
with no transaction open; record the outcomes; whoever was refused is leased for the next channel. At most one message
to a citizen is being sent, by whichever worker: the row of the notice is the lease. A lease without an outcome is a
message with an unknown outcome, which no channel sends again: one message too few is better than a false second one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.models import Code, DecisionRow, Notice
from app.core.metrics import NOTICES
from app.notifications.channels import Candidate, Channel, ChannelMessage, DeliveryOutcome
from app.notifications.channels import DeliveryPostponed as DeliveryPostponed  # callers await it from here
from app.notifications.official.channel import OfficialChannel
from app.notifications.sms.channel import SmsChannel
from app.notifications.subscription_messages import SubscriptionChannel, find_users
from app.runtime import Services

log = structlog.get_logger()

LEASE: Final = timedelta(minutes=2)  # no send takes so long: a worker without an outcome by then has died
EXPIRES_AFTER: Final = timedelta(hours=24)  # an older change is not worth a message any more


class _Leased(NamedTuple):
    """A message to send, and the channel that sends it."""

    channel: Channel
    message: ChannelMessage


class _Sent(NamedTuple):
    """What was leased, and how sending it ended."""

    channel: Channel
    message: ChannelMessage
    end: Future[DeliveryOutcome]


class _Round(NamedTuple):
    """What one transaction has leased, and whether something has to wait."""

    leased: list[_Leased]
    postponed: bool


def list_channels(services: Services) -> tuple[Channel, ...]:
    """Return the channels that are configured, in the order in which they are tried."""
    channels: list[Channel] = [SubscriptionChannel(services)]
    if services.official is not None:
        channels.append(OfficialChannel(services, services.official))
    if services.sms is not None:
        channels.append(SmsChannel(services, services.sms))
    return tuple(channels)


def next_channel(channels: Sequence[Channel], name: str | None) -> str | None:
    """Return the channel that is tried after one; None after the last."""
    names = [channel.name for channel in channels]
    after = names.index(name) + 1 if name in names else 1
    return names[after] if after < len(names) else None


def deliver(services: Services, serials: Sequence[int]) -> None:
    """Send the newest waiting notice of each code. Raises DeliveryPostponed when one has to wait; others are sent."""
    channels, postponed, sent = list_channels(services), False, list[_Sent]()
    open_serials = list(serials)
    while open_serials:
        leased, later = _lease(services, channels, open_serials)
        ended = _send_all(leased)
        open_serials, still_later = _record_outcomes(services, channels, ended)
        postponed, sent = postponed or later or still_later, [*sent, *ended]
    for one in sent:
        one.end.result()  # an error of ours leaves only its own notice unknown, and is raised
    if postponed:
        raise DeliveryPostponed


# --- leasing ------------------------------------------------------------------------------------------------------


def _lease(services: Services, channels: Sequence[Channel], serials: Sequence[int]) -> _Round:
    """Return the messages to send, marked as being sent, and whether another worker is sending to a citizen."""
    now, chosen, leased_elsewhere = services.clock.now(), [], False
    open_notices = select(Notice).where(Notice.serial.in_(serials), Notice.delivery.in_(("waiting", "sending")))
    with services.begin() as session, session.no_autoflush:
        # always in this order, so that two workers with the same citizens cannot deadlock
        rows = list(session.scalars(open_notices.order_by(Notice.serial, Notice.id).with_for_update()))
        for _, of_code in groupby(rows, key=lambda notice: notice.serial):
            notices = list(of_code)
            if any(_is_leased(notice, now) for notice in notices):
                leased_elsewhere = True
            elif (notice := _newest(notices, now)) is not None:
                chosen.append(notice)
        leased, postponed = _prepare(channels, session, chosen, now)
        return _Round(leased, postponed or leased_elsewhere)


def _is_leased(notice: Notice, now: datetime) -> bool:
    leased_at = notice.updated_at if notice.delivery == "sending" else None
    return leased_at is not None and now - leased_at < LEASE


def _newest(notices: list[Notice], now: datetime) -> Notice | None:
    """Return the one notice of a citizen that is worth a message, if any; close the others."""
    for notice in notices:
        if notice.delivery == "sending":
            _mark(notice, DeliveryOutcome("unknown", "interrupted"), now)
        elif notice is not notices[-1]:
            _mark(notice, DeliveryOutcome("superseded"), now)
        elif now - notice.created_at > EXPIRES_AFTER:
            _mark(notice, DeliveryOutcome("expired"), now)
        else:
            return notice
    return None


def _prepare(channels: Sequence[Channel], session: Session, notices: list[Notice], now: datetime) -> _Round:
    """Give each notice to the first channel that can carry it, from the one that it has come to; close the others."""
    leased, postponed, left = list[_Leased](), False, _list_candidates(session, notices, now)
    for channel in channels:
        here = [one for one in left if one.notice.channel in (None, channel.name)]
        for candidate, found in zip(here, channel.prepare(session, here), strict=True):
            if not isinstance(found, DeliveryOutcome):
                _mark(candidate.notice, DeliveryOutcome("sending"), now, channel)
                leased.append(_Leased(channel, found))
            elif found.delivery == "waiting":
                _mark(candidate.notice, found, now, channel)
                postponed = True
            else:
                _refuse(channels, candidate.notice, channel, found, now)
        left = [one for one in left if one.notice.delivery == "waiting" and one.notice.channel != channel.name]
    for candidate in left:  # its channel is not configured any more
        _mark(candidate.notice, DeliveryOutcome("no-subscription"), now)
    return _Round(leased, postponed)


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
            _mark(notice, DeliveryOutcome("withheld"), now)
        else:
            candidates.append(Candidate(notice, code, by_id[notice.decision_id], users.get(notice.serial)))
    return candidates


# --- sending ------------------------------------------------------------------------------------------------------


def _send_all(leased: list[_Leased]) -> list[_Sent]:
    """Send all at once, each in a thread of its own, so that no leased notice waits for another."""
    if not leased:
        return []
    with ThreadPoolExecutor(len(leased), thread_name_prefix="send") as threads:
        return [_Sent(*one, threads.submit(one.channel.send, one.message)) for one in leased]


# --- recording outcomes -------------------------------------------------------------------------------------------


def _record_outcomes(services: Services, channels: Sequence[Channel], sent: Sequence[_Sent]) -> tuple[list[int], bool]:
    """Record the outcome of each message, and return what was taken for those that were not sent.

    Returns the codes whose notice has come to another channel, and whether a message has to wait.
    """
    ended = [(one, one.end.result()) for one in sent if one.end.exception() is None]
    if not ended:
        return [], False
    now, by_id = services.clock.now(), {one.message.notice.id: (one, outcome) for one, outcome in ended}
    leased = select(Notice).where(Notice.id.in_(by_id)).order_by(Notice.serial, Notice.id).with_for_update()
    with services.begin() as session, session.no_autoflush:
        rows = list(session.scalars(leased))
        for notice in rows:
            one, outcome = by_id[notice.id]
            if outcome.delivery == "failed":
                _refuse(channels, notice, one.channel, outcome, now)
            else:
                _mark(notice, outcome, now, one.channel)
        for channel in channels:
            channel.record(session, [(one.message, outcome) for one, outcome in ended if one.channel is channel])
        handed_on = [notice.serial for notice in rows if notice.delivery == "waiting" and _moved(notice, by_id)]
    _report(channels, ended)
    return handed_on, any(outcome.delivery == "waiting" for _, outcome in ended)


def _moved(notice: Notice, by_id: dict[int, tuple[_Sent, DeliveryOutcome]]) -> bool:
    return notice.channel != by_id[notice.id][0].channel.name


def _report(channels: Sequence[Channel], ended: Sequence[tuple[_Sent, DeliveryOutcome]]) -> None:
    for channel in channels:
        of_channel = [outcome for one, outcome in ended if one.channel is channel]
        if of_channel:
            channel.report(of_channel)
            report_outcomes(channel.name, of_channel)


def report_outcomes(channel: str, outcomes: Iterable[DeliveryOutcome]) -> None:
    """Count the outcomes of a channel, and log them."""
    for (delivery, error), count in Counter((end.delivery, end.error) for end in outcomes).items():
        NOTICES.labels(delivery, channel).inc(count)
        log.info("notice-outcome", channel=channel, delivery=delivery, error=error, count=count)


def hand_on(channels: Sequence[Channel], notice: Notice, error: str, now: datetime) -> bool:
    """Record that a message which a channel had taken did not arrive; return whether another channel tries now."""
    failed = DeliveryOutcome("failed", error, notice.msgid)
    current = next((channel for channel in channels if channel.name == notice.channel), channels[0])
    _refuse(channels, notice, current, failed, now)
    return notice.delivery == "waiting"


def _refuse(
    channels: Sequence[Channel], notice: Notice, channel: Channel, outcome: DeliveryOutcome, now: datetime
) -> None:
    """Let the next channel try; after the last, record why it could not."""
    following = next_channel(channels, channel.name)
    if following is not None:
        _mark(notice, outcome._replace(delivery="waiting"), now)
        notice.channel = following
        return
    _mark(notice, outcome, now, channel)


def _mark(notice: Notice, outcome: DeliveryOutcome, now: datetime, channel: Channel | None = None) -> None:
    notice.delivery, notice.error, notice.msgid = outcome.delivery, outcome.error, outcome.msgid
    notice.updated_at = now
    if channel is not None:
        notice.channel = channel.name
