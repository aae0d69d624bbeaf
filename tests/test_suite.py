"""The suite itself: no test module is a library of another, and what tests share is as good as new."""

import re
from pathlib import Path

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
