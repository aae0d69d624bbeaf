"""How an appeal is resolved: upheld, because the evidence is right, or overturned, because evidence was corrected.

Nobody enters a color: the rules decide it, and it can be previewed. `later.py` says who may resolve an appeal.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.appeals.later import decision_of, list_later_entries, may_resolve, withdrawn_since
from app.appeals.models import Appeal
from app.appeals.record import lowers_risk
from app.appeals.viewing import append_audit, require_visible
from app.codes import explanation, ledger
from app.codes.explanation import EvidencePreview
from app.codes.models import Code, EvidenceRow, Notice
from app.codes.states import State
from app.core.db import among
from app.core.errors import Problem, bad_field
from app.entries import cases, effects, workflow
from app.entries.cases import CaseEnding
from app.entries.content import RISK_LOWERING_KINDS, EntryKind, RejectionReason
from app.entries.unapproved import find_unapproved, is_diagnosed, list_diagnoses
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.staff.context import OfficerContext
from app.staff.models import Role
from app.wechat import login


class UpholdReason(StrEnum):
    """Why a color was right: reasons that the record shows, and no others."""

    DOCUMENT_CONFIRMS = "document-confirms"  # the document that the evidence names says so
    PERIOD_RUNS = "period-runs"  # a quarantine or observation has not ended yet
    OWN_STATEMENT = "own-statement"  # it rests on what the citizen declared
    PLATFORM_CONFIRMS = "platform-confirms"  # the national platform was asked again and says so


class Correction(NamedTuple):
    """What overturns a decision: evidence to withdraw, each for a reason, and an entry that was saved since."""

    withdrawals: Mapping[str, RejectionReason]
    entry_id: int | None = None


# the audit's action for a state: citizens read it in the API, where it keeps its first word
_ACTIONS: Final = {"upheld": "upheld", "overturned": "mended"}


def uphold(context: OfficerContext, appeal_id: int, reason: UpholdReason) -> Appeal:
    """Answer that the color was right. Raises Problem."""
    context = context.acting_as(Role.APPEALS)
    appeal = _lock_appeal(context, appeal_id)
    appeal.resulting_decision_id = ledger.get_code(context.session, appeal.serial).decision_id
    _resolve(context, appeal, "upheld", reason)
    return appeal


def overturn(context: OfficerContext, appeal_id: int, correction: Correction) -> Appeal:
    """Correct the evidence of a decision. Evidence that others withdrew since the appeal was filed corrects it too.

    Raises Problem.
    """
    context = context.acting_as(Role.APPEALS)
    session, withdrawals = context.session, correction.withdrawals
    appeal = _lock_appeal(context, appeal_id)
    appeal.added_evidence = _validate(session, appeal, correction)
    _preview(context, appeal, withdrawals)
    if withdrawals:
        ledger.withdraw_some(
            ledger.ChangeContext(session, context.policy, context.actor, context.now), appeal.serial, withdrawals
        )
        effects.end_undiagnosed_cases(context, [appeal.serial])
    appeal.withdrawn_evidence = withdrawn_since(session, appeal)
    appeal.resulting_decision_id = session.get_one(Code, appeal.serial, populate_existing=True).decision_id
    _resolve(context, appeal, "overturned", "evidence-withdrawn" if appeal.withdrawn_evidence else "evidence-added")
    return appeal


def preview_overturn(context: OfficerContext, appeal_id: int, correction: Correction) -> EvidencePreview:
    """Preview the code after a correction; writes nothing. Raises Problem where `overturn` would."""
    context = context.acting_as(Role.APPEALS)
    appeal = _lock_appeal(context, appeal_id)
    _validate(context.session, appeal, correction)
    return _preview(context, appeal, correction.withdrawals)


def find_ending(context: OfficerContext, appeal_id: int, correction: Correction) -> CaseEnding | None:
    """Return the end of cases that a correction brings, or None."""
    appeal, withdrawals = context.session.get_one(Appeal, appeal_id), correction.withdrawals
    ends = _ends_cases(context, appeal, withdrawals, withdrawals)
    return cases.find_ending(context, EntryKind.RULED_OUT, [appeal.serial]) if ends else None


# --- what must hold -----------------------------------------------------------------------------------------------
def _lock_appeal(context: OfficerContext, appeal_id: int) -> Appeal:
    """Return an open appeal that the officer may resolve, locked after its code, as everywhere. Raises Problem."""
    session = context.session
    workflow.lock_workflow(session)
    ledger.lock_code(session, require_visible(context.me, session.get(Appeal, appeal_id)).serial)
    appeal = session.get_one(Appeal, appeal_id, with_for_update=True, populate_existing=True)
    if appeal.state != "open":
        raise Problem("appeal-resolved")
    if not may_resolve(session, context.me, appeal):
        raise Problem("own-record")
    return appeal


def _validate(session: Session, appeal: Appeal, correction: Correction) -> str | None:
    """Return the evidence of the entry, if one is named. Raises Problem where nothing here corrects the evidence.

    An entry alone must lower a risk; one that raises it corrects only beside a withdrawal. Evidence that lowers a risk
    is not withdrawn here.
    """
    withdrawn, chosen = withdrawn_since(session, appeal), set(correction.withdrawals)
    if not chosen <= set(decision_of(session, appeal).evidence):
        raise bad_field("/withdrawals", "not-a-choice")
    if not withdrawn and not chosen and correction.entry_id is None:
        raise bad_field("/withdrawals", "required")
    if not chosen.isdisjoint(withdrawn):
        raise Problem("evidence-not-found")
    rows = session.execute(
        select(EvidenceRow.kind, EvidenceRow.facts).where(
            EvidenceRow.serial == appeal.serial, among(EvidenceRow.id, chosen)
        )
    )
    if any(lowers_risk(kind, facts) for kind, facts in rows):
        raise bad_field("/withdrawals", "lowers-risk")
    if correction.entry_id is None:
        return None
    added = next((one for one in list_later_entries(session, appeal) if one.entry == correction.entry_id), None)
    if added is None or (added.kind not in RISK_LOWERING_KINDS and not chosen):
        raise bad_field("/entry", "no-such-entry")
    return added.evidence


def _preview(context: OfficerContext, appeal: Appeal, withdrawals: Mapping[str, RejectionReason]) -> EvidencePreview:
    """Preview the code. Raises Problem where it would turn orange or red from something better, or lose its green.

    Or where a case of another district would end. Also if that is so only once what nobody has approved has ended.
    """

    def without(evidence: Collection[str]) -> EvidencePreview:
        return explanation.preview_withdrawal(context.session, context.policy, appeal.serial, evidence, context.now)

    preview, unapproved = without(withdrawals), find_unapproved(context.session, [appeal.serial], context.now)
    changes = [(preview.now, preview.then)]
    if unapproved:
        changes.append((without(unapproved).then, without({*unapproved, *withdrawals}).then))
    if withdrawals and any(_is_worse(*change) for change in changes):
        raise bad_field("/withdrawals", "makes-worse")
    ends = _ends_cases(context, appeal, {*unapproved, *withdrawals}, withdrawals)
    if ends and not cases.covers_open_cases(context, [appeal.serial]):
        raise bad_field("/withdrawals", "other-districts-case")
    return preview


def _ends_cases(
    context: OfficerContext, appeal: Appeal, without: Collection[str], withdrawals: Collection[str]
) -> bool:
    """Return whether, without this evidence, no diagnosis is left of which one is withdrawn: then cases end."""
    evidence = ledger.load_evidence_many(context.session, [appeal.serial]).get(appeal.serial, ())
    diagnoses = {one.id for one in list_diagnoses(evidence, context.now)}
    return not diagnoses.isdisjoint(withdrawals) and not is_diagnosed(evidence, context.now, without)


def _is_worse(now: State, then: State) -> bool:
    return (then > now and then >= State.ORANGE) or (now is State.GREEN and then is not State.GREEN)


def _resolve(context: OfficerContext, appeal: Appeal, state: str, outcome: str) -> None:
    appeal.state, appeal.outcome, appeal.resolved_by, appeal.resolved_at = state, outcome, context.me.id, context.now
    append_audit(context, _ACTIONS[state], appeal, outcome=outcome)
    _notify(context.session, appeal)


def _notify(session: Session, appeal: Appeal) -> None:
    """Send the answer to its person, unless the change of color that it brings is sent: one change, one message."""
    changed = select(Notice.id).filter_by(
        serial=appeal.serial, decision_id=appeal.resulting_decision_id, delivery="waiting"
    )
    if appeal.state == "overturned" and session.scalar(changed) is not None:
        return
    assert appeal.resolved_at is not None
    subject = Subject("appeal", appeal.id, appeal.serial)
    account_messages.announce(session, subject, login.list_user_ids(session, appeal.serial), appeal.resolved_at)
