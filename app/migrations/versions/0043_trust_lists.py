"""Trust lists of issuers of other provinces. A trigger lets no list in that is older than one that is there."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trust_lists",
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(80), nullable=False),
        sa.Column("content", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_trust_lists"),
    )
    op.execute("""
        create function trust_lists_grow() returns trigger language plpgsql as $$
        begin
            if tg_op <> 'INSERT' or exists (select from trust_lists where version >= new.version) then
                raise exception 'trust lists are only added, each newer than those before' using errcode = '23514';
            end if;
            return new;
        end $$
    """)
    op.execute("""
        create trigger trust_lists_grow before insert or update or delete on trust_lists
        for each row execute function trust_lists_grow()
    """)
