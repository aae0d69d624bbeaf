"""Make the mini-program of another province: `python -m tools.make_miniprogram PROVINCE_FILE FOLDER`.

Copies `miniprogram_stub/` into a new folder, with the names, districts and languages of a `province.toml`. A further
language of the province has its words in `languages/<code>.js` beside the file, as the mini-program has Korean.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

from app.core.errors import ConfigError
from app.core.province.file import Province, read_province

SOURCE = Path(__file__).parents[1] / "miniprogram_stub"
_LEFT_OUT = shutil.ignore_patterns("node_modules", "tests", "miniprogram_npm")
_WITH_NAMES = {".js", ".json", ".wxml"}
_OWN = ("zh", "en")  # languages that are in the program itself
_ADDED = re.compile(r"const ADDED = \{.*?\};")


def make_miniprogram(file: Path, folder: Path) -> None:
    """Make the mini-program of a province. Raises ConfigError, with nothing made, for what is wrong or missing."""
    here = read_province(file)
    words = {language: _words_of(here, language) for language in here.languages if language not in _OWN}
    missing = [f"{file.parent / 'languages' / language}.js is missing" for language, at in words.items() if at is None]
    if folder.exists():
        missing.append(f"{folder} exists; name a new folder")
    if missing:
        raise ConfigError("\n".join(missing))
    shutil.copytree(SOURCE, folder, ignore=_LEFT_OUT)
    shutil.rmtree(folder / "languages")
    (folder / "languages").mkdir()
    for at in filter(None, words.values()):
        shutil.copy(at, folder / "languages" / at.name)
    for part in (part for part in folder.rglob("*") if part.suffix in _WITH_NAMES):
        part.write_text(here.rename(part.read_text(encoding="utf-8"), *here.languages), encoding="utf-8")
    _write_districts(here, folder / "utils" / "districts.js")
    _name_languages(list(words), folder / "utils" / "languages.js")


def _words_of(here: Province, language: str) -> Path | None:
    """Return the file with the words of a further language: the province's own, else the mini-program's."""
    files = (home / "languages" / f"{language}.js" for home in (here.file.parent, SOURCE))
    return next((at for at in files if at.is_file()), None)


def _write_districts(here: Province, at: Path) -> None:
    head = at.read_text(encoding="utf-8").splitlines()[0]
    named = {code: [district.get(code, district["zh"]) for district in here.districts] for code in here.languages}
    at.write_text(f"{head}\nmodule.exports = {json.dumps(named, ensure_ascii=False, indent=2)};\n", encoding="utf-8")


def _name_languages(languages: list[str], at: Path) -> None:
    added = ", ".join(f"{language}: require('../languages/{language}.js')" for language in languages)
    content, found = _ADDED.subn(f"const ADDED = {{ {added} }};", at.read_text(encoding="utf-8"))
    assert found == 1, f"{at} names its languages in another way"
    at.write_text(content, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="PROVINCE_FILE")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    try:
        make_miniprogram(given.file, given.folder)
    except ConfigError as error:
        sys.exit(str(error))
    print(f"{given.folder} is the mini-program; set the address in its config.js, and open it in WeChat DevTools.")


if __name__ == "__main__":
    main()
