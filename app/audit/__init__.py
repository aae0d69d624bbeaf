"""The audit: an append-only log of who did what, linked into a chain that anybody can verify."""

from app.audit.log import (
    BY_OFFICERS,
    CHOSEN_REASONS,
    CLOCK,
    FREQUENT,
    MAX_ID_SKEW,
    PLATFORM,
    RARE,
    AccessReason,
    Actor,
    AuditEvent,
    RecordPart,
    append,
    append_many,
    first_id_since,
    record_access,
    record_accesses,
)

__all__ = [
    "BY_OFFICERS",
    "CHOSEN_REASONS",
    "CLOCK",
    "FREQUENT",
    "MAX_ID_SKEW",
    "PLATFORM",
    "RARE",
    "AccessReason",
    "Actor",
    "AuditEvent",
    "RecordPart",
    "append",
    "append_many",
    "first_id_since",
    "record_access",
    "record_accesses",
]
