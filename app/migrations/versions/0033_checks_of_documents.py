"""Checks of identity documents: the keyed hash by which document and name are found together, and who was checked."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table citizens add column identity_fingerprint bytea")
    op.execute("""
        create unique index uq_citizens_identity on citizens (identity_fingerprint)
        where identity_fingerprint is not null
    """)
    # who registered before: the worker adds what is missing, for no SQL has the key
    op.execute("""
        create index ix_citizens_without_identity on citizens (serial)
        where name_ciphertext is not null and identity_fingerprint is null
    """)
    op.execute("""
        create table document_checks (
            id uuid not null constraint pk_document_checks primary key,
            person varchar(20) not null,
            day date not null,
            content_ciphertext bytea not null
        )
    """)
    op.execute("create index ix_document_checks_person on document_checks (person)")
    op.execute("create index ix_document_checks_day on document_checks (day)")


def downgrade() -> None:
    op.execute("drop table document_checks")
    op.execute("drop index ix_citizens_without_identity")
    op.execute("alter table citizens drop column identity_fingerprint")
