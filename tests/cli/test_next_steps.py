"""No refusal of a command is a dead end: each says in one line what is wrong, and what to do about it."""

import re
import tomllib

import pytest
from click.testing import CliRunner

from app.cli import base, main
from app.core.texts import text
from app.runtime import Services
from tests.support import cli_texts

ZH = tomllib.loads((cli_texts.ROOT / "app/cli/language/zh.toml").read_text(encoding="utf-8"))["texts"]
# how a sentence begins, or goes on after a mark, that asks for something
_ASKS = re.compile(
    r"(?:^|[;:,.] |\bor )(?:add|ask|check|choose|copy|correct|fetch|give|grant|import|install|make|migrate|name|put|"
    r"read|restore|run|set|stop|take|use|write)\b|\bmust\b",
    re.IGNORECASE,
)


def test_every_refusal_says_in_both_languages_what_to_do() -> None:
    refusals = {*cli_texts.refusals("app")}
    assert len(refusals) > 90
    assert [text for text in refusals if not _ASKS.search(text)] == [], "say what to do, as in `…; name another file.`"
    assert [ZH[text] for text in refusals if not re.search("[请须]", ZH[text])] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refusal_of_the_domain_says_what_to_do_in_the_same_line(
    language: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "services", lambda: services)
    environment = {"LC_ALL": f"{language}_XX.UTF-8", "LANGUAGE": None}
    done = CliRunner().invoke(main, ["officers", "disable", "--username", "nobody"], env=environment)
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert text("problems", "officer-not-found", language) in done.output
    assert done.output.rstrip().endswith(text("next-steps", "officer-not-found", language))
