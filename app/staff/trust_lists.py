"""Taking a trust list into use: two administrators of the whole province decide, and the audit has what changed."""

from collections.abc import Collection

from app import audit
from app.runtime import Services
from app.staff.context import actor_of_signers
from app.staff.models import Officer, Role
from app.staff.second_administrator import require_two
from app.trust import lists
from app.trust.lists import ListChange, OwnKeys
from app.trust.models import ImportedList


def import_list(services: Services, officers: Collection[Officer], content: str, *, many: bool = False) -> ListChange:
    """Take a list into use and return what it changes; from the commit on each check goes by it. Raises Problem.

    One that ends more than half of the keys in force is taken only as one of `many`: it looks like a mistake.
    """
    now, settings = services.clock.now(), services.settings.trust
    with services.begin() as session:
        two = [session.get_one(Officer, officer.id) for officer in officers]
        require_two(two, "trust-two-persons")
        lists.lock(session)
        change = lists.check_list(session, settings, content, own_keys(services), now)
        if not many:
            lists.refuse_many(change, lists.find_list(session, settings))
        actor = actor_of_signers(*two)
        session.add(ImportedList(version=change.version, imported_at=now, imported_by=str(actor), content=content))
        audit.append(
            session, actor, "trust-list-imported", now, role=Role.ADMINISTRATOR.value,
            version=change.version, added=list(change.added), ended=list(change.ended),
        )  # fmt: skip
    return change


def own_keys(services: Services) -> OwnKeys:
    """Return how this installation is among the issuers."""
    return OwnKeys(services.settings.trust.issuer, services.tokens.kids)
