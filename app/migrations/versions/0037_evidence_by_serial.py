"""Evidence and declarations are found by their serial first, by one index each instead of two.

Their rows stay as they are; PostgreSQL makes three indexes, for 56 million rows of evidence in some minutes, in which
nobody can declare and no color can change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # the ledger has locked the code before it writes evidence and decisions, and no code is ever deleted
    op.drop_constraint("fk_evidence_serial", "evidence", type_="foreignkey")
    op.drop_constraint("fk_decisions_serial", "decisions", type_="foreignkey")
    op.drop_constraint("uq_notices_decision_id", "notices", type_="unique")  # nothing reads it
    op.drop_constraint("fk_declarations_evidence_id", "declarations", type_="foreignkey")
    for table, columns in (("evidence", ["serial", "id"]), ("declarations", ["serial", "evidence_id"])):
        op.drop_constraint(f"pk_{table}", table, type_="primary")
        op.create_primary_key(f"pk_{table}", table, columns)
    op.drop_index("ix_declarations_serial_declared_at", "declarations")  # somebody has few declarations to sort
    op.drop_index("uq_evidence_dedup_key", "evidence")
    known = sa.text("dedup_key is not null")
    op.create_index("uq_evidence_dedup_key", "evidence", ["serial", "dedup_key"], unique=True, postgresql_where=known)
    temperatures = sa.text("kind = 'temperature'")
    op.create_index("ix_evidence_temperatures", "evidence", ["id"], postgresql_where=temperatures)
    op.create_foreign_key(
        "fk_declarations_serial_evidence_id", "declarations", "evidence", ["serial", "evidence_id"], ["serial", "id"]
    )
