#!/usr/bin/env bash
# pytest 9.2.0
#
# A test of a known bug is marked xfail(strict=True): it must fail as long as the bug is there. Its cases become
# subtests (the `subtests` fixture), and all of them fail.
# Guess: the test is xfailed as before, since all that it checks fails.
# Really: each failing subtest is xfailed, and then the test itself is FAILED with [XPASS(strict)]: its body came to its
#   end, and subtests that are xfailed do not count as failures of it. So a strict xfail whose failures are all
#   in subtests cannot be green: with the bug there the test is red, with the bug mended it is red as well. An unmarked
#   test with the same subtests does fail for "contains 2 failed subtests". The same with pytest-xdist 3.8.0,
#   which also changes the name of each subtest: (color='red') becomes (color="'red'").
# Why it matters: a suite in strict mode (strict = true) keeps known bugs as strict xfails; turning the cases of
#   the rules of a health code into subtests makes the run red with a message that says the bug is gone. And a list of
#   expected failures that was made in one process matches nothing in a parallel run.
set -euo pipefail
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pytest==9.2.0 pytest-xdist==3.8.0
cd "$folder"
cat > test_bug.py <<'PY'
import pytest

known_bug = pytest.mark.xfail(strict=True, reason="known bug")


@known_bug
def test_plain():
    for color in ("yellow", "red"):
        assert color == "green"


@known_bug
def test_in_subtests(subtests):
    for color in ("yellow", "red"):
        with subtests.test(color=color):
            assert color == "green"


@known_bug
def test_mended(subtests):
    for color in ("green", "green"):
        with subtests.test(color=color):
            assert color == "green"


def test_unmarked(subtests):
    for color in ("yellow", "red"):
        with subtests.test(color=color):
            assert color == "green"
PY
export COLUMNS=120
for workers in 0 2; do
    q=$([ "$workers" = 0 ] || echo '"') # a subtest goes by another name under xdist
    echo "-- with $workers workers of pytest-xdist"
    "$folder/venv/bin/pytest" -q -n "$workers" -p no:cacheprovider --tb=no -rA test_bug.py >out || true
    grep -E '^(FAILED|XFAIL|SUBXFAIL)' out | sort | tee seen
    diff - seen <<EXPECTED || { echo "changed"; exit 1; }
FAILED test_bug.py::test_in_subtests - [XPASS(strict)] known bug
FAILED test_bug.py::test_mended - [XPASS(strict)] known bug
FAILED test_bug.py::test_unmarked - contains 2 failed subtests
SUBXFAIL(color=${q}'red'${q}) test_bug.py::test_in_subtests - known bug
SUBXFAIL(color=${q}'yellow'${q}) test_bug.py::test_in_subtests - known bug
XFAIL test_bug.py::test_plain - known bug
EXPECTED
done
