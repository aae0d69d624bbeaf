"""What Redis had counted at the last roll-up, and in which run of it: a restart takes nothing back."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("station_counts", sa.Column("seen", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("station_counts", sa.Column("run", sa.String(40), nullable=False, server_default=sa.text("''")))
    op.execute("update station_counts set seen = number")  # until now, the number was what Redis had counted
    op.alter_column("station_counts", "seen", server_default=None)
    op.alter_column("station_counts", "run", server_default=None)
