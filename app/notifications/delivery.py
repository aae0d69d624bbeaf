"""The delivery of messages by channels: lease, send, record. What a message is about, this module does not know.

Short steps for one message or many: lease each with what its channel takes for it; call the partner with no transaction
open; record the outcomes; whoever was refused is leased for the next channel. The row of the message is the lease, and
a lease without an outcome is a message with an unknown outcome, which no channel sends again: one message too few is
better than a false second one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from sqlalchemy.orm import Session

from app.core.metrics import NOTICES
from app.notifications.channels import (
    Candidate,
    Channel,
    ChannelMessage,
    DeliveryOutcome,
    DeliveryPostponed,
    MessageRow,
)
from app.runtime import Services

log = structlog.get_logger()

LEASE: Final = timedelta(minutes=2)  # no send takes so long: a worker without an outcome by then has died


class _Leased(NamedTuple):
    """A message to send, and the channel that sends it."""

    channel: Channel
    message: ChannelMessage


class _Sent(NamedTuple):
    """What was leased, and how sending it ended."""

    channel: Channel
    message: ChannelMessage
    end: Future[DeliveryOutcome]


class Round(NamedTuple):
    """What one transaction has leased, and whether something has to wait."""

    leased: list[_Leased]
    postponed: bool


class Letters(NamedTuple):
    """The rows of one table that are to be delivered, and their channels, in the order in which they are tried.

    `lease` leases what it can of these keys; `lock` reads rows by their ids, locked in the order that avoids deadlocks;
    `key` is that of a row.
    """

    channels: Sequence[Channel]
    lease: Callable[[Sequence[int]], Round]
    lock: Callable[[Session, Sequence[int]], Sequence[MessageRow]]
    key: Callable[[MessageRow], int]


def deliver(services: Services, letters: Letters, keys: Sequence[int]) -> None:
    """Send what can be sent, each by the first channel that takes it. Raises DeliveryPostponed when one has to wait."""
    postponed, sent, waiting = False, list[_Sent](), list(keys)
    while waiting:
        leased, later = letters.lease(waiting)
        ended = _send_all(leased)
        waiting, still_later = _record_outcomes(services, letters, ended)
        postponed, sent = postponed or later or still_later, [*sent, *ended]
    for one in sent:
        one.end.result()  # an error of ours leaves only its own message unknown, and is raised
    if postponed:
        raise DeliveryPostponed


def next_channel(channels: Sequence[Channel], name: str | None) -> str | None:
    """Return the channel that is tried after one; None after the last."""
    names = [channel.name for channel in channels]
    after = names.index(name) + 1 if name in names else 1
    return names[after] if after < len(names) else None


def is_leased(row: MessageRow, now: datetime) -> bool:
    """Return whether a worker is sending a message at this moment."""
    leased_at = row.updated_at if row.delivery == "sending" else None
    return leased_at is not None and now - leased_at < LEASE


def lease(channels: Sequence[Channel], session: Session, candidates: Sequence[Candidate], now: datetime) -> Round:
    """Give each message to the first channel that can carry it, from the one that it has come to; close the others."""
    leased, postponed, left = list[_Leased](), False, list(candidates)
    for channel in channels:
        here = [one for one in left if one.notice.channel in (None, channel.name)]
        for candidate, found in zip(here, channel.prepare(session, here), strict=True):
            if not isinstance(found, DeliveryOutcome):
                mark(candidate.notice, DeliveryOutcome("sending"), now, channel)
                leased.append(_Leased(channel, found))
            elif found.delivery == "waiting":
                mark(candidate.notice, found, now, channel)
                postponed = True
            else:
                _refuse(channels, candidate.notice, channel, found, now)
        left = [one for one in left if one.notice.delivery == "waiting" and one.notice.channel != channel.name]
    for candidate in left:  # its channel is not configured any more
        mark(candidate.notice, DeliveryOutcome("no-subscription"), now)
    return Round(leased, postponed)


def _send_all(leased: list[_Leased]) -> list[_Sent]:
    """Send all at once, each in a thread of its own, so that no leased message waits for another."""
    if not leased:
        return []
    with ThreadPoolExecutor(len(leased), thread_name_prefix="send") as threads:
        return [_Sent(*one, threads.submit(one.channel.send, one.message)) for one in leased]


def _record_outcomes(services: Services, letters: Letters, sent: Sequence[_Sent]) -> tuple[list[int], bool]:
    """Record the outcome of each message, and return what was taken for those that were not sent.

    Returns the keys of messages that have come to another channel, and whether a message has to wait.
    """
    ended = [(one, one.end.result()) for one in sent if one.end.exception() is None]
    if not ended:
        return [], False
    now, by_id = services.clock.now(), {one.message.notice.id: (one, outcome) for one, outcome in ended}
    with services.begin() as session, session.no_autoflush:
        rows = letters.lock(session, sorted(by_id))
        for row in rows:
            one, outcome = by_id[row.id]
            if outcome.delivery == "failed":
                _refuse(letters.channels, row, one.channel, outcome, now)
            else:
                mark(row, outcome, now, one.channel)
        for channel in letters.channels:
            channel.record(session, [(one.message, outcome) for one, outcome in ended if one.channel is channel])
        handed_on = [letters.key(row) for row in rows if row.delivery == "waiting" and _moved(row, by_id)]
    _report(letters.channels, ended)
    return handed_on, any(outcome.delivery == "waiting" for _, outcome in ended)


def _moved(row: MessageRow, by_id: Mapping[int, tuple[_Sent, DeliveryOutcome]]) -> bool:
    return row.channel != by_id[row.id][0].channel.name


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


def hand_on(channels: Sequence[Channel], row: MessageRow, error: str, now: datetime) -> bool:
    """Record that a message which a channel had taken did not arrive; return whether another channel tries now."""
    failed = DeliveryOutcome("failed", error, row.msgid)
    current = next((channel for channel in channels if channel.name == row.channel), channels[0])
    _refuse(channels, row, current, failed, now)
    return row.delivery == "waiting"


def _refuse(
    channels: Sequence[Channel], row: MessageRow, channel: Channel, outcome: DeliveryOutcome, now: datetime
) -> None:
    """Let the next channel try; after the last, record why it could not."""
    following = next_channel(channels, channel.name)
    if following is not None:
        mark(row, outcome._replace(delivery="waiting"), now)
        row.channel = following
        return
    mark(row, outcome, now, channel)


def mark(row: MessageRow, outcome: DeliveryOutcome, now: datetime, channel: Channel | None = None) -> None:
    """Record what became of a message, and by which channel."""
    row.delivery, row.error, row.msgid = outcome.delivery, outcome.error, outcome.msgid
    row.updated_at = now
    if channel is not None:
        row.channel = channel.name
