"""A number of each alarm of a venue code, by which the message to the manager finds it."""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table venue_alarms
            add column id bigint generated always as identity constraint uq_venue_alarms_id unique
    """)


def downgrade() -> None:
    op.execute("alter table venue_alarms drop column id")
