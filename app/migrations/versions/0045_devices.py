"""The devices of check stations: each in a lane, with a public key, or a secret of its maker's shape."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("station_id", sa.BigInteger, nullable=False),
        sa.Column("lane", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32)),
        sa.Column("shape", sa.String(20)),
        sa.Column("secret_ciphertext", sa.LargeBinary),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"], name="fk_devices_station_id"),
    )
    op.create_index("ix_devices_station_id", "devices", ["station_id"])
    op.create_index(
        "uq_devices_lane",
        "devices",
        ["station_id", "lane", "kind"],
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    )
