"""What the documents say is so: commands exist, links lead somewhere, examples are valid."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.citizens.documents import DocumentType, normalize
from app.citizens.models import Account
from app.cli import base, main
from app.codes.states import State
from app.runtime import Services
from app.staff import totp
from devstack import cli as dev
from devstack.officers import SECRET, make_demo_officers
from devstack.people import PASSWORD, make_demo_people
from platform_sandbox import cli as platform_sandbox
from sms_sandbox import cli as sms_sandbox
from wechat_sandbox import cli as wechat_sandbox

ROOT = Path(__file__).parents[1]
ACTS = ("record", "approve")
TODAY = "2020-03-20"  # of the clock that stands still
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTS += [*sorted((ROOT / "packages").glob("*/README.md")), ROOT / "miniprogram_stub/README.md"]


def _code_blocks(text: str) -> str:
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    return blocks.replace("\\\n", " ").replace("$(TZ=Asia/Shanghai date +%F)", TODAY)


PROGRAMS: dict[str, click.Command] = {
    "jixiang": main,
    "jixiang-dev": dev.main,
    "wechat-sandbox": wechat_sandbox.main,
    "platform-sandbox": platform_sandbox.main,
    "sms-sandbox": sms_sandbox.main,
}


def _commands() -> list[list[str]]:
    """Every `jixiang …` of the code blocks, as words."""
    return [words[1:] for words in _commands_with_program() if words[0] == "jixiang"]


def _commands_with_program() -> list[list[str]]:
    """Every command of the code blocks that begins with one of our programs, as words, once."""
    found = []
    for document in DOCUMENTS:
        for line in _code_blocks(document.read_text()).splitlines():
            words = shlex.split(line, comments=True)
            program = words[0].rpartition("/")[2] if words else ""
            command = [program, *takewhile(lambda word: word != "<", words[1:])]
            if program in PROGRAMS and command not in found:
                found.append(command)
    return found


@pytest.mark.parametrize("words", _commands_with_program(), ids=" ".join)
def test_every_command_of_the_documents_is_one_with_its_options(words: list[str]) -> None:
    command = PROGRAMS[words.pop(0)]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    for option in command.params:  # what a person is asked for
        if getattr(option, "prompt", None) and option.opts[0] not in words:
            words += [option.opts[0], "answer"]
    if "--help" not in words:
        command.make_context("jixiang", words, help_option_names=["-h", "--help"])  # click keeps the first it is told


TRANSLATED = {
    str(page.relative_to(ROOT)).replace(".zh.md", ".md"): str(page.relative_to(ROOT))
    for page in DOCUMENTS
    if page.name.endswith(".zh.md")
}


class InStep(NamedTuple):
    """What a document and its translation have in common."""

    commands: list[str]
    examples: list[str]  # lines of code without their comments
    links: set[str]
    names: set[str]
    sections: int


def _in_step(name: str) -> InStep:
    text = (ROOT / name).read_text(encoding="utf-8")
    commands = [" ".join(shlex.split(line, comments=True)) for line in _code_blocks(text).splitlines()]
    blocks = re.findall(r"```(?:toml|python)\n(.*?)```", text, re.DOTALL)
    examples = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    links = re.findall(r"\]\(([^)]+)\)", text)
    names = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return InStep(
        commands,
        [line for line in examples if line],
        {re.sub("#.*", "#", link.replace(".zh.md", ".md")) for link in links},
        {" ".join(name.split()) for name in names},
        text.count("\n## "),
    )


def test_what_a_newcomer_reads_first_is_there_in_chinese() -> None:
    guides = {f"docs/how-to/{name}.md" for name in ("add-an-officer-role", "change-a-rule-or-threshold")}
    guides |= {"docs/how-to/operations.md", "docs/how-to/test-a-callback.md", "docs/explanation/architecture.md"}
    assert set(TRANSLATED) >= {"README.md", *guides}


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_has_the_commands_links_and_names_of_its_original(name: str) -> None:
    assert _in_step(TRANSLATED[name]) == _in_step(name)


def _leaves(command: click.Command, path: str) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield path
        return
    for name, inner in command.commands.items():
        yield from _leaves(inner, f"{path} {name}")


def test_the_page_of_commands_lists_them_all() -> None:
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"`((?:jixiang|jixiang-dev|wechat-sandbox|platform-sandbox|sms-sandbox)(?: [\w-]+)*)`",
        page.partition("\n| ")[2],
    )
    assert sorted(listed) == sorted(leaf for name, program in PROGRAMS.items() for leaf in _leaves(program, name))


def test_every_make_target_of_the_readme_is_there_and_says_what_it_does() -> None:
    targets = set(re.findall(r"^([\w-]+):.*## \S", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([\w-]+)", (ROOT / "README.md").read_text()))
    run_by_ci = set(re.findall(r"^make (\w+)", (ROOT / ".ci/run").read_text(), re.MULTILINE))
    assert {"run", "demo", "test"} | run_by_ci <= named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_or_section_that_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= {_anchor(heading) for heading in headings}


def _anchor(heading: str) -> str:
    """The name that GitHub gives to a heading."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def test_every_file_and_folder_that_the_documents_name_is_there() -> None:
    names = set()
    for document in DOCUMENTS:
        names |= set(re.findall(r"`((?:app|docs|packages|tests|tools)/[\w./-]+)`", document.read_text()))
    assert names
    assert [name for name in sorted(names) if not (ROOT / name).exists()] == []


