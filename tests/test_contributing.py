"""What contributors are given works: hooks run the tools of this project, versions are named in one way."""

import json
import re
import tomllib
from pathlib import Path

import yaml
from flask.testing import FlaskClient

ROOT = Path(__file__).parent.parent
SECTIONS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def test_hooks_run_only_the_tools_of_the_project() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["id"] for hook in hooks} == {"ruff", "ruff-format", "mypy", "lint-imports"}
    tools = [hook["entry"].split()[0] for hook in hooks]
    assert all(hook["language"] == "system" for hook in hooks)
    checked = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(tool in checked for tool in tools), "a hook runs what make check runs"


def test_the_newest_version_of_the_changelog_is_that_of_the_package() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert versions[0] == "Unreleased"
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert versions[1] == package["version"]
    numbers = [tuple(map(int, version.split("."))) for version in versions[1:]]
    assert numbers == sorted(numbers, reverse=True)
    assert set(re.findall(r"^### (.+)$", changelog, re.MULTILINE)) <= set(SECTIONS)


def test_the_version_of_the_api_is_its_own(client: FlaskClient) -> None:
    document = json.loads(client.get("/openapi/openapi.json").data)
    assert document["info"]["version"].split(".")[0] == "1", "as in /api/v1"


def test_templates_of_issues_have_a_name_and_a_purpose() -> None:
    templates = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.md"))
    assert templates
    for template in templates:
        _, front, body = template.read_text(encoding="utf-8").split("---\n", 2)
        assert {"name", "about"} <= yaml.safe_load(front).keys()
        assert "**" in body
