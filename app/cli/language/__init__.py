"""The language of the command line, by locale: Chinese texts in zh.toml, and commands with Chinese help."""

from app.cli.language.commands import in_chinese
from app.cli.language.texts import add_texts, choose_catalog, language, translate, translate_callback

__all__ = ["add_texts", "choose_catalog", "in_chinese", "language", "translate", "translate_callback"]
