"""The start page: the officer's roles, alerts, and last log-ins, so that a foreign one is noticed."""

from flask import Response

from app.api.authorization import can_open
from app.console import audit
from app.console.pages import page, views
from app.staff import sessions
from app.web import current_officer, current_officer_session, get_services

_MAX_LOGINS = 5  # shown


@views.get("/")
def show_start() -> Response:
    services, me = get_services(), current_officer()
    with services.sessions() as session:
        latest = sessions.list_latest(session, me.id, _MAX_LOGINS)
        open_now = sessions.list_active(session, me.id, services.clock.now(), services.settings.officers.idle)
        alerts = audit.load_alerts(session, me) if can_open(me, "/console/audit") else {}
    others = {one.id for one in open_now} - {current_officer_session().id}
    return page("start.html", latest=latest, others=others, here=current_officer_session().id, **alerts)
