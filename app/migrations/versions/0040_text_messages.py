"""Text messages about changes: by which channel a notice went, what was spent, and who wants none.

No table is written anew. Who has an account already has agreed to no such use of their phone, and is sent none until
they switch it on; new accounts have agreed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notices", sa.Column("channel", sa.String(12)))
    by_sms = sa.text("channel = 'sms'")
    op.create_index("ix_notices_sms", "notices", ["msgid"], postgresql_where=by_sms)
    op.add_column("accounts", sa.Column("sms_on", sa.Boolean, nullable=False, server_default=sa.false()))
    op.alter_column("accounts", "sms_on", server_default=sa.true())
    op.create_table(
        "sms_numbers",
        sa.Column("number_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("messages", sa.SmallInteger, nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True)),
        sa.Column("undeliverable_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("number_hash", name="pk_sms_numbers"),
    )
    op.create_index("ix_sms_numbers_day", "sms_numbers", ["day"])
    op.create_table(
        "sms_spending",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("district", sa.String(40), nullable=False),
        sa.Column("messages", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day", "district", name="pk_sms_spending"),
    )
