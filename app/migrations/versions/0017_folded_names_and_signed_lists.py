"""How the names of places and authorities compare, and the lists that officers have signed."""

import unicodedata
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op
from opencc import OpenCC

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("authority", "place"):
        # empty in what an older release still records
        op.add_column("entries", sa.Column(f"{name}_folded", sa.String(80)))
        _fold_existing(name)
        op.create_index(f"ix_entries_{name}", "entries", ["district", f"{name}_folded", "recorded_at"])
    op.create_table(
        "signed_lists",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("recorder_id", sa.BigInteger(), sa.ForeignKey("officers.id"), nullable=False),
        sa.Column("approver_id", sa.BigInteger(), sa.ForeignKey("officers.id"), nullable=False),
        sa.Column("auditor_id", sa.BigInteger(), sa.ForeignKey("officers.id")),
        sa.Column("district", sa.String(40)),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restricted", sa.Integer(), nullable=False),
    )
    op.create_index("ix_signed_lists_signed_at", "signed_lists", ["signed_at"])


def fold_name(name: str) -> str:
    """Return a name as `app.entries.alarms.folding` folded it in that release; a later one that differs folds anew."""
    compatible = unicodedata.normalize("NFKD", name).casefold()
    simplify = OpenCC("hk2s").convert
    return "".join(_fold_character(one, simplify) for one in unicodedata.normalize("NFKD", compatible))[:80]


def _fold_character(character: str, simplify: Callable[[str], str]) -> str:
    if unicodedata.category(character)[0] not in "LN":
        return ""
    number = unicodedata.numeric(character, -1)
    return str(int(number)) if number in range(10) else simplify(simplify(character))


def _fold_existing(name: str) -> None:
    column, folded = sa.column(name, sa.String()), sa.column(f"{name}_folded", sa.String())
    entries, connection = sa.table("entries", column, folded), op.get_bind()
    names = connection.scalars(sa.select(column).where(column.is_not(None)).distinct()).all()
    rows = [{"typed": typed, "same": fold_name(typed)} for typed in names]
    if rows:
        connection.execute(
            sa.update(entries).where(column == sa.bindparam("typed")).values({folded: sa.bindparam("same")}), rows
        )
