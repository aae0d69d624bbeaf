"""The end of the service: what is announced, what was done of it, and the hashes of the chain that stay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for column in (
        sa.Column("ends_on", sa.Date),
        sa.Column("end_notice", sa.String(200)),
        sa.Column("end_announced_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("end_record", JSONB),
        sa.Column("end_report", sa.String),
    ):
        op.add_column("installation", column)
    op.create_table(
        "kept_hashes",
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_kept_hashes"),
    )
    # as a trigger it is on no table before the end: until then it costs nothing
    op.execute("""
        create function service_is_ended() returns trigger language plpgsql as $$
        begin
            raise exception 'the service is ended: nothing is written any more' using errcode = '25006';
        end $$
    """)
