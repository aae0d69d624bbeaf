"""What becomes of each table at the end of the service. A test compares this with the schema: none is forgotten."""

from typing import Final

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

# by class, as the report names them; these tables are destroyed
DESTROYED: Final = {
    "personal": (
        "accounts", "citizens", "wechat_users", "subscriptions", "subscription_accepts", "former_bindings",
        "recoveries", "family_invitations", "family_notices", "family_shows", "family_ties", "paper_cards",
        "paper_scans", "former_documents", "document_corrections", "published_lists", "notices", "appeals",
        "attachments", "wechat_callbacks", "wechat_captures", "sms_numbers", "official_followers", "account_messages",
        "venue_applications", "venue_handovers",
    ),
    "evidence": (
        "codes", "evidence", "decisions", "declarations", "cases", "entries", "entry_subjects", "signed_lists",
        "follow_ups",
    ),
    "visits": (
        "document_checks", "window_lookups", "window_statements", "window_holds", "windows", "stations",
        "station_counts", "venues", "check_alerts", "partner_counts", "venue_codes",
        "venue_alarms", "exposure_notices",
    ),
    "staff": (
        "officers", "officer_sessions", "inspectors", "inspector_sessions", "devices", "partners", "failed_logins",
    ),
    "audit": ("audit",),
    "work": (
        "cache_doubts", "cache_parts", "procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers",
        "procrastinate_workers", "sms_spending", "trust_lists",
    ),
}  # fmt: skip
# no person is in these: the places and hashes of the chain with its checkpoints, counts by day, and what was ended
KEPT: Final = ("audit_checkpoints", "kept_hashes", "statistic_counts", "installation", "alembic_version")

EMPTIED: Final = tuple(name for names in DESTROYED.values() for name in names)


class KeptHash(Base):
    """The hash of one link of the chain, without its event: whoever has the event can still prove it."""

    __tablename__ = "kept_hashes"

    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
