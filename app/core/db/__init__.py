"""The database: its engines, the base class of all tables, whether it can be used, and rows in any number."""

from app.core.db.base import Base, UtcDateTime
from app.core.db.engines import CONNECT_DEFAULTS, make_engine, make_session_factory
from app.core.db.parts import WHOLE, Part
from app.core.db.rows import among, draw_ids, insert_rows, to_array
from app.core.db.usable import check_same, check_usable, explain_refusal

__all__ = [
    "CONNECT_DEFAULTS",
    "WHOLE",
    "Base",
    "Part",
    "UtcDateTime",
    "among",
    "check_same",
    "check_usable",
    "draw_ids",
    "explain_refusal",
    "insert_rows",
    "make_engine",
    "make_session_factory",
    "to_array",
]
