"""Settings that have been renamed or removed. An old name is accepted for one release, with a warning.

To rename a setting, add a line to RENAMED; to remove one, or a whole section, add it to REMOVED with what takes its
place. Both work for the file and for the environment. The lines are dropped with the release after the next.
"""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import structlog

PREFIX, LEVELS = "JIXIANG_", "__"  # of names in the environment

RENAMED: dict[str, str] = {
    "web.at_a_time": "web.max_concurrency",
    "tokens.life_seconds": "tokens.lifetime_seconds",
    "limits.login_per_account_anywhere": "limits.login_per_account_global",
    "wechat.callbacks.also_plain": "wechat.callbacks.allow_plaintext",
    "wechat.callbacks.keep_days": "wechat.callbacks.retention_days",
    "wechat.callbacks.capture_days": "wechat.callbacks.capture_retention_days",
    "platform.pause_seconds": "platform.circuit_open_seconds",
}
# a section or a setting -> where it went, in English and in Chinese
REMOVED: dict[str, tuple[str, str]] = {
    "sandbox": (
        "The sandboxes are packages of their own and take options: packages/wechat-sandbox/README.md.",
        "沙箱已成为独立的软件包，改用各自的命令行选项：packages/wechat-sandbox/README.md。",
    ),
}

log = structlog.get_logger()


class Outdated(NamedTuple):
    """An old name in use, as it is written there; `new` is None for a setting that was removed."""

    old: str
    new: str | None
    english: str
    chinese: str

    def __str__(self) -> str:
        return f"{self.english} {self.chinese}"


def with_new_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values under the new names. An old name beside the new one stays, and so is refused as unknown."""
    renamed = _copy(values)
    for old, new in RENAMED.items():
        if _has(renamed, old) and not _has(renamed, new):
            _put(renamed, new, _take(renamed, old))
    for old in REMOVED:
        if _has(renamed, old):
            _take(renamed, old)
    return renamed


def given() -> list[Outdated]:
    """Return the old names in the configuration file and in the environment; none of an unreadable file."""
    try:
        file = tomllib.loads(Path(os.environ.get("JIXIANG_CONFIG", "config.toml")).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        file = {}
    return [*_in_file(file), *_in_environment(os.environ)]


def log_given() -> None:
    """Log each old name in use, once a process."""
    for outdated in given():
        log.warning("setting-outdated", old=outdated.old, new=outdated.new)


def is_removed(environment_name: str) -> bool:
    """Return whether a name in the environment is that of a removed setting."""
    return any(_is_under(environment_name, old) for old in REMOVED)


def both_given(name: str) -> str | None:
    """Return the error of a setting that has both its old and its new name; None for any other name."""
    if name not in RENAMED:
        return None
    new = RENAMED[name]
    return f"is the old name of {new}, which is given too: keep {new} alone. 新旧名称同时出现，请只保留 {new}。"


def _in_file(values: Mapping[str, Any]) -> Iterator[Outdated]:
    for old, new in RENAMED.items():
        if _has(values, old):
            yield _renamed(old, new)
    for old, went in REMOVED.items():
        if _has(values, old):
            yield _removed(old, went)


def _in_environment(names: Iterable[str]) -> Iterator[Outdated]:
    new_names = {_environment_name(old): _environment_name(new) for old, new in RENAMED.items()}
    for name in sorted(names):
        if name.upper() in new_names:
            yield _renamed(name, new_names[name.upper()])
        yield from (_removed(name, went) for old, went in REMOVED.items() if _is_under(name, old))


def _renamed(old: str, new: str) -> Outdated:
    english = f"The setting {old} is now called {new}; the next release does not accept the old name."
    return Outdated(old, new, english, f"配置项 {old} 已更名为 {new}，下一版本不再接受旧名。")


def _removed(old: str, went: tuple[str, str]) -> Outdated:
    english = f"The setting {old} has no effect any more: {went[0]} The next release does not accept it."
    return Outdated(old, None, english, f"配置项 {old} 已不再使用：{went[1]}下一版本不再接受。")


# --- names as paths: "wechat.callbacks.keep_days" is JIXIANG_WECHAT__CALLBACKS__KEEP_DAYS in the environment


def _environment_name(path: str) -> str:
    return PREFIX + path.replace(".", LEVELS).upper()


def _is_under(environment_name: str, path: str) -> bool:
    whole = _environment_name(path)
    return environment_name.upper() == whole or environment_name.upper().startswith(whole + LEVELS)


def _copy(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copy(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def _has(values: Mapping[str, Any], path: str) -> bool:
    section: Any = values
    for name in path.split("."):
        if not isinstance(section, Mapping) or name not in section:
            return False
        section = section[name]
    return True


def _take(values: dict[str, Any], path: str) -> Any:
    *sections, name = path.split(".")
    for section in sections:
        values = values[section]
    return values.pop(name)


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *sections, name = path.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[name] = value
