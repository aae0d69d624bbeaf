"""Administration of service windows: an administrator, or an operator, adds and closes them and says who works there.

An administrator of a district sees the windows of that district alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core.errors import FieldError, Problem, bad_field
from app.core.identity import spelling
from app.core.province import districts as all_districts
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role, Window

MAX_NAME_LENGTH, MAX_PLACE_LENGTH = 60, 120


class NewWindow(NamedTuple):
    """A window to add: its name, as people read it, where it is, and its district."""

    name: str
    place: str
    district: str


def add_window(context: OfficerContext, new: NewWindow) -> Window:
    """Add a window. Raises Problem with every bad field."""
    name, place = spelling.tidy_name(new.name), spelling.tidy_name(new.place)
    wrong = [*_find_text_errors("/name", name, MAX_NAME_LENGTH), *_find_text_errors("/place", place, MAX_PLACE_LENGTH)]
    if new.district not in all_districts() or _own_district(context) not in (None, new.district):
        wrong.append(FieldError("/district", "not-a-choice"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    window = Window(name=name, place=place, district=new.district, created_at=context.now)
    try:
        with context.session.begin_nested():
            context.session.add(window)
    except IntegrityError:
        raise bad_field("/name", "window-name-taken") from None
    context.append_audit("window-added", window=window.id, district=window.district)
    return window


def _find_text_errors(pointer: str, text: str, most: int) -> list[FieldError]:
    if not text:
        return [FieldError(pointer, "required")]
    if len(text) > most:
        return [FieldError(pointer, "too-long")]
    return [] if spelling.is_of_known_scripts(text) else [FieldError(pointer, "invalid")]


def list_windows(context: OfficerContext) -> Sequence[Window]:
    """List the windows of the administrator's district, by name, the closed ones last; for an operator all."""
    windows = select(Window).order_by(Window.closed_at.is_not(None), Window.name)
    if (district := _own_district(context)) is not None:
        windows = windows.filter_by(district=district)
    return context.session.scalars(windows).all()


def find_window(context: OfficerContext, window_id: int) -> Window:
    """Return a window of the administrator's district. Raises Problem `window-not-found`."""
    return _require_in_scope(context, context.session.get(Window, window_id))


def find_by_name(context: OfficerContext, name: str) -> Window:
    """Return the window with this name. Raises Problem `window-not-found`."""
    named = select(Window).filter_by(name=spelling.tidy_name(name))
    return _require_in_scope(context, context.session.scalar(named))


def list_clerks(context: OfficerContext, window: Window) -> Sequence[Officer]:
    """List the officers who work at a window, by user name."""
    clerks = select(Officer).filter_by(window_id=window.id).order_by(Officer.username)
    return context.session.scalars(clerks).all()


def close_window(context: OfficerContext, window_id: int) -> None:
    """Close a window, at which nobody works any more; closing it again changes nothing. Raises Problem."""
    window = _lock(context, window_id)
    if window.closed_at is None:
        window.closed_at = context.now
        for clerk in list_clerks(context, window):
            clerk.window_id = None
        context.append_audit("window-closed", window=window.id)


def assign_clerk(context: OfficerContext, window_id: int, username: str) -> Officer:
    """Have a clerk work at a window, and no longer at another one. Raises Problem with the field `/username`."""
    window = _lock(context, window_id)
    if window.closed_at is not None:
        raise Problem("window-not-found")
    named = select(Officer).filter_by(username=spelling.fold_username(username)).with_for_update()
    officer = context.session.scalar(named)
    if officer is None or officer.disabled_at is not None or Role.CLERK not in officer.roles:
        raise bad_field("/username", "no-such-clerk")
    if officer.district not in (None, window.district):
        raise bad_field("/username", "no-such-clerk")
    if officer.window_id != window.id:
        before, officer.window_id = officer.window_id, window.id
        context.append_audit("window-clerk-assigned", window=window.id, officer=officer.id, window_before=before)
    return officer


def release_clerk(context: OfficerContext, window_id: int, officer_id: int) -> None:
    """Have an officer no longer work at a window; who does not work there stays as they are. Raises Problem."""
    window = _lock(context, window_id)
    officer = context.session.get(Officer, officer_id, with_for_update=True, populate_existing=True)
    if officer is not None and officer.window_id == window.id:
        officer.window_id = None
        context.append_audit("window-clerk-released", window=window.id, officer=officer.id)


def _lock(context: OfficerContext, window_id: int) -> Window:
    window = context.session.get(Window, window_id, with_for_update=True, populate_existing=True)
    return _require_in_scope(context, window)


def _require_in_scope(context: OfficerContext, window: Window | None) -> Window:
    if window is None or _own_district(context) not in (None, window.district):
        raise Problem("window-not-found")
    return window


def _own_district(context: OfficerContext) -> str | None:
    """Return the district to which an administrator is bound; None for the province, and for an operator."""
    if context.officer is None:
        return None
    return context.acting_as(Role.ADMINISTRATOR).me.district
