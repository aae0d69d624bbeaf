"""Write the gettext catalog of click's own texts in Chinese from `[click]` of app/cli/language/zh.toml (`make texts`)."""

import struct
import tomllib
from itertools import accumulate
from pathlib import Path

TEXTS = Path(__file__).resolve().parents[1] / "app" / "cli" / "language"
CATALOG = TEXTS / "locale" / "zh" / "LC_MESSAGES" / "messages.mo"
HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=1; plural=0;\n"
MAGIC, TABLES = 0x950412DE, 28  # of the GNU .mo format; the tables of places follow seven numbers


def catalog(texts: dict[str, str | list[str]]) -> bytes:
    """Return a .mo file: every text with its Chinese; a list holds the plural and the Chinese."""
    messages = {"": HEADER}
    for english, chinese in texts.items():
        if isinstance(chinese, list):
            messages["\0".join((english, chinese[0]))] = chinese[1]
        else:
            messages[english] = chinese
    pairs = sorted((english.encode(), chinese.encode()) for english, chinese in messages.items())
    strings = [english for english, _ in pairs] + [chinese for _, chinese in pairs]
    first = TABLES + 8 * len(strings)
    places = accumulate((len(string) + 1 for string in strings), initial=first)
    table = b"".join(struct.pack("<II", len(string), place) for string, place in zip(strings, places, strict=False))
    head = struct.pack("<IIIIIII", MAGIC, 0, len(pairs), TABLES, TABLES + 8 * len(pairs), 0, first)
    return head + table + b"".join(string + b"\0" for string in strings)


def main() -> None:
    """Write the catalog."""
    texts = tomllib.loads((TEXTS / "zh.toml").read_text(encoding="utf-8"))["click"]
    CATALOG.parent.mkdir(parents=True, exist_ok=True)
    CATALOG.write_bytes(catalog(texts))


if __name__ == "__main__":
    main()
