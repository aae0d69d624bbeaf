"""The verifier in JavaScript: its own tests, and the page that verifies a pasted code in a browser."""

import subprocess
from pathlib import Path

import pytest

from tests.support.npm import installed

HOME = Path(__file__).parents[1]


@pytest.mark.slow
def test_its_own_tests_pass() -> None:
    tests = sorted(str(file) for file in (HOME / "tests").glob("*.test.js"))
    done = subprocess.run([installed(HOME), "--test", *tests], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout
