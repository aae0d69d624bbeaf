"""A command that asks and gets no answer: one line that says what to do, and a non-zero exit."""

import pytest
from click.testing import CliRunner

from app.cli import main
from app.runtime import Services

LOCALES = [("C.UTF-8", "Run it in a terminal"), ("zh_CN.UTF-8", "请在终端中运行")]


@pytest.mark.parametrize(("locale", "sentence"), LOCALES)
def test_an_input_that_ends_at_a_question_is_refused_in_one_line(
    services: Services, monkeypatch: pytest.MonkeyPatch, locale: str, sentence: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    asked = CliRunner().invoke(main, ["evidence", "record"], input="")
    assert (asked.exit_code, len(asked.stderr.strip().splitlines())) == (1, 1)
    assert sentence in asked.stderr
