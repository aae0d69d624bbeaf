#!/usr/bin/env bash
# pytest-xdist 3.8.0, pytest 9.2.0
#
# Tests that share something that takes long to start are marked xdist_group("system") and run with --dist loadgroup.
# Guess: one worker gets all tests of the group, as the documentation says, so a session fixture is made once.
# Really: with pytest 9.2.0 the mark does nothing: the tests of the group go to every worker like any others, and each
#   of them makes the fixture. xdist writes the name of the group into item._nodeid, an attribute that pytest 9.1.1
#   still reads and 9.2.0 does not. Nothing warns, and every test passes. pytest 9.1.1 with the same xdist groups.
# Why it matters: a suite whose group is a whole running system (PostgreSQL, web, worker, a browser) started it on each
#   worker, and took minutes longer after an upgrade of pytest alone. Where the group keeps tests apart that must not
#   run at once, they now do. Way around: the hook pytest_xdist_make_scheduler with a LoadScopeScheduling whose
#   _split_scope names the group.
set -euo pipefail
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > test_group.py <<'PY'
import os
import time

import pytest


@pytest.mark.xdist_group("system")
@pytest.mark.parametrize("number", range(6))
def test_one(number):
    time.sleep(0.2)
    with open("seen", "a") as seen:
        seen.write(f"{os.environ['PYTEST_XDIST_WORKER']}\n")
PY
for version in 9.1.1 9.2.0; do
    python3 -m venv "venv-$version"
    "venv-$version/bin/pip" install -q "pytest==$version" pytest-xdist==3.8.0
    rm -f seen
    "venv-$version/bin/pytest" -q -n 2 --dist loadgroup -p no:cacheprovider test_group.py >out || { cat out; exit 1; }
    echo "pytest $version: $(sort seen | uniq -c | tr -s ' \n' ' ')"
    workers=$(sort -u seen | wc -l)
    [ "$workers" -eq "$([ "$version" = 9.2.0 ] && echo 2 || echo 1)" ] || { echo "changed"; exit 1; }
done
