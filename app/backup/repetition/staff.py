"""What is repeated of officers and inspectors: closed accounts, other roles, windows that are left, other passwords.

A password of the backup that was another one since is ended: an administrator, or an operator, gives the next.
"""

from app.backup.repetition.removals import Removal
from app.core.identity.staff_accounts import StaffAccount
from app.staff import inspectors, officers
from app.staff import sessions as officer_sessions
from app.staff.context import OfficerContext
from app.staff.models import Officer, Window
from app.stations import sessions as inspector_sessions
from app.stations.models import Inspector, Station
from app.windows import administration, clerks


def disable_officer(context: OfficerContext, done: Removal) -> bool:
    """Close the account of an officer again."""
    officer = _officer(context, done)
    if officer is None or officer.disabled_at is not None:
        return False
    officers.disable_officer(context, officer.id)
    return True


def assign_officer(context: OfficerContext, done: Removal) -> bool:
    """Give an officer the roles and the district again that they had last."""
    officer, roles, district = _officer(context, done), done.named("roles"), done.named("district")
    if officer is None or (set(officer.roles), officer.district) == (set(roles), district):
        return False
    officers.set_assignment(context, officer.id, roles, district)
    return True


def end_officer_password(context: OfficerContext, done: Removal) -> bool:
    """End the password of an officer."""
    officer = _officer(context, done)
    if officer is None or not _end_password(officer, context):
        return False
    officer_sessions.end_all(context.session, officer, actor=context.actor, now=context.now)
    context.append_audit("officer-password-ended", officer=officer.id)
    return True


def release_clerk(context: OfficerContext, done: Removal) -> bool:
    """Have a clerk leave their window again."""
    officer = _officer(context, done)
    if officer is None or officer.window_id is None:
        return False
    administration.release_clerk(context, officer.window_id, officer.id)
    return True


def hold_clerk(context: OfficerContext, done: Removal) -> bool:
    """Hold a clerk again who had reached a ceiling: their look-ups since the backup are not counted any more."""
    officer, window = _officer(context, done), context.session.get(Window, done.named("window"))
    if officer is None or window is None:
        return False
    return clerks.hold_again(context, officer, window, done.named("span"), done.named("lookups"))


def close_window(context: OfficerContext, done: Removal) -> bool:
    """Close a service window again."""
    window = context.session.get(Window, done.named("window"))
    if window is None or window.closed_at is not None:
        return False
    administration.close_window(context, window.id)
    return True


def disable_inspector(context: OfficerContext, done: Removal) -> bool:
    """Close the account of an inspector again."""
    inspector = _inspector(context, done)
    if inspector is None or inspector.disabled_at is not None:
        return False
    inspectors.disable_inspector(context, inspector.id)
    return True


def move_inspector(context: OfficerContext, done: Removal) -> bool:
    """Move an inspector away again. Raises Problem where the backup does not know the station."""
    inspector, station = _inspector(context, done), context.session.get(Station, done.named("station"))
    if inspector is None or (station is not None and inspector.station_id == station.id):
        return False
    inspectors.move_inspector(context, inspector.id, "" if station is None else station.name)
    return True


def end_inspector_password(context: OfficerContext, done: Removal) -> bool:
    """End the password of an inspector."""
    inspector = _inspector(context, done)
    if inspector is None or not _end_password(inspector, context):
        return False
    inspector_sessions.end_all(context.session, inspector.id, context.now)
    context.append_audit("inspector-password-ended", inspector=inspector.id)
    return True


def _end_password(account: StaffAccount, context: OfficerContext) -> bool:
    if account.lacks_password(context.now):
        return False
    account.must_change_password, account.password_ends_at = True, context.now
    return True


def _officer(context: OfficerContext, done: Removal) -> Officer | None:
    return context.session.get(Officer, done.named("officer"), with_for_update=True, populate_existing=True)


def _inspector(context: OfficerContext, done: Removal) -> Inspector | None:
    return context.session.get(Inspector, done.named("inspector"), with_for_update=True, populate_existing=True)
