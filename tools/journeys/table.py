"""What was counted, in after.json and before.json, and the tables of docs/explanation/journeys.md in both languages."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

_DOCS: Final = Path(__file__).parents[2] / "docs/explanation"
PAGES: Final = {"en": _DOCS / "journeys.md", "zh": _DOCS / "journeys.zh.md"}
_BEGIN, _END = "<!-- made by make journeys -->\n", "<!-- end -->\n"
_COLUMNS: Final = {
    "en": ("journey", "taps + fields", "swipes", "seconds", "before: taps + fields", "swipes", "seconds"),
    "zh": ("流程", "点按 + 填写", "滑动", "秒", "此前：点按 + 填写", "滑动", "秒"),
}
_WHO: Final = {
    "citizen": {"en": "### Citizens", "zh": "### 居民"},
    "inspector": {"en": "### Inspectors", "zh": "### 查验员"},
    "clerk": {"en": "### Clerks at a service window", "zh": "### 窗口工作人员"},
    "officer": {"en": "### Officers", "zh": "### 工作人员"},
    "operator": {"en": "### Operators", "zh": "### 运维人员"},
}
_NOT_POSSIBLE: Final = {"en": "not possible", "zh": "无法完成"}
_REQUESTS: Final = {"en": "requests", "zh": "次请求"}
_COMMANDS: Final = {"en": ("command", "commands"), "zh": ("条命令", "条命令")}


class Named(Protocol):
    """A journey, as the tables name it."""

    @property
    def slug(self) -> str: ...
    @property
    def who(self) -> str: ...
    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


def keep(build: str, checkout: Path, slug: str, result: Mapping[str, Any]) -> None:
    """Keep what was counted in a build, after or before, with its commit and the day."""
    kept = load(build)
    commit = subprocess.run(
        ["git", "-C", checkout, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    kept |= {"commit": commit, "walked": f"{datetime.now(UTC):%Y-%m-%d}"}
    kept["journeys"][slug] = result
    _file(build).write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write(journeys: Sequence[Named]) -> None:
    """Put the tables into their places in the pages; the words around them stay."""
    for language, page in PAGES.items():
        head, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
        tail = rest.partition(_END)[2]
        page.write_text(head + _BEGIN + tables(journeys, language) + "\n" + _END + tail, encoding="utf-8")


def tables(journeys: Sequence[Named], language: str) -> str:
    """Return a table for each kind of person, of what was counted today and before."""
    return "\n".join(_lines(journeys, language))


def _lines(journeys: Sequence[Named], language: str) -> Iterator[str]:
    after, before = (load(build)["journeys"] for build in ("after", "before"))
    for who, heading in _WHO.items():
        columns = _COLUMNS[language]
        yield f"{heading[language]}\n\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|"
        for journey in journeys:
            if journey.who == who:
                name = journey.en if language == "en" else journey.zh
                cells = (_cells(counted.get(journey.slug), language) for counted in (after, before))
                yield f"| {name} | {' | '.join(cells)} |"
        yield ""


def _cells(result: Mapping[str, Any] | None, language: str) -> str:
    """Return what was counted as three cells."""
    if result is None:
        return "| |"
    if "stuck" in result:
        return f"{_NOT_POSSIBLE[language]} | |"
    parts = []
    if "commands" in result:
        one, more = _COMMANDS[language]
        parts.append(f"{result['commands']} {one if result['commands'] == 1 else more}")
    taps, fields = result.get("taps", 0), result.get("fields", 0)
    if taps or not parts:
        parts.append(str(taps) + (f" ({result['calls']} {_REQUESTS[language]})" if result.get("calls") else ""))
    if fields:
        parts.append(str(fields))
    swipes = result.get("swipes", 0)
    return f"{' + '.join(parts)} | {swipes or ''} | {result['seconds']}"


def load(build: str) -> dict[str, Any]:
    """Return what was counted in a build, by journey."""
    file = _file(build)
    counted: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"journeys": {}}
    return counted


def _file(build: str) -> Path:
    return Path(__file__).with_name(f"{build}.json")
