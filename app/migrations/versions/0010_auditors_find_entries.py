"""Auditors find the entries of officers, and rare deeds, without reading all that there are."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    of_officers = sa.text("starts_with(actor, 'officer')")
    op.create_index("ix_audit_officers", "audit", ["actor", "id"], postgresql_where=of_officers)
    rare = sa.text("action not in ('decided', 'evidence-recorded')")
    op.create_index("ix_audit_rare", "audit", ["action", "id"], postgresql_where=rare)
