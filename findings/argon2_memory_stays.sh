#!/usr/bin/env bash
# argon2-cffi 25.1.0, on Linux with glibc
#
# A process hashes passwords with OWASP's second profile, 19 MiB each, a few times and then never again.
# Guess: the memory of a hash is given back when it is done: it is far above the 128 KiB from which malloc maps pages.
# Really: the first is given back, and raises glibc's own bound to its size; each later one comes from the heap, which
#   keeps as much, up to twice of it, for ever. With the bound fixed (mallopt M_MMAP_THRESHOLD) nothing stays.
# Why it matters: every process of a server that has logged two people in is 19 MiB larger: with eight of them more than
#   everything else that they do not share. It looks like a leak and is none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q argon2-cffi==25.1.0
cat > "$folder/hash.py" <<'PY'
import ctypes
import sys

import argon2

if "fixed" in sys.argv:
    ctypes.CDLL(None).mallopt(-3, 1_048_576)
hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def mib():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20


before, grown = mib(), []
for _ in range(4):
    hasher.hash("an invented password")
    grown.append(round(mib() - before))
print("fixed  " if "fixed" in sys.argv else "default", "MiB more after each hash:", *grown)
fixed, growth = "fixed" in sys.argv, grown[-1]
raise SystemExit(not (growth < 5 if fixed else growth > 15))
PY
"$folder/venv/bin/python" "$folder/hash.py"
"$folder/venv/bin/python" "$folder/hash.py" fixed
