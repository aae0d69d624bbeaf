"""The assurance under which a declaration was made, and the WeChat user who registered an account.

Declarations from before count as made by a holder whose phone WeChat has vouched for, as their accounts do. Who
registered an account is known where one WeChat user alone is bound to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("declarations", sa.Column("assurance", sa.SmallInteger(), server_default="2", nullable=False))
    op.add_column("accounts", sa.Column("registered_by", sa.BigInteger(), nullable=True))
    op.execute("""
        update accounts set registered_by = bound.id
        from (
            select serial, min(id) as id from wechat_users where serial is not null group by serial having count(*) = 1
        ) as bound
        where bound.serial = accounts.serial
    """)
