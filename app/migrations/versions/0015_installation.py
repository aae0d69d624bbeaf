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

# The server; its timeline, which every promotion and every recovery to a moment changes at once; the database in it;
# and the table, which a dump makes anew. A standby that follows is the database that it follows.
IDENTITY = """
create function database_identity() returns text language sql stable set search_path from current as $$
    select case when pg_is_in_recovery() then installation.database_identity else concat_ws('/',
        (select system_identifier from pg_control_system()),
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
        (select oid from pg_database where datname = current_database()),
        cast(cast('installation' as regclass) as oid)) end
    from installation
$$
"""

# A dump that is read table by table sets the sequence of the serials after the row of the installation.
IS_KNOWN = """
create function is_known_database() returns boolean language sql stable set search_path from current as $$
    select database_identity is not distinct from database_identity() and last_value >= serial_floor
    from installation, codes_serial_seq
$$
"""

# Without `forced` nothing happens in the known database, and the first connection of all only notes its identity.
# A one-time code that was used may not be known as used any more: those of now and of the next half minute are.
BEGIN_GENERATION = f"""
create function begin_generation(forced boolean) returns bigint language plpgsql set search_path from current as $$
declare
    known installation;
    seq record;
    skipped bigint;
begin
    select * into known from installation for update;
    if not forced and known.database_identity is null then
        update installation set database_identity = database_identity();
        return known.generation;
    elsif not forced and is_known_database() then
        return known.generation;
    end if;
    for seq in select schemaname, sequencename, start_value, last_value, max_value from pg_sequences
        where schemaname = current_schema()
    loop
        skipped := coalesce(seq.last_value, seq.start_value) + {ROWS_SKIPPED};
        if seq.sequencename = 'codes_serial_seq' then
            skipped := greatest(coalesce(seq.last_value, seq.start_value), known.serial_floor) + {CODES_SKIPPED};
            known.serial_floor := skipped;
        end if;
        perform setval(format('%I.%I', seq.schemaname, seq.sequencename), least(skipped, seq.max_value));
    end loop;
    delete from officer_sessions;
    update officers set totp_step = greatest(totp_step, floor(extract(epoch from clock_timestamp()) / 30)::bigint + 1);
    update notices set delivery = 'unknown', error = 'restored', updated_at = clock_timestamp()
        where delivery in ('waiting', 'sending');
    update installation set
        generation = 1 + floor(random() * 2147483646)::bigint, generation_began_at = clock_timestamp(),
        database_identity = database_identity(), serial_floor = known.serial_floor,
        redis_run_id = null, leased_until = clock_timestamp() + interval '1 minute'
        returning * into known;
    insert into audit (at, actor, role, action, detail) values (known.generation_began_at, 'clock', 'clock',
        'generation-began', jsonb_build_object('generation', known.generation, 'sealed',
            (select coalesce(max(place), 0) from audit)));
    return known.generation;
end $$
"""  # noqa: S608 - numbers of our own

# The first serial after a restore may be asked for before anybody has compared.
GUARDS = """
create function codes_need_the_known_database() returns trigger language plpgsql set search_path from current as $$
begin
    if not is_known_database() then
        perform begin_generation(false);
    end if;
    return null;
end $$;
create trigger codes_need_the_known_database before insert on codes
    for each statement execute function codes_need_the_known_database();
create function installation_was_put_back() returns trigger language plpgsql as $$
begin
    new.database_identity := 'put back';
    return new;
end $$;
create trigger installation_was_put_back before insert on installation
    for each row execute function installation_was_put_back();
"""
FUNCTIONS = ("database_identity()", "is_known_database()", "begin_generation(boolean)")


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
            leased_until timestamptz,
            serial_floor bigint not null
        )
    """)
    op.execute("insert into installation values (1, 0, clock_timestamp(), null, null, 0, 0, null, 0)")
    op.execute("create table cache_doubts (key varchar not null constraint pk_cache_doubts primary key)")
    for statement in (IDENTITY, IS_KNOWN, BEGIN_GENERATION, GUARDS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop trigger codes_need_the_known_database on codes")
    op.execute("drop table cache_doubts")
    op.execute("drop table installation")
    for function in (*reversed(FUNCTIONS), "codes_need_the_known_database()", "installation_was_put_back()"):
        op.execute(f"drop function {function}")
