"""The suite itself: no test module is a library of another, and what tests share is as good as new."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import create_app
from app.runtime import Services
from tests.support.apps import Apps

ROOT = Path(__file__).parents[1]
_IMPORTS_A_TEST = re.compile(r"^\s*(?:from|import)\s+(tests(?:\.\w+)*\.(?:test_\w+|conftest))\b", re.MULTILINE)


def test_no_test_module_is_imported_by_another() -> None:
    """What two of them need is in tests/support, also for the scripts that tests start as processes."""
    files = [file for folder in ("tests", "tools", "bench") for file in (ROOT / folder).rglob("*.py")]
    found = {file.relative_to(ROOT): _IMPORTS_A_TEST.findall(file.read_text(encoding="utf-8")) for file in files}
    assert {str(file): names for file, names in found.items() if names} == {}
    assert len(files) > 100


def test_a_shared_application_is_made_anew_after_a_test_has_made_its_own(services: Services) -> None:
    apps = Apps()
    shared = apps.of("shared", services)
    assert apps.of("shared", services) is shared
    create_app(services)  # from now on the limiter counts where this one says
    assert apps.of("shared", services) is not shared


_TESTS = """
import os, time, pytest

@pytest.mark.parametrize("number", range(6))
def test_one(number):
    time.sleep(0.1)
    with open(__file__ + ".seen", "a") as seen:
        seen.write(f"{os.getpid()}\\n")
"""
_PLUGIN = """
from tests.support.together import Together

def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)
"""


@pytest.mark.slow
def test_what_shares_a_running_system_is_done_by_one_process_of_a_run(tmp_path: Path) -> None:
    tests = [tmp_path / "tests" / f"test_{name}.py" for name in ("run", "bench", "others")]
    tests[0].parent.mkdir()
    for file in tests:
        file.write_text(_TESTS)
    (tmp_path / "gives_out.py").write_text(_PLUGIN)
    command = [sys.executable, "-m", "pytest", "-p", "gives_out", "-n", "2", "--import-mode=importlib", "tests"]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [file.with_suffix(".py.seen").read_text().split() for file in tests]
    assert [(len(processes), len(set(processes))) for processes in seen] == [(6, 1), (6, 1), (6, 2)]
