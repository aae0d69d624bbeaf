"""The file of a province, such as `province.toml`: names, languages, districts, menu and texts of its own."""

import re
import tomllib
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.core.errors import ConfigError

_OWN_FILE = Path(__file__).with_name("province.toml")
_BOTH = ("zh", "en")


def _in_both(words: dict[str, str]) -> dict[str, str]:
    missing = [language for language in _BOTH if not words.get(language, "").strip()]
    if missing:
        raise ValueError(f"must be in {' and '.join(missing)} too")
    return words


Words = Annotated[dict[str, str], AfterValidator(_in_both)]  # one text by language, Chinese and English at least


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(_Table):
    """What the province calls itself and its code; `_title` where English writes capitals."""

    code: Words
    code_title: Words = Field(alias="code-title")
    hall: Words
    hall_short: Words = Field(alias="hall-short")
    province: Words
    province_title: Words = Field(alias="province-title")


class Column(_Table):
    """A column of the home page: entries by their id in `app/wechat/menu.py`."""

    id: str = Field(pattern=r"^[a-z][a-z-]{0,30}$")
    title: Words | None = None
    entries: tuple[str, ...] = Field(min_length=1)


class Province(_Table):
    """The content of a file; its further languages and its pictures are in folders beside it."""

    file: Path
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...]
    names: Names
    districts: tuple[Words, ...] = Field(min_length=1)
    menu: tuple[Column, ...] = Field(min_length=1)
    texts: dict[str, dict[str, Words]] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> "Province":
        districts = self.district_names
        mistakes = [f"{language} must be among the languages" for language in _BOTH if language not in self.languages]
        mistakes += ["districts must have different Chinese names"] * (len(set(districts)) < len(districts))
        mistakes += [f"district {name} has more than 40 characters" for name in districts if len(name) > 40]
        mistakes += [
            f"language {code} has no file {file}" for code, file in self._language_files() if not file.is_file()
        ]
        mistakes += ["columns of the menu must have different ids"] * (len({c.id for c in self.menu}) < len(self.menu))
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    @cached_property
    def district_names(self) -> tuple[str, ...]:
        """The names that rows keep, in the order of the file."""
        return tuple(district["zh"] for district in self.districts)

    @cached_property
    def full_name(self) -> str:
        """The code's name in Chinese and English, for titles."""
        return f"{self.names.code_title['zh']} {self.names.code_title['en']}"

    def _language_files(self) -> list[tuple[str, Path]]:
        return [(language, self.text_file(language)) for language in self.languages if language not in _BOTH]

    def text_file(self, language: str) -> Path:
        """Return the file with the texts of a further language: the province's own, else that of this package."""
        own = self.file.parent / "languages" / f"{language}.toml"
        return own if own.is_file() else _OWN_FILE.parents[1] / "languages" / f"{language}.toml"

    def pictures(self, part: str, jilins: Path) -> Path:
        """Return the folder of pictures with names in them: the province's own `art/<part>`, else Jilin's.

        Raises ConfigError where they would say other names than the texts.
        """
        own = self.file.parent / "art" / part
        if own.is_dir() or not self._renamed:
            return own if own.is_dir() else jilins
        raise ConfigError(f"{own} is missing; make it: python -m tools.make_art --province {self.file}")

    def own_text(self, section: str, slug: str) -> dict[str, str] | None:
        """Return the province's own wording of a text, by language."""
        return self.texts.get(section, {}).get(slug)

    def rename(self, text: str, *languages: str) -> str:
        """Return a text in these languages with the names of this province in place of Jilin's."""
        names = {old: new for language in languages for old, new in self._renamed.get(language, {}).items()}
        if not names:
            return text
        longest_first = sorted(names, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda found: names[found[0]], text)

    @cached_property
    def _renamed(self) -> dict[str, dict[str, str]]:
        """What is read in place of each name of Jilin, by language; nothing for Jilin itself."""
        theirs, ours = _jilin().names, self.names
        renamed: dict[str, dict[str, str]] = {}
        for field in Names.model_fields:
            for language, old in getattr(theirs, field).items():
                new = getattr(ours, field)
                if old != (words := new.get(language, new["zh"])):
                    renamed.setdefault(language, {})[old] = words
        return renamed


@cache
def _jilin() -> Province:
    return read_province()


def read_province(file: Path | None = None) -> Province:
    """Return the province of a file. Raises ConfigError with every mistake, one a line, each with its place there."""
    file = file or _OWN_FILE
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read; check its name and mode: {error.strerror}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigError(f"{file} is not a TOML file; correct it: {error}") from None
    try:
        return Province.model_validate({**content, "file": file})
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, mistake['loc'])) or 'the file'}: {mistake['msg'].removeprefix('Value error, ')}"
            for mistake in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigError("\n".join(f"{file}: {line}" for line in lines)) from None
