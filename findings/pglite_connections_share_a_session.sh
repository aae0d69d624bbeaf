#!/usr/bin/env bash
# @electric-sql/pglite 0.5.14 (PostgreSQL 18.6 in WebAssembly), @electric-sql/pglite-socket 0.2.17 (npm), psycopg 3.3.9; Node
#
# Tests of a backend run against PGlite behind a socket, with maxConnections 10: no PostgreSQL to install. Two connections, as of
# two workers; the first sets its city (for row-level security), takes an advisory lock, makes a temporary table, listens.
# Guess: each connection is a session of its own, as at any PostgreSQL, or the second one is refused or has to wait.
# Really: only transactions wait for each other. Otherwise both are one session, with the same pg_backend_pid(): the second has
#   the first one's city and temporary table, and pg_try_advisory_lock is true for both. FOR UPDATE SKIP LOCKED
#   never skips: it waits until the other transaction is over, and gets the very row that the first had. A notification does
#   not come to the one that listens, but to the one that sent it. Once the first has been closed, all that stays: a
#   third connection finds city, table and lock.
# Why it matters: just what is tested with two connections (one worker at a time, a queue, row-level security, wake-up by
#   NOTIFY) passes or fails for another reason than in PostgreSQL, and a test finds settings of the one before. Use it
#   for queries; give tests of locks, sessions and queues a real server.
set -euo pipefail
folder=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2> "$folder/kill.log" || true
    rm -rf "$folder"
}
trap stop EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'psycopg[binary]==3.3.9' 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --prefix "$folder" @electric-sql/pglite@0.5.14 \
    @electric-sql/pglite-socket@0.2.17 > "$folder/npm.log"
cd "$folder"
cat > serve.mjs <<'JS'
import { writeFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const server = new PGLiteSocketServer({ db: await PGlite.create(), path: '.s.PGSQL.5432', maxConnections: 10 });
await server.start();
writeFileSync('ready', '');
setTimeout(() => process.exit(), 120000);
JS
node serve.mjs > server.log 2>&1 &
server=$!
for _ in $(seq 600); do
    [ ! -e ready ] || break
    sleep 0.1
done
cat > ask.py <<'PY'
import os
import threading
import time

import psycopg

WHERE = f"host={os.getcwd()} user=postgres dbname=postgres"


def ask(connection, query):
    return connection.execute(query).fetchone()[0]


def connect():
    return psycopg.connect(WHERE, autocommit=True, connect_timeout=20)


def tell_session(connection):
    print("  city", ask(connection, "select current_setting('app.city', true)"))
    print("  rows of the temporary table", ask(connection, "select count(*) from mine"))
    print("  advisory locks held:", ask(connection, "select count(*) from pg_locks where locktype = 'advisory'"))


def take(connection, taken):
    taken.append(ask(connection, "select number from work order by number for update skip locked limit 1"))


first, second = connect(), connect()
print("same backend:", ask(first, "select pg_backend_pid()") == ask(second, "select pg_backend_pid()"))
print("lock:", [ask(each, "select pg_try_advisory_lock(1)") for each in (first, second)])
first.execute("set app.city = 'jiangbei'")
first.execute("create temporary table mine (number int)")
print("the second connection sees")
tell_session(second)

first.execute("create table work (number int)")
first.execute("insert into work values (1), (2)")
taken = []
first.execute("begin")
take(first, taken)
other = threading.Thread(target=take, args=(second, taken))
other.start()
time.sleep(1)
print("taken while the first transaction is open:", taken)
first.execute("commit")
other.join(20)
print("taken in the end:", taken)

first.execute("listen work")
second.execute("notify work, 'come'")
for name, each in (("first, which listens", first), ("second, which sent it", second)):
    print(f"{name}:", [heard.payload for heard in each.notifies(timeout=2, stop_after=1)])
first.close()
second.close()
time.sleep(0.5)
print("a third connection, after the others have been closed, sees")
tell_session(connect())
PY
venv/bin/python ask.py | tee seen
diff - seen <<'TEXT' || { echo "changed"; exit 1; }
same backend: True
lock: [True, True]
the second connection sees
  city jiangbei
  rows of the temporary table 0
  advisory locks held: 1
taken while the first transaction is open: [1]
taken in the end: [1, 1]
first, which listens: []
second, which sent it: ['come']
a third connection, after the others have been closed, sees
  city jiangbei
  rows of the temporary table 0
  advisory locks held: 1
TEXT
