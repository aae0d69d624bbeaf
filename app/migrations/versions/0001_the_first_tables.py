"""The first tables, and those of the job queue.

There is no way back: a system that has evidence is restored from its backup, not emptied.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from psycopg import Connection
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_serial"), "audit", ["serial"], unique=False)
    op.create_table(
        "codes",
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_codes")),
    )
    op.create_index("ix_codes_next_look", "codes", [sa.literal_column("coalesce(retry_at, due_at)")], unique=False)
    op.create_table(
        "stations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("district", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stations")),
        sa.UniqueConstraint("name", name=op.f("uq_stations_name")),
    )
    op.create_table(
        "citizens",
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("document_type", sa.String(length=30), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("document_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["codes.serial"], name=op.f("fk_citizens_serial")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_citizens")),
        sa.UniqueConstraint("document_hash", name=op.f("uq_citizens_document_hash")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous_state", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence", postgresql.ARRAY(sa.Uuid(as_uuid=False)), nullable=False),
        sa.Column("missing", postgresql.ARRAY(sa.String(length=30)), nullable=False),
        sa.Column("policy_version", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["codes.serial"], name=op.f("fk_decisions_serial")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_serial_version", "decisions", ["serial", "version"], unique=True)
    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("finding", sa.String(length=64), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_for", sa.String(length=30), nullable=True),
        sa.ForeignKeyConstraint(["serial"], ["codes.serial"], name=op.f("fk_evidence_serial")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_serial"), "evidence", ["serial"], unique=False)
    op.create_index("uq_evidence_finding", "evidence", ["serial", "finding"], unique=True)
    op.create_table(
        "inspectors",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=128), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"], name=op.f("fk_inspectors_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspectors")),
        sa.UniqueConstraint("username", name=op.f("uq_inspectors_username")),
    )
    op.create_index(op.f("ix_inspectors_station_id"), "inspectors", ["station_id"], unique=False)
    op.create_table(
        "wechat_users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("openid_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("openid_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["codes.serial"], name=op.f("fk_wechat_users_serial")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_users")),
        sa.UniqueConstraint("openid_hash", name=op.f("uq_wechat_users_openid_hash")),
    )
    op.create_index(op.f("ix_wechat_users_serial"), "wechat_users", ["serial"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["citizens.serial"], name=op.f("fk_accounts_serial")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
    )
    op.create_table(
        "declarations",
        sa.Column("evidence_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("symptoms", postgresql.ARRAY(sa.String(length=30)), nullable=False),
        sa.Column("contact_on", sa.Date(), nullable=True),
        sa.Column("consent_version", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_declarations_evidence_id")),
        sa.ForeignKeyConstraint(["serial"], ["citizens.serial"], name=op.f("fk_declarations_serial")),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_declarations")),
    )
    op.create_index("ix_declarations_serial_declared_at", "declarations", ["serial", "declared_at"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery", sa.String(length=20), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("msgid", sa.String(length=64), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_notices_decision_id")),
        sa.ForeignKeyConstraint(["serial"], ["codes.serial"], name=op.f("fk_notices_serial")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_notices_decision_id")),
    )
    op.create_index(op.f("ix_notices_serial"), "notices", ["serial"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("wechat_user_id", sa.BigInteger(), nullable=False),
        sa.Column("template_id", sa.String(length=64), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("last_answer", sa.String(length=10), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("credits >= 0", name=op.f("ck_subscriptions_credits_not_negative")),
        sa.ForeignKeyConstraint(["wechat_user_id"], ["wechat_users.id"], name=op.f("fk_subscriptions_wechat_user_id")),
        sa.PrimaryKeyConstraint("wechat_user_id", "template_id", name=op.f("pk_subscriptions")),
    )
    _make_append_only("audit")
    _make_append_only("decisions")
    _make_evidence_only_withdrawn()
    _make_queue()


def _make_append_only(table: str) -> None:
    """Let rows come, and neither change nor go: not even by a mistake of ours."""
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


def _make_evidence_only_withdrawn() -> None:
    """Let evidence come, and be withdrawn once; nothing else of it ever changes."""
    op.execute("""
        create function evidence_is_only_withdrawn() returns trigger language plpgsql as $$
        begin
            if tg_op = 'DELETE'
                or old.withdrawn_at is not null
                or new.withdrawn_at is null
                or to_jsonb(new) - array['withdrawn_at', 'withdrawn_for']
                    <> to_jsonb(old) - array['withdrawn_at', 'withdrawn_for']
            then
                raise exception 'evidence is only withdrawn';
            end if;
            return new;
        end $$
    """)
    op.execute("""
        create trigger evidence_is_only_withdrawn before update or delete on evidence
        for each row execute function evidence_is_only_withdrawn()
    """)


def _make_queue() -> None:
    """The tables of procrastinate, by its own script, which is sent as it is: it has percent signs."""
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, Connection)
    connection.execute(SchemaManager.get_schema().encode())
