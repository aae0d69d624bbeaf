"""What became of text messages: the carriers' reports, and replies by which somebody ends them.

Both are pulled from the gateway, which calls nobody and signs nothing that it calls with. What was pulled is not given
again: where it cannot be recorded, the notice stays *sent* and the next message finds out the same.
"""

import re
import unicodedata
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.models import Notice
from app.core import upstream
from app.core.upstream import Upstream
from app.notifications.sms import numbers, spending
from app.notifications.sms.channel import SMS
from app.runtime import Services
from app.sms.answers import SmsError
from app.sms.client import SmsReply, SmsReport

log = structlog.get_logger()

_PULLS: Final = 20  # at a time, of at most a hundred entries each
# The carriers' words for a number that does not exist or was given up: MK, MN and MI are those of the three.
_NO_SUCH_NUMBER: Final = re.compile(r"M[KNI]:?000[0-9]|UNDELIV|PHONEERR")
_STOP: Final = re.compile(r"(?:T|TD|R|N|退订|退訂|STOP|拒收)", re.IGNORECASE)


def pull(services: Services) -> None:
    """Pull reports and replies, and record them; without a gateway there are none."""
    if services.sms is None or upstream.is_circuit_open(services.redis, Upstream.SMS):
        return
    try:
        for _ in range(_PULLS):
            reports, replies = services.sms.pull_reports(), services.sms.pull_replies()
            if not reports and not replies:
                return
            _record(services, reports, replies)
    except SmsError as error:
        log.warning("sms-reports-not-pulled", reason=error.reason)


def delete_old(services: Services, limit: int) -> None:
    """Delete numbers of which nothing is worth keeping, and what was spent a year ago."""
    now, deleted = services.clock.now(), limit
    while deleted >= limit:
        with services.begin() as session:
            deleted = numbers.delete_old(session, now, limit)
    with services.begin() as session:
        spending.delete_old(session, numbers.beijing_day(now - numbers.STOPPED_KEPT))


def _record(services: Services, reports: list[SmsReport], replies: list[SmsReply]) -> None:
    now, stops = services.clock.now(), [reply.phone for reply in replies if _is_stop(reply.text)]
    failures = {report.serial_no: report for report in reports if not report.arrived}
    with services.begin() as session:
        found = select(Notice).where(Notice.channel == SMS, Notice.msgid.in_(failures))
        for notice in session.scalars(found.order_by(Notice.serial, Notice.id).with_for_update()):
            notice.delivery, notice.error, notice.updated_at = "failed", failures[str(notice.msgid)].word, now
        gone = [report.phone for report in failures.values() if _NO_SUCH_NUMBER.match(report.word)]
        _note(services, session, sorted(set(gone)), stops, now)
    log.info("sms-reports-recorded", reports=len(reports), failed=len(failures), stopped=len(stops))


def _note(services: Services, session: Session, gone: list[str], stops: list[str], now: datetime) -> None:
    until = now + services.settings.sms.undeliverable
    hashes = {phone: numbers.hash_of(services.encryption, phone) for phone in {*gone, *stops}}
    rows = numbers.lock(session, hashes.values(), now) if hashes else {}
    for phone in gone:
        rows[hashes[phone]].undeliverable_until = until
    for phone in stops:
        number = rows[hashes[phone]]
        number.stopped_at = number.stopped_at or now


def _is_stop(text: str) -> bool:
    """Return whether a reply is one that ends messages, in letters of any width."""
    return _STOP.fullmatch(unicodedata.normalize("NFKC", text).strip(" 。.!！“”\"'")) is not None
