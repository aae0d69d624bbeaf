"""What officers look at, counted by hour and day, and what makes the counting cheap in tables of hundreds of millions.

Decisions and notices are written in the order of time: a BRIN index of a few pages finds an hour of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    op.create_table(
        "tallies",
        sa.Column("figure", sa.String(20), nullable=False),
        sa.Column("at", when, nullable=False),
        sa.Column("district", sa.String(40), nullable=False),
        sa.Column("key", sa.String(60), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", when, nullable=False),
        sa.PrimaryKeyConstraint("figure", "at", "district", "key", name="pk_tallies"),
    )
    for table, column in (("decisions", "decided_at"), ("notices", "created_at")):
        op.create_index(
            f"ix_{table}_{column}", table, [column], postgresql_using="brin", postgresql_with={"autosummarize": True}
        )
    waiting = sa.text("delivery = 'waiting'")
    op.create_index("ix_notices_waiting", "notices", ["created_at"], postgresql_where=waiting)
