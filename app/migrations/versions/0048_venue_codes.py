"""Codes at the entrances of venues, and alarms of those that were scanned implausibly often. Nobody is in them."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table venue_codes (
            station_id bigint not null constraint fk_venue_codes_station_id references stations (id),
            mark bytea not null,
            made_at timestamptz not null,
            ends_at timestamptz not null,
            earlier_mark bytea,
            earlier_until timestamptz,
            constraint pk_venue_codes primary key (station_id)
        );
        create table venue_alarms (
            station_id bigint not null constraint fk_venue_alarms_station_id references stations (id),
            day date not null,
            hour smallint not null,
            scans integer not null,
            receipts integer not null,
            mark bytea not null,
            raised_at timestamptz not null,
            constraint pk_venue_alarms primary key (station_id, day)
        );
    """)


def downgrade() -> None:
    op.execute("drop table venue_alarms; drop table venue_codes;")
