"""Queued tasks: what other packages defer within their transactions, by the names in `app/core/queue.py`.

The tasks call functions of these packages and hold no rules of their own.
"""

import procrastinate
from procrastinate import JobContext
from sqlalchemy import select

from app.appeals import messages as appeal_messages
from app.appeals.models import Appeal
from app.citizens.verification import reevaluate
from app.core import queue
from app.corrections import messages as correction_messages
from app.corrections.models import DocumentCorrection
from app.families import notices as family_notices
from app.follow_ups import messages as follow_up_messages
from app.notifications import account_messages, notices
from app.notifications.account_messages import Subject
from app.notifications.channels import DeliveryPostponed
from app.runtime import Services
from app.venues import messages as venue_messages
from app.venues.models import VenueApplication
from app.visits import messages as visit_messages
from app.windows import messages as recovery_messages
from app.windows.models import Recovery
from app.worker import callback_effects
from app.worker.retry import BackOff

_WORDS = {
    "appeal": appeal_messages.find_words,
    "correction": correction_messages.find_words,
    "recovery": recovery_messages.find_words,
    "follow-up": follow_up_messages.find_words,
    "venue": venue_messages.find_words,
    "venue-alarm": visit_messages.find_words,
    family_notices.FAMILY: family_notices.find_words,
}
_ABOUT: dict[str, type[Appeal | DocumentCorrection | Recovery | VenueApplication]] = {
    "appeal": Appeal,
    "correction": DocumentCorrection,
    "recovery": Recovery,
    "venue": VenueApplication,
}


def register(app: procrastinate.App, services: Services) -> None:
    """Add the queued tasks to the app of a worker."""
    _register_code_tasks(app, services)
    _register_wechat_tasks(app, services)


def _register_code_tasks(app: procrastinate.App, services: Services) -> None:
    @app.task(name=queue.REFRESH_CACHE, retry=BackOff())
    def refresh_cache(serial: int) -> None:
        """Repair the cache, in case the process that committed could not write it."""
        _refresh_cache(services, [serial])

    @app.task(name=queue.REFRESH_MANY, retry=BackOff())
    def refresh_many(serials: list[int]) -> None:
        """Repair the cache after a batch change."""
        _refresh_cache(services, serials)

    @app.task(name=queue.REEVALUATE, retry=BackOff(max_attempts=5))
    def reevaluate_code(serial: int) -> None:
        """Evaluate what is due for one code."""
        reevaluate(services, serial)


def _refresh_cache(services: Services, serials: list[int]) -> None:
    if not services.refresh_cache(serials):
        raise ConnectionError("the cache is out of reach")


def _announce(services: Services, kind: str, about: int, user: int) -> None:
    with services.begin() as session:
        serial = session.scalar(select(_ABOUT[kind].serial).filter_by(id=about))
        if serial is not None:
            account_messages.announce(session, Subject(kind, about, serial), [user], services.clock.now())


def _deliver(services: Services, serials: list[int]) -> None:
    """Send what can be sent. Raises DeliveryPostponed when something has to wait."""
    postponed = None
    for deliver in (notices.deliver, family_notices.deliver):
        try:
            deliver(services, serials)
        except DeliveryPostponed as later:
            postponed = later
    if postponed is not None:
        raise postponed


def _register_wechat_tasks(app: procrastinate.App, services: Services) -> None:
    @app.task(name=queue.DELIVER_NOTICES, retry=BackOff())
    def deliver_notices(serial: int) -> None:
        """Notify one citizen of a color change, and who shows their code."""
        _deliver(services, [serial])

    @app.task(name=queue.DELIVER_MANY, retry=BackOff())
    def deliver_many_notices(serials: list[int]) -> None:
        """Notify some of the citizens whom a batch change concerns, and who shows their codes."""
        _deliver(services, serials)

    @app.task(name=queue.DELIVER_MESSAGES, retry=BackOff())
    def deliver_account_messages(kind: str, about: int, serial: int) -> None:
        """Send what one person is to hear of their account, or of their family."""
        account_messages.deliver(services, Subject(kind, about, serial), _WORDS[kind])

    @app.task(name=queue.NOTIFY_FORMER, retry=BackOff())
    def notify_former_holder(recovery: int, user: int) -> None:
        """Announce a recovery to one former holder: a job of an older version."""
        _announce(services, "recovery", recovery, user)

    @app.task(name=queue.NOTIFY_ANSWERED, retry=BackOff())
    def notify_answered(kind: str, about: int, user: int) -> None:
        """Announce an answer to one WeChat user: a job of an older version."""
        _announce(services, kind, about, user)

    @app.task(name=queue.HANDLE_CALLBACK, retry=BackOff(), pass_context=True)
    def handle_callback(context: JobContext, receipt: int) -> None:
        """Apply one callback of WeChat."""
        callback_effects.apply_callback(services, receipt, context.job.attempts)
