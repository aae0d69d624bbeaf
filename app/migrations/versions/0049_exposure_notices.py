"""Notices that an infection was at a venue in an interval, which phones compare with their own visits."""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table exposure_notices (
            id bigint generated always as identity constraint pk_exposure_notices primary key,
            venue_id bigint not null constraint fk_exposure_notices_venue_id references venues (id),
            begins_at timestamptz not null,
            ends_at timestamptz not null,
            expires_at timestamptz not null,
            reason varchar(20) not null,
            state varchar(10) not null,
            proposed_by bigint not null constraint fk_exposure_notices_proposed_by references officers (id),
            proposed_at timestamptz not null,
            resolved_by bigint constraint fk_exposure_notices_resolved_by references officers (id),
            resolved_at timestamptz
        );
        create index ix_exposure_notices_venue_id on exposure_notices (venue_id);
        create index ix_exposure_notices_expires_at on exposure_notices (expires_at);
    """)


def downgrade() -> None:
    op.execute("drop table exposure_notices")
