"""The start page: what waits for the officer, their roles, alerts, and last log-ins, so that a foreign one is noticed.

The menu of every page shows the same numbers.
"""

from collections import Counter
from typing import Final

from flask import Response, g

from app.api.authorization import can_open
from app.console.audit import oversight
from app.console.pages import MENU, page, views
from app.review import pending
from app.staff import sessions
from app.web import current_officer, current_officer_session, get_services

_MAX_LOGINS = 5  # shown
# where a task is done, if not on the page of its menu
_ADDRESSES: Final = {"held": "/console/entries", "returned": "/console/entries#mine"}


@views.before_request
def count_tasks() -> None:
    """Count what waits for the officer, for the menu and the start page."""
    me = g.get("officer")
    if me is None:
        return
    with get_services().sessions() as session:
        g.tasks = pending.count_tasks(session, me, get_services().clock.now())
    in_menu: Counter[str] = Counter()
    for task, number in g.tasks.items():
        in_menu[pending.TASKS[task]] += number
    g.waiting_in_menu = in_menu


@views.get("/")
def show_start() -> Response:
    services, me = get_services(), current_officer()
    with services.sessions() as session:
        latest = sessions.list_latest(session, me.id, _MAX_LOGINS)
        open_now = sessions.list_active(session, me.id, services.clock.now(), services.settings.officers.idle)
        alerts = oversight.load_alerts(session, me) if can_open(me, "/console/audit") else {}
    others = {one.id for one in open_now} - {current_officer_session().id}
    tasks = [(task, number, _ADDRESSES.get(task, MENU[pending.TASKS[task]])) for task, number in g.tasks.items()]
    return page("start.html", tasks=tasks, latest=latest, others=others, here=current_officer_session().id, **alerts)
