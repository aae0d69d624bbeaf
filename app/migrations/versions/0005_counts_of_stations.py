"""What stations did, by hour, state and deed: numbers that outlive the counters in Redis."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "station_counts",
        sa.Column("station_id", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "hour", "state", "what", name="pk_station_counts"),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"], name="fk_station_counts_station_id"),
    )
    op.create_index("ix_station_counts_hour", "station_counts", ["hour"])
