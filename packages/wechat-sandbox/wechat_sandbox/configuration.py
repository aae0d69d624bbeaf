"""The configuration file of the sandbox: TOML, checked at once.

Owns names, types and defaults. README.md explains every key.
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wechat_sandbox.state import OfficialAccount, PushSettings, Template

_DEFAULT = Path(__file__).with_name("default.toml")


class ConfigurationError(Exception):
    """The file cannot be used; the message says why, one mistake a line."""


class Configuration(BaseModel):
    """Every setting. The secrets protect nothing but a sandbox, so the file holds them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    appid: str = ""
    secret: str = Field(default="", repr=False)
    state_file: Path | None = None
    with_unionid: bool = False
    pages: tuple[str, ...] = Field(min_length=1)
    templates: dict[str, Template]
    push: PushSettings | None = None
    official: OfficialAccount | None = None


def load_configuration(file: Path | None = None) -> Configuration:
    """The file's settings, over the defaults. Raises ConfigurationError with every mistake."""
    given = {**_read(_DEFAULT), **(_read(file) if file else {})}
    try:
        return Configuration.model_validate(given)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg'].removeprefix('Value error, ')}"
            for mistake in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError(f"配置有误 {file} has mistakes:\n  " + "\n  ".join(lines)) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"无法读取 {file} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # of the TOML parser, with line and column, and of the decoder
        raise ConfigurationError(f"不是有效的 TOML {file} is not valid TOML: {error}") from None