def test_every_document_that_the_code_names_is_there() -> None:
    sources = [
        file for folder in ("app", "bench", "packages", "tests", "tools") for file in (ROOT / folder).rglob("*.py")
    ]
    named = {(file, name) for file in sources for name in re.findall(r"\bdocs/[\w./-]+\.md\b", file.read_text())}
    assert len(named) > 10
    assert [f"{file.relative_to(ROOT)}: {name}" for file, name in named if not (ROOT / name).exists()] == []


def test_the_document_number_of_the_readme_is_valid() -> None:
    assert normalize(DocumentType.ID_CARD, _number(), date(2026, 1, 1)) == _number()


def _number() -> str:
    """The invented number that the README offers."""
    number = re.search(r"`(\d{17}[\dX])`", (ROOT / "README.md").read_text())
    assert number is not None
    return number[1]


def test_the_officers_of_the_readme_turn_demo_green_orange(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    make_demo_people(services)
    make_demo_officers(services)
    monkeypatch.setattr(base, "services", lambda: replace(services, real_clock=services.clock))
    recorded, approved = (next(words for words in _commands() if words[:2] == ["evidence", act]) for act in ACTS)
    proof = f"{PASSWORD}\n{totp.code_at(SECRET, services.clock.now())}\n"
    assert CliRunner().invoke(main, recorded, input=f"{_number()}\n{proof}").exit_code == 0
    done = CliRunner().invoke(main, approved, input=f"{proof}y\n")
    assert done.output.splitlines()[-1] == "Entry 1 is in effect: 1 people."
    with services.sessions() as session:
        serial = session.scalars(select(Account.serial).filter_by(username="demo-green")).one()
    assert services.current_code(serial).record.state == State.ORANGE


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_every_command_explains_itself(program: click.Command) -> None:
    def walk(command: click.Command, path: list[str]) -> None:
        result = CliRunner().invoke(program, [*path, "--help"])
        assert result.exit_code == 0, path
        assert command.help, path
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, [*path, name])

    walk(program, [])


def test_the_lock_files_hold_hashes_and_no_addresses() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text()
        assert "://" not in text
        pins = re.findall(r"^[\w.-]+==", text, re.MULTILINE)
        assert len(pins) > 30 or (lock.name, len(pins)) == ("requirements-helm.lock", 1)
        assert text.count("--hash=sha256:") >= len(pins)


def test_what_runs_is_pinned_alike_for_those_who_work_on_it() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[\w.-]+==[^\s;]+", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_the_pieces_that_the_owner_fixed_are_there() -> None:
    for name in ("app/wechat", "app/codes", "app/rules", "miniprogram_stub", "config.example.toml", "pyproject.toml"):
        assert (ROOT / name).exists(), name
