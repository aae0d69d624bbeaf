"""Smaller rows of citizens and evidence, and no index or key that nothing needs.

Rows of evidence and decisions stay as they are and are read as before; new ones are shorter. Only the deduplication
keys of older evidence are cut, because a fact must be recognized, and every hash of a document: PostgreSQL writes the
citizens anew for that, 24 million in some minutes, in which nobody can be looked up. The column of the hash gets
another name: an older release that still runs would find nobody and add everybody again; so it fails instead.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # an id of other evidence is shorter outside of the facts: the declaration that was verified, what was released
    op.add_column("evidence", sa.Column("refers_to", sa.Uuid(as_uuid=False), nullable=True))
    op.execute("alter table evidence disable trigger evidence_is_only_withdrawn")
    op.execute("update evidence set dedup_key = left(dedup_key, 23) where length(dedup_key) > 23")
    op.execute("alter table evidence enable trigger evidence_is_only_withdrawn")
    op.execute(
        "alter table citizens alter column document_hash type bytea using substring(document_hash from 1 for 15)"
    )
    op.alter_column("citizens", "document_hash", new_column_name="document_fingerprint")
    op.execute("alter table citizens rename constraint uq_citizens_document_hash to uq_citizens_document_fingerprint")
    op.drop_index("ix_evidence_serial", "evidence")  # `uq_evidence_dedup_key` begins with the serial too
    # a notice is written with its decision, in one transaction, and neither is ever deleted alone
    op.drop_constraint("fk_notices_serial", "notices", type_="foreignkey")
    op.drop_constraint("fk_notices_decision_id", "notices", type_="foreignkey")
