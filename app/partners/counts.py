"""How often partners ask: numbers by hour, interface and outcome in the audit, and nothing about whose code it was."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app import audit
from app.partners.models import Interface, PartnerCount
from app.runtime import Services

ANSWERED = "answered"  # the outcome beside the slugs of refusals


def count(services: Services, partner: str, interface: Interface, outcome: str) -> None:
    """Count one question in the hour of now."""
    key = {"partner_id": partner, "hour": _hour(services.clock.now()), "interface": interface.value}
    added = insert(PartnerCount).values(**key, outcome=outcome, number=1)
    more = {"number": PartnerCount.number + 1}
    with services.begin() as session:
        session.execute(added.on_conflict_do_update(index_elements=[*key, "outcome"], set_=more))


def append_to_audit(services: Services) -> None:
    """Move the counts of hours that are over into the audit: one event for each partner and hour."""
    now = services.clock.now()
    over = PartnerCount.hour < _hour(now)
    with services.begin() as session:
        rows = session.scalars(select(PartnerCount).where(over).with_for_update()).all()
        found = defaultdict[tuple[str, datetime], dict[str, int]](dict)
        for row in rows:
            found[row.partner_id, row.hour][f"{row.interface}/{row.outcome}"] = row.number
        for (partner, hour), numbers in sorted(found.items()):
            audit.append(
                session, audit.CLOCK, "partner-asked", now, partner=partner, hour=hour.isoformat(), numbers=numbers
            )
        session.execute(delete(PartnerCount).where(over))


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
