"""The commands in Chinese: copies of them, with Chinese help and prompts, wrapped by the width of the characters."""

import unicodedata
from collections.abc import Iterable
from copy import copy

import click

from app.cli.language.texts import translate

_FILLER = "\u200b"  # counts as a character while lines are wrapped, and is taken out again


class _WideFormatter(click.HelpFormatter):
    """A formatter for which a Chinese character takes two columns, as on the terminal; click counts one."""

    def write_text(self, text: str) -> None:
        super().write_text(_fill(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(term, _fill(text)) for term, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        return super().getvalue().replace(_FILLER, "")


class _WideContext(click.Context):
    formatter_class = _WideFormatter


def in_chinese(command: click.Command) -> click.Command:
    """Return a copy of a command, and of those below it, whose help and prompts are Chinese."""
    copied = copy(command)
    copied.context_class = _WideContext
    copied.help = _paragraphs(command.help)
    copied.short_help = (copied.help or "").partition("\n")[0].partition("；")[0].rstrip("。")
    copied.params = [_parameter(parameter) for parameter in command.params]
    if copied.add_help_option:  # click keeps the one that it adds by itself, in the language of the first call
        copied.add_help_option = False
        copied = click.help_option()(copied)
    if isinstance(copied, click.Group):
        copied.commands = {name: in_chinese(one) for name, one in copied.commands.items()}
    return copied


def _parameter(parameter: click.Parameter) -> click.Parameter:
    copied = copy(parameter)
    if isinstance(copied, click.Option):
        copied.help = _paragraphs(copied.help)
        copied.prompt = copied.prompt and translate(copied.prompt)
    return copied


def _paragraphs(words: str | None) -> str | None:
    """Return a help text in Chinese, paragraph by paragraph; its line breaks have no meaning."""
    return words and "\n\n".join(translate(" ".join(paragraph.split())) for paragraph in words.split("\n\n"))


def _fill(text: str) -> str:
    return "".join(one + _FILLER * (unicodedata.east_asian_width(one) in "WF") for one in text)
