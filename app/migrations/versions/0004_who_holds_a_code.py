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
