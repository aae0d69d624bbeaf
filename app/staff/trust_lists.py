"""Taking a trust list into use: two administrators of the whole province decide, and the audit has what changed.

A list that is newer than the one in use, and signed by the same root, may be fetched by itself: whom it names was
decided with the root. It is refused as it would be from a file.
"""

from collections.abc import Callable, Collection
from contextlib import suppress

import structlog
from redis import RedisError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.core import metrics
from app.core.errors import Problem
from app.runtime import Services
from app.staff.context import actor_of_signers
from app.staff.models import Officer, Role
from app.staff.second_administrator import require_two
from app.trust import fetching, lists
from app.trust.lists import ListChange, OwnKeys
from app.trust.models import ImportedList

log = structlog.get_logger()

_FETCHED = "jx:trust:fetched"  # in Redis, until the next list is fetched
_AGAIN_SECONDS = 300  # after a failure
TAKEN, UNCHANGED = "taken", "unchanged"  # outcomes beside the slugs of refusals
_FOR_TWO_PERSONS = ("trust-list-ends-many", "trust-list-has-our-key")  # what the clock does not decide
metrics.begin_at_zero(metrics.TRUST_FETCHES, _FOR_TWO_PERSONS)


def import_list(services: Services, officers: Collection[Officer], content: str, *, many: bool = False) -> ListChange:
    """Take a list into use and return what it changes; from the commit on each check goes by it. Raises Problem.

    One that ends more than half of the keys in force is taken only as one of `many`: it looks like a mistake.
    """

    def decide(session: Session) -> Actor:
        two = [session.get_one(Officer, officer.id) for officer in officers]
        require_two(two, "trust-two-persons")
        return actor_of_signers(*two)

    return _take(services, decide, content, many=many)


def fetch_list(services: Services, actor: Actor) -> ListChange | None:
    """Fetch the list at `trust.list_url`, and take it into use; None where it is the one in use. Raises Problem.

    The first list under a root is one that two administrators import.
    """
    settings = services.settings.trust
    if not settings.list_url:
        raise Problem("trust-no-address")
    with services.sessions() as session:
        known = lists.find_signed(session) if lists.find_list(session, settings) is not None else None
    if known is None:
        raise Problem("trust-no-list")
    content = fetching.fetch(settings.list_url, known.version)
    if content in (None, known.content):
        return None
    return _take(services, lambda _: actor, content or "", many=False)


def keep_fetched(services: Services) -> None:
    """Fetch the list when it is time to; a bad one changes nothing. Measure until when the one in use may be used."""
    settings, outcome = services.settings.trust, UNCHANGED
    with services.sessions() as session:
        content = lists.find_list(session, settings)
    metrics.TRUST_LIST_EXPIRES.set(0 if content is None else content.expires_at.timestamp())
    if not settings.list_url or content is None or not _is_time(services):
        return
    try:
        if fetch_list(services, audit.CLOCK) is not None:
            outcome = TAKEN
    except Problem as problem:
        outcome = problem.slug
        log.warning("trust-list-not-fetched", problem=outcome)
        with suppress(RedisError):
            services.redis.expire(_FETCHED, _AGAIN_SECONDS)
    metrics.TRUST_FETCHES.labels(outcome).inc()


def own_keys(services: Services) -> OwnKeys:
    """Return how this installation is among the issuers."""
    return OwnKeys(services.settings.trust.issuer, services.tokens.kids)


def _is_time(services: Services) -> bool:
    """Return whether nobody has fetched a list in this time; without Redis nobody knows, and nobody asks."""
    try:
        return bool(services.redis.set(_FETCHED, 1, nx=True, ex=services.settings.trust.fetch_minutes * 60))
    except RedisError:
        return False


def _take(services: Services, decide: Callable[[Session], Actor], content: str, *, many: bool) -> ListChange:
    """Take a list into use for whom `decide` returns."""
    now, settings = services.clock.now(), services.settings.trust
    with services.begin() as session:
        actor = decide(session)
        lists.lock(session)
        change = lists.check_list(session, settings, content, own_keys(services), now)
        if not many:
            lists.refuse_many(change, lists.find_list(session, settings))
        session.add(ImportedList(version=change.version, imported_at=now, imported_by=str(actor), content=content))
        role = Role.ADMINISTRATOR.value if actor.kind == "officer" else None
        audit.append(
            session, actor, "trust-list-imported", now, role=role,
            version=change.version, added=list(change.added), ended=list(change.ended),
        )  # fmt: skip
    return change
