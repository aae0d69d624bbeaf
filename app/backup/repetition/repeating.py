"""Repeating removals after a restore: each kind in its way, and none over what was done since."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import select

from app import audit
from app.audit import AuditEvent
from app.backup.repetition import persons, places, staff
from app.backup.repetition.removals import ABOUT, ERASURES, Removal
from app.staff.context import OfficerContext

_WAYS: Final[Mapping[str, Callable[[OfficerContext, Removal], bool]]] = {
    "erased": persons.erase,
    "phone-deleted": persons.delete_phone,
    "family-ended": persons.end_tie,
    "family-declined": persons.decline_invitation,
    "sms-switched-off": persons.switch_messages_off,
    "document-correction-undone": persons.undo_correction,
    "recovery-objected": persons.object_to_recovery,
    "wechat-unbound": persons.unbind,
    "password-changed": persons.end_password,
    "password-ended": persons.end_password,
    "account-recovered": persons.recover,
    "recovery-decided": persons.undo_recovery,
    "paper-revoked": persons.revoke_card,
    "officer-disabled": staff.disable_officer,
    "officer-assignment-changed": staff.assign_officer,
    "officer-password-reset": staff.end_officer_password,
    "officer-password-changed": staff.end_officer_password,
    "officer-password-ended": staff.end_officer_password,
    "officer-totp-reset": staff.end_officer_password,
    "inspector-disabled": staff.disable_inspector,
    "inspector-moved": staff.move_inspector,
    "inspector-password-reset": staff.end_inspector_password,
    "inspector-password-changed": staff.end_inspector_password,
    "inspector-password-ended": staff.end_inspector_password,
    "window-clerk-released": staff.release_clerk,
    "window-held": staff.hold_clerk,
    "window-closed": staff.close_window,
    "device-revoked": places.revoke_device,
    "partner-revoked": places.revoke_partner,
    "venue-closed": places.close_venue,
    "venue-accepted": places.hand_over,
    "venue-offer-ended": places.end_offer,
    "venue-declined": places.end_offer,
    "venue-withdrawn": places.withdraw_application,
    "venue-code-made": places.end_venue_code,
    "venue-code-ended": places.end_venue_code,
    "exposure-withdrawn": places.withdraw_notice,
}
# the events about one of these have the serial of its code
_OF_A_CODE: Final = ("serial", "users", "card", "invitation", "correction", "application")


def is_repeated(removal: Removal) -> bool:
    """Return whether a removal takes something away, and does not only give it back."""
    return removal.action in _WAYS and removal.counts


def repeat(context: OfficerContext, removal: Removal) -> bool:
    """Repeat a removal; return False where there is nothing to repeat it on, or something was done about it since."""
    if removal.action not in ERASURES and _is_known(context, removal):
        return False
    return _WAYS[removal.action](context, removal)


def _is_known(context: OfficerContext, removal: Removal) -> bool:
    """Return whether the database has the removal itself, or what undoes it: of the same moment counts as later."""
    since = select(AuditEvent).where(
        AuditEvent.action.in_(removal.overtaken_by), audit.RARE, AuditEvent.at >= removal.at
    )
    if removal.serial is not None and ABOUT[removal.action] in _OF_A_CODE:
        since = since.where(AuditEvent.serial == removal.serial)
    found = (Removal.of_event(event) for event in context.session.scalars(since))
    return any(one.subject == removal.subject and one.counts for one in found)
