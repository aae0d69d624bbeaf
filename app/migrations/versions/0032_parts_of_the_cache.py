"""The parts of a color cache in a cluster, each of which is leased by itself."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table cache_parts (
            id smallint not null constraint pk_cache_parts primary key,
            generation bigint not null,
            redis_run_id varchar,
            cache_generation bigint not null,
            beat bigint not null,
            leased_until timestamptz
        ) with (fillfactor = 50)
    """)


def downgrade() -> None:
    op.execute("drop table cache_parts")
