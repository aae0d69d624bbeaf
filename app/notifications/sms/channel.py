"""The channel of text messages: to the confirmed phone of whoever has no other way to hear of a change.

The text is a fixed, approved template without values, one for changes and one for all else: no color, name or link.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, cast

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.citizens.models import Account, Citizen
from app.codes.models import Code, DecisionRow
from app.core import upstream
from app.core.identity.phones import fold_phone, is_phone
from app.core.metrics import SMS_NOT_SENT, begin_at_zero
from app.core.upstream import Upstream
from app.notifications.channels import Candidate, ChannelMessage, DeliveryOutcome, MessageRow
from app.notifications.models import SmsNumber
from app.notifications.sms import numbers, spending
from app.notifications.sms.spending import Budget
from app.runtime import Services
from app.sms.answers import NUMBER_REFUSED, SmsNotYet, SmsOutcomeUnknown, SmsRefused, SmsUnavailable
from app.sms.client import SmsApi
from app.staff.models import Officer

log = structlog.get_logger()

SMS: Final = "sms"
OFF, NO_PHONE, UNCONFIRMED, FOREIGN = "sms-off", "no-phone", "unconfirmed-phone", "foreign-phone"
STOPPED, UNDELIVERABLE, NUMBER_CEILING = "sms-stopped", "sms-undeliverable", "number-ceiling"
CIRCUIT_OPEN, NO_TEMPLATE = "circuit-open", "no-template"
_CEILINGS: Final = frozenset({spending.DAY_CEILING, spending.MONTH_CEILING, spending.DISTRICT_CEILING})
_LONGEST_ERROR: Final = 40  # of notices.error
begin_at_zero(SMS_NOT_SENT, _CEILINGS)


class SmsMessage(NamedTuple):
    """One text message to send; `district` is that of the officers who made the change, empty where nobody did."""

    notice: MessageRow
    phone: str
    number_hash: bytes
    template_id: str
    district: str


class Recipient(NamedTuple):
    """Who may be sent a text message: their folded phone, or why there is none."""

    phone: str = ""
    reason: str | None = None


class _Ground(NamedTuple):
    """What one transaction knows of its notices: by serial and by decision, with the rows that it has locked."""

    recipients: Mapping[int, Recipient]
    districts: Mapping[int, str]
    hashes: Mapping[int, bytes]
    rows: Mapping[bytes, SmsNumber]
    budget: Budget | None


class SmsChannel:
    """Text messages as a channel of notices."""

    name = SMS

    def __init__(self, services: Services, gateway: SmsApi) -> None:
        self._services, self._gateway, self._settings = services, gateway, services.settings.sms

    def prepare(self, session: Session, candidates: Sequence[Candidate]) -> list[ChannelMessage | DeliveryOutcome]:
        """Take what a message costs from its number, its district and the installation."""
        if not candidates:
            return []
        if upstream.is_circuit_open(self._services.redis, Upstream.SMS):
            return [DeliveryOutcome("waiting", CIRCUIT_OPEN) for _ in candidates]
        ground = self._lock(session, candidates)
        found = [self._prepare_one(one, ground) for one in candidates]
        if ground.budget is not None:
            ground.budget.write(session)
        _report_not_sent([one.error for one in found if isinstance(one, DeliveryOutcome)])
        return found

    def _lock(self, session: Session, candidates: Sequence[Candidate]) -> _Ground:
        """Read whom messages would reach, and lock what they cost."""
        now, encryption = self._services.clock.now(), self._services.encryption
        recipients = find_recipients(self._services, session, [one.code for one in candidates])
        districts = _find_districts(session, [one.decision for one in candidates if one.decision is not None])
        reached = {serial: one.phone for serial, one in recipients.items() if one.reason is None}
        hashes = {serial: numbers.hash_of(encryption, phone) for serial, phone in reached.items()}
        if not hashes:
            return _Ground(recipients, districts, {}, {}, None)
        rows = numbers.lock(session, hashes.values(), now)
        return _Ground(
            recipients, districts, hashes, rows, Budget(session, self._settings, set(districts.values()), now)
        )

    def _prepare_one(self, one: Candidate, ground: _Ground) -> ChannelMessage | DeliveryOutcome:
        recipient = ground.recipients[one.notice.serial]
        district = ground.districts[one.decision.id] if one.decision is not None else ""
        templates = self._settings.templates if one.words is None else self._settings.news_templates
        template = templates.of(one.user.language if one.user else "zh")
        if recipient.reason is not None or ground.budget is None or not template:
            return _not_sent(recipient.reason or NO_TEMPLATE)
        number_hash = ground.hashes[one.notice.serial]
        reason = self._take(ground.rows[number_hash], ground.budget, district)
        if reason is not None:
            return _not_sent(reason)
        return SmsMessage(one.notice, recipient.phone, number_hash, template, district)

    def _take(self, number: SmsNumber, budget: Budget, district: str) -> str | None:
        """Count one message to a number; return why it is not to be sent."""
        now = self._services.clock.now()
        if number.stopped_at is not None:
            return STOPPED
        if number.undeliverable_until is not None and number.undeliverable_until > now:
            return UNDELIVERABLE
        if number.messages >= self._settings.number_day_ceiling:
            return NUMBER_CEILING
        reason = budget.take(district)
        number.messages += reason is None
        return reason

    def send(self, message: ChannelMessage) -> DeliveryOutcome:
        """Send one message; a failure of the gateway, or of the whole account, opens the circuit."""
        text = cast(SmsMessage, message)
        try:
            sent = self._gateway.send(text.phone, text.template_id)
        except SmsUnavailable as error:
            log.warning("sms-unavailable", reason=error.reason)
            upstream.open_circuit(self._services.redis, Upstream.SMS, self._settings.circuit_open_seconds)
            return DeliveryOutcome("waiting", _short(error.reason), credit="back")
        except SmsNotYet as error:
            return DeliveryOutcome("waiting", _short(error.reason), credit="back")
        except SmsOutcomeUnknown as error:
            return DeliveryOutcome("unknown", _short(error.reason))
        except SmsRefused as error:
            taken = "none-left" if error.reason in NUMBER_REFUSED else "back"
            return DeliveryOutcome("failed", _short(error.reason), credit=taken)  # type: ignore[arg-type]
        return DeliveryOutcome("sent", msgid=sent.serial_no, segments=sent.segments)

    def record(self, session: Session, ended: Sequence[tuple[ChannelMessage, DeliveryOutcome]]) -> None:
        """Correct what was taken to what is charged; do not try a number that takes no messages again for some days."""
        now = self._services.clock.now()
        day, corrections = numbers.beijing_day(now), dict[str, int]()
        for message, outcome in sorted(ended, key=lambda one: cast(SmsMessage, one[0]).number_hash):
            text = cast(SmsMessage, message)
            correction = outcome.segments - 1 if outcome.credit == "used" else -1
            if outcome.credit != "used":
                numbers.give_back(session, text.number_hash, now)
            if outcome.credit == "none-left":
                until = now + self._settings.undeliverable
                numbers.mark_undeliverable(session, text.number_hash, until, now)
            for district in {spending.WHOLE, text.district}:
                corrections[district] = corrections.get(district, 0) + correction
        spending.change(session, day, corrections)

    def report(self, outcomes: Sequence[DeliveryOutcome]) -> None:
        """Note whether the gateway answers: it sent, or refused one message."""
        now, redis = self._services.clock.now(), self._services.redis
        if any(outcome.delivery in ("sent", "failed") for outcome in outcomes):
            upstream.record_success(redis, Upstream.SMS, now)
            return
        failures = {str(outcome.error) for outcome in outcomes if outcome.delivery in ("waiting", "unknown")}
        if failures:
            upstream.record_failure(redis, Upstream.SMS, min(failures), now)


def find_recipients(services: Services, session: Session, codes: Collection[Code]) -> Mapping[int, Recipient]:
    """Return for each code whom a text message would reach, or why nobody."""
    by_serial = {code.serial: code for code in codes}
    rows = select(Citizen.serial, Citizen.phone_ciphertext, Account.sms_on, Account.phone_proven_at)
    rows = rows.outerjoin(Account, Account.serial == Citizen.serial).where(Citizen.serial.in_(by_serial))
    found = dict.fromkeys(by_serial, Recipient(reason=NO_PHONE))
    for serial, ciphertext, is_on, proven_at in session.execute(rows):
        if ciphertext is not None:
            phone = fold_phone(services.encryption.decrypt("citizens.phone", ciphertext))
            confirmed = proven_at is not None or _is_confirmed(by_serial[serial])
            reason = OFF if not is_on else UNCONFIRMED if not confirmed else _reason_of_form(phone)
            found[serial] = Recipient(phone, reason)
    return found


def _is_confirmed(code: Code) -> bool:
    """Return whether the platform knows the holder with this phone."""
    return code.confirmed_at is not None and code.denied_at is None


def _reason_of_form(phone: str) -> str | None:
    if not is_phone(phone):
        return NO_PHONE
    return FOREIGN if phone.startswith("+") else None


def _find_districts(session: Session, decisions: Sequence[DecisionRow]) -> Mapping[int, str]:
    """Return by decision the district of the officer who caused it; empty where none did, or they have no district."""
    kinds = {one.id: one.actor.partition(":") for one in decisions}
    officers = {id_: int(ids.partition("+")[0]) for id_, (kind, _, ids) in kinds.items() if kind == "officer" and ids}
    rows = select(Officer.id, Officer.district).where(Officer.id.in_(set(officers.values())))
    of_officer = {officer: district or "" for officer, district in session.execute(rows)} if officers else {}
    return {one.id: of_officer.get(officers.get(one.id, 0), "") for one in decisions}


def _not_sent(reason: str) -> DeliveryOutcome:
    """Return the outcome where no message may be sent: refused by a ceiling, or nothing to send it to."""
    over = reason in _CEILINGS or reason == NUMBER_CEILING
    return DeliveryOutcome("failed" if over else "no-subscription", reason)


def _report_not_sent(reasons: Sequence[str | None]) -> None:
    """Count why nothing is sent; a ceiling of the installation wants somebody now."""
    for reason, number in Counter(filter(None, reasons)).items():
        SMS_NOT_SENT.labels(reason).inc(number)
        if reason in _CEILINGS:
            log.error("sms-ceiling-reached", ceiling=reason, number=number)


def _short(reason: str) -> str:
    """Return a code of the gateway as it is kept: without its kind, which the log has."""
    return reason.rpartition(".")[2][:_LONGEST_ERROR]
