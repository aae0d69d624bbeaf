"""The audit as a chain: role and reason of an entry, its link, the signed heads; and nobody empties either table."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("role", sa.String(30), nullable=True))
    op.add_column("audit", sa.Column("reason", sa.String(30), nullable=True))
    op.add_column("audit", sa.Column("place", sa.BigInteger(), nullable=True))
    op.add_column("audit", sa.Column("hash", sa.LargeBinary(32), nullable=True))
    op.create_check_constraint("sealed", "audit", "(place is null) = (hash is null)")
    op.create_index("ix_audit_place", "audit", ["place"], unique=True, postgresql_where=sa.text("place is not null"))
    # what is there already is sealed by the first run, oldest first
    op.create_index("ix_audit_waiting", "audit", ["id"], postgresql_where=sa.text("place is null"))
    op.create_table(
        "audit_heads",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("kid", sa.String(16), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_audit_heads"),
    )
    _let_entries_be_sealed_once()
    _make_append_only("audit_heads")
    for table in ("audit", "audit_heads"):
        op.execute(f"""
            create trigger {table}_is_never_emptied before truncate on {table}
            for each statement execute function {table}_is_append_only()
        """)


def _let_entries_be_sealed_once() -> None:
    """Let an entry without a place get one, with nothing else of it changed; the condition costs no call a row."""
    op.execute("drop trigger audit_is_append_only on audit")
    op.execute("""
        create trigger audit_is_append_only before update on audit for each row when (
            old.place is not null or new.place is null
            or (old.id, old.at, old.actor, old.role, old.action, old.serial, old.reason, old.detail)
                is distinct from (new.id, new.at, new.actor, new.role, new.action, new.serial, new.reason, new.detail)
        ) execute function audit_is_append_only()
    """)
    op.execute("""
        create trigger audit_keeps_its_rows before delete on audit
        for each row execute function audit_is_append_only()
    """)


def _make_append_only(table: str) -> None:
    op.execute(f"""
        create function {table}_is_append_only() returns trigger language plpgsql as $$
        begin
            raise exception '{table} is append only';
        end $$
    """)
    op.execute(f"""
        create trigger {table}_is_append_only before update or delete on {table}
        for each row execute function {table}_is_append_only()
    """)
