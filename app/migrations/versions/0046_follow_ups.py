"""Follow-ups of people with a red or orange code, and alerts of the checks of such codes.

No table is written anew; who is red or orange already gets a follow-up from the worker within a minute.
"""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table follow_ups (
            id bigint generated always as identity constraint pk_follow_ups primary key,
            serial bigint not null constraint fk_follow_ups_serial references codes (serial),
            recipient varchar(12) not null,
            case_number varchar(100),
            district varchar(40),
            state varchar(12) not null,
            opened_at timestamptz not null,
            due_at timestamptz,
            reminded_at timestamptz,
            notified_at timestamptz,
            receiver varchar(80),
            evidence_id uuid,
            proposed_district varchar(40),
            proposed_receiver varchar(80),
            officer_id bigint constraint fk_follow_ups_officer_id references officers (id),
            acted_at timestamptz,
            ended_at timestamptz
        );
        create unique index uq_follow_ups_open on follow_ups (serial, recipient) where ended_at is null;
        create index ix_follow_ups_district on follow_ups (district, state) where ended_at is null;
        create index ix_follow_ups_due_at on follow_ups (due_at) where ended_at is null;
        create index ix_follow_ups_ended_at on follow_ups (ended_at);
        create table check_alerts (
            serial bigint not null constraint fk_check_alerts_serial references codes (serial),
            day date not null,
            hour smallint not null,
            constraint pk_check_alerts primary key (serial, day)
        );
        create index ix_check_alerts_day on check_alerts (day);
        create index ix_codes_restricted on codes (serial) where state >= 5;
    """)


def downgrade() -> None:
    op.execute("""
        drop index ix_codes_restricted;
        drop table check_alerts;
        drop table follow_ups;
    """)
