"""Service windows, the clerks who work there, and what they do for people who are present."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table windows (
            id bigint generated always as identity constraint pk_windows primary key,
            name varchar(60) not null constraint uq_windows_name unique,
            place varchar(120) not null,
            district varchar(40) not null,
            created_at timestamptz not null,
            closed_at timestamptz
        );
        create table window_lookups (
            id bigint generated always as identity constraint pk_window_lookups primary key,
            officer_id bigint not null constraint fk_window_lookups_officer_id references officers,
            window_id bigint not null constraint fk_window_lookups_window_id references windows,
            at timestamptz not null,
            serial bigint,
            ends_at timestamptz
        );
        create index ix_window_lookups_officer_id_at on window_lookups (officer_id, at);
        create index ix_window_lookups_at on window_lookups (at);
        create table window_holds (
            id bigint generated always as identity constraint pk_window_holds primary key,
            officer_id bigint not null constraint fk_window_holds_officer_id references officers,
            window_id bigint not null constraint fk_window_holds_window_id references windows,
            at timestamptz not null,
            span varchar(4) not null,
            lookups integer not null,
            cleared_at timestamptz,
            cleared_by bigint constraint fk_window_holds_cleared_by references officers,
            reason varchar(30)
        );
        create unique index uq_window_holds_open on window_holds (officer_id) where cleared_at is null;
        create index ix_window_holds_officer_id_cleared_at on window_holds (officer_id, cleared_at);
        create table window_statements (
            id bigint generated always as identity constraint pk_window_statements primary key,
            serial bigint not null,
            window_id bigint not null constraint fk_window_statements_window_id references windows,
            recorded_by bigint not null constraint fk_window_statements_recorded_by references officers,
            recorded_at timestamptz not null,
            symptoms varchar(30)[],
            contact_on date,
            state varchar(10) not null,
            resolved_at timestamptz,
            resolved_by bigint constraint fk_window_statements_resolved_by references officers
        );
        create index ix_window_statements_serial on window_statements (serial);
        create index ix_window_statements_waiting on window_statements (recorded_at) where state = 'waiting';
        create table recoveries (
            id bigint generated always as identity constraint pk_recoveries primary key,
            serial bigint not null,
            window_id bigint not null constraint fk_recoveries_window_id references windows,
            officer_id bigint not null constraint fk_recoveries_officer_id references officers,
            at timestamptz not null,
            registered_by bigint,
            state varchar(10) not null,
            resolved_at timestamptz,
            resolved_by bigint constraint fk_recoveries_resolved_by references officers
        );
        create index ix_recoveries_serial on recoveries (serial);
        create index ix_recoveries_at on recoveries (at);
        create index ix_recoveries_objected on recoveries (at) where state = 'objected';
        create table former_bindings (
            recovery_id bigint not null
                constraint fk_former_bindings_recovery_id references recoveries on delete cascade,
            wechat_user_id bigint not null,
            objected_at timestamptz,
            constraint pk_former_bindings primary key (recovery_id, wechat_user_id)
        );
        create index ix_former_bindings_wechat_user_id on former_bindings (wechat_user_id);
    """)
    op.add_column("officers", sa.Column("window_id", sa.BigInteger()))
    op.create_foreign_key("fk_officers_window_id", "officers", "windows", ["window_id"], ["id"])
    op.create_index("ix_officers_window_id", "officers", ["window_id"])
    op.add_column("accounts", sa.Column("attested_at", sa.DateTime(timezone=True)))
