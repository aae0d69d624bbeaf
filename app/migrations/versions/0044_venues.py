"""Venues with their entrances and managers, and sessions of inspectors, one for each log-in.

No table is written anew. Stations of before belong to no venue. Sessions of before are in no row: they end with the
shift, or with all of their inspector.
"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table venues (
            id bigint generated always as identity constraint pk_venues primary key,
            name varchar(40) not null,
            kind varchar(16) not null,
            district varchar(40) not null,
            address varchar(120) not null,
            credit_code varchar(18) not null,
            hours varchar(11)[] not null,
            manager bigint constraint fk_venues_manager references codes (serial),
            manager_claimed_at timestamptz,
            created_at timestamptz not null,
            closed_at timestamptz
        );
        create unique index uq_venues_open_name on venues (name) where closed_at is null;
        create index ix_venues_credit_code on venues (credit_code);
        create index ix_venues_manager on venues (manager);
        alter table stations
            add column venue_id bigint constraint fk_stations_venue_id references venues (id),
            add column entrance varchar(18);
        create index ix_stations_venue_id on stations (venue_id);
        create table venue_applications (
            id bigint generated always as identity constraint pk_venue_applications primary key,
            serial bigint not null constraint fk_venue_applications_serial references codes (serial),
            claimed_at timestamptz not null,
            name varchar(40) not null,
            kind varchar(16) not null,
            district varchar(40) not null,
            address varchar(120) not null,
            credit_code varchar(18) not null,
            hours varchar(11)[] not null,
            entrances varchar(18)[] not null,
            applied_at timestamptz not null,
            state varchar(10) not null,
            reason varchar(20),
            resolved_at timestamptz,
            resolved_by bigint constraint fk_venue_applications_resolved_by references officers (id),
            venue_id bigint constraint fk_venue_applications_venue_id references venues (id)
        );
        create index ix_venue_applications_serial on venue_applications (serial);
        create index ix_venue_applications_waiting on venue_applications (district) where state = 'waiting';
        create index ix_venue_applications_applied_at on venue_applications (applied_at);
        create table venue_handovers (
            venue_id bigint constraint pk_venue_handovers primary key
                constraint fk_venue_handovers_venue_id references venues (id),
            manager bigint not null constraint fk_venue_handovers_manager references codes (serial),
            manager_claimed_at timestamptz not null,
            document_fingerprint bytea not null,
            name_fingerprint bytea not null,
            sent_at timestamptz not null,
            expires_at timestamptz not null
        );
        create index ix_venue_handovers_document_fingerprint on venue_handovers (document_fingerprint);
        create index ix_venue_handovers_manager on venue_handovers (manager);
        create table inspector_sessions (
            id bigint generated always as identity constraint pk_inspector_sessions primary key,
            inspector_id bigint not null
                constraint fk_inspector_sessions_inspector_id references inspectors (id),
            started_at timestamptz not null,
            seen_at timestamptz not null,
            ends_at timestamptz not null,
            ended_at timestamptz
        );
        create index ix_inspector_sessions_inspector_id on inspector_sessions (inspector_id);
    """)


def downgrade() -> None:
    op.execute("""
        drop table inspector_sessions;
        drop table venue_handovers;
        drop table venue_applications;
        alter table stations drop column venue_id, drop column entrance;
        drop table venues;
    """)
