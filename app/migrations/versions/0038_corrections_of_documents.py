"""Documents that were corrected: the earlier ones, which still lead to their person, and the requests of officers."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table former_documents (
            document_fingerprint bytea not null constraint pk_former_documents primary key,
            serial bigint not null constraint fk_former_documents_serial references citizens (serial),
            document_type varchar(30) not null,
            replaced_at timestamptz not null
        );
        create index ix_former_documents_serial on former_documents (serial);
        create table document_corrections (
            id bigint generated always as identity constraint pk_document_corrections primary key,
            serial bigint not null constraint fk_document_corrections_serial references citizens (serial),
            reason varchar(20) not null,
            district varchar(40),
            window_id bigint constraint fk_document_corrections_window_id references windows,
            document_type varchar(30) not null,
            document_ciphertext bytea,
            former_type varchar(30) not null,
            former_ciphertext bytea,
            asked_at timestamptz not null,
            state varchar(10) not null,
            is_return boolean not null,
            proposed_by bigint constraint fk_document_corrections_proposed_by references officers,
            proposed_at timestamptz,
            resolved_by bigint constraint fk_document_corrections_resolved_by references officers,
            resolved_at timestamptz
        );
        create index ix_document_corrections_serial on document_corrections (serial);
        create unique index uq_document_corrections_open
            on document_corrections (serial) where state in ('waiting', 'proposed');
        create index ix_document_corrections_kept on document_corrections (asked_at)
            where document_ciphertext is not null or former_ciphertext is not null;
        -- a list that names the earlier document while it is corrected would add a second person by it; the function
        -- sees what was committed while the insert waited for the index
        create function refuse_former_documents() returns trigger language plpgsql as $$
        begin
            if exists (select from added join former_documents using (document_fingerprint)) then
                raise unique_violation using message = 'a former document of somebody';
            end if;
            return null;
        end $$;
        create trigger refuse_former_documents after insert on citizens
            referencing new table as added for each statement execute function refuse_former_documents();
    """)


def downgrade() -> None:
    op.execute("""
        drop trigger refuse_former_documents on citizens;
        drop function refuse_former_documents;
        drop table document_corrections;
        drop table former_documents;
    """)
