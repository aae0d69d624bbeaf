"""Who holds a code: since when, and whether the platform has confirmed or denied that it is the person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("held_since", "confirmed_at", "denied_at"):
        op.add_column("codes", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    # whom the platform has answered about before is confirmed; every account holds its code since it was made
    op.execute("update codes set held_since = created_at from accounts where accounts.serial = codes.serial")
    op.execute("""
        update codes set confirmed_at = first.at
        from (
            select evidence.serial, min(evidence.at) as at
            from evidence join accounts on accounts.serial = evidence.serial and evidence.at >= accounts.created_at
            where kind = 'verification' group by evidence.serial
        ) as first
        where first.serial = codes.serial
    """)
