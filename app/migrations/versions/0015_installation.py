"""The installation, the trust in the color cache, and what a database does that was restored or promoted.

`begin_generation` is a function of the database, so that it works the same for whoever connects first: a web process, a
worker, or a command. It gives no number twice, ends the sessions of officers, and sends no notice a second time.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# A dump cannot know how many numbers were given after it. A hundred million codes are four times the province.
CODES_SKIPPED = 100_000_000
ROWS_SKIPPED = 1_000_000

# Without `forced` nothing happens where the identity is the known one, and the first connection of all only notes it.
BEGIN_GENERATION = f"""
create function begin_generation(identity text, forced boolean) returns bigint language plpgsql as $$
declare
    known installation;
    seq record;
begin
    select * into known from installation for update;
    if not forced and known.database_identity is null then
        update installation set database_identity = identity;
        return known.generation;
    elsif not forced and known.database_identity = identity then
        return known.generation;
    end if;
    for seq in select schemaname, sequencename, last_value from pg_sequences
        where schemaname = current_schema() and last_value is not null and sequencename not like 'procrastinate%'
    loop
        perform setval(format('%I.%I', seq.schemaname, seq.sequencename), seq.last_value
            + case when seq.sequencename = 'codes_serial_seq' then {CODES_SKIPPED} else {ROWS_SKIPPED} end);
    end loop;
    delete from officer_sessions;
    update notices set delivery = 'unknown', error = 'restored', updated_at = clock_timestamp()
        where delivery in ('waiting', 'sending');
    update installation set
        generation = 1 + floor(random() * 2147483646)::bigint, generation_began_at = clock_timestamp(),
        database_identity = identity, redis_run_id = null, leased_until = null
        returning * into known;
    return known.generation;
end $$
"""  # noqa: S608 - numbers of our own


def upgrade() -> None:
    op.execute("""
        create table installation (
            id smallint not null constraint pk_installation primary key
                constraint ck_installation_single check (id = 1),
            generation bigint not null,
            generation_began_at timestamptz not null,
            database_identity varchar,
            redis_run_id varchar,
            cache_generation bigint not null,
            beat bigint not null,
            leased_until timestamptz
        )
    """)
    op.execute("insert into installation values (1, 0, clock_timestamp(), null, null, 0, 0, null)")
    op.execute("create table cache_doubts (key varchar not null constraint pk_cache_doubts primary key)")
    op.execute(BEGIN_GENERATION)


def downgrade() -> None:
    op.execute("drop function begin_generation(text, boolean)")
    op.execute("drop table cache_doubts")
    op.execute("drop table installation")
