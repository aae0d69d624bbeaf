"""The first page: who one is, what one may do, and one's last log-ins, so that a stranger's is noticed."""

from flask import Response

from app.officers import sessions
from app.officers.console import auditing
from app.officers.console.frame import page, views
from app.web import officer, officer_session, services
from app.web.authorization import may_open

_LOG_INS = 5  # the last ones


@views.get("/")
def start() -> Response:
    bag, me = services(), officer()
    with bag.sessions() as session:
        latest = sessions.latest(session, me.id, _LOG_INS)
        open_now = sessions.running(session, me.id, bag.clock.now(), bag.settings.officers.idle)
        alerts = auditing.alerts(session, me) if may_open(me, "/console/audit") else {}
    others = {one.id for one in open_now} - {officer_session().id}
    return page("start.html", latest=latest, others=others, here=officer_session().id, **alerts)
