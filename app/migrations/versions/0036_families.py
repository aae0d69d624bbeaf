"""Families by consent: ties, how often codes were shown by them, invitations, and notices to holders."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table family_ties (
            id uuid not null constraint pk_family_ties primary key,
            holder bigint not null constraint fk_family_ties_holder references codes (serial),
            dependant bigint not null constraint fk_family_ties_dependant references codes (serial),
            holder_claimed_at timestamptz not null,
            dependant_claimed_at timestamptz not null,
            consent varchar(12) not null,
            may_declare boolean not null,
            since timestamptz not null,
            ends_at timestamptz,
            ended_at timestamptz,
            ended_by varchar(12)
        );
        create unique index uq_family_ties_open on family_ties (holder, dependant) where ended_at is null;
        create index ix_family_ties_dependant on family_ties (dependant);
        create index ix_family_ties_ends_at on family_ties (ends_at) where ended_at is null;
        create index ix_family_ties_ended_at on family_ties (ended_at);
        create table family_shows (
            tie_id uuid not null constraint fk_family_shows_tie_id references family_ties on delete cascade,
            day date not null,
            number integer not null,
            constraint pk_family_shows primary key (tie_id, day)
        );
        create index ix_family_shows_day on family_shows (day);
        create table family_invitations (
            id uuid not null constraint pk_family_invitations primary key,
            holder bigint not null constraint fk_family_invitations_holder references codes (serial),
            holder_claimed_at timestamptz not null,
            document_fingerprint bytea not null,
            name_fingerprint bytea not null,
            sent_at timestamptz not null,
            expires_at timestamptz not null,
            declined_at timestamptz
        );
        create unique index uq_family_invitations_open
            on family_invitations (holder, document_fingerprint, name_fingerprint) where declined_at is null;
        create index ix_family_invitations_document_fingerprint on family_invitations (document_fingerprint);
        create index ix_family_invitations_expires_at on family_invitations (expires_at);
        create table family_notices (
            tie_id uuid not null constraint fk_family_notices_tie_id references family_ties on delete cascade,
            decision_id bigint not null,
            delivery varchar(20) not null,
            error varchar(40),
            msgid varchar(64),
            updated_at timestamptz not null,
            constraint pk_family_notices primary key (tie_id, decision_id)
        );
    """)


def downgrade() -> None:
    op.execute("""
        drop table family_notices;
        drop table family_invitations;
        drop table family_shows;
        drop table family_ties;
    """)
