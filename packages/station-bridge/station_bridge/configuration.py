"""The configuration of a box: one TOML file, with every mistake reported at once."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from station_bridge.inputs import CardReader, Input, KeyboardWedge, SerialScanner, SerialThermometer, StandardInput

_INPUTS: Final = {
    "serial": SerialScanner,
    "keyboard": KeyboardWedge,
    "card-reader": CardReader,
    "thermometer": SerialThermometer,
}
_ROOT: Final = re.compile("[A-Za-z0-9_-]{43}")
_KNOWN: Final = {"trust_root", "server", "device", "key_file", "directory", "language", "inputs", "lamp", "bus"}


class Misconfigured(Exception):
    """The configuration has mistakes; the text has one line for each."""


@dataclass(frozen=True)
class Bus:
    """Of a device that has network for `window_seconds` in each `every_seconds` alone."""

    window_seconds: float = 2.0
    every_seconds: float = 60.0


@dataclass(frozen=True)
class Configuration:
    """What a box is configured for."""

    server: str
    device: int
    key_file: Path
    directory: Path
    language: str = "zh"
    inputs: list[Input] = field(default_factory=list)
    lamp_command: list[str] = field(default_factory=list)
    lamp_port: str = ""
    bus: Bus | None = None
    trust_root: str = ""


def read_configuration(file: Path) -> Configuration:
    """Return the configuration in a file. Raises Misconfigured with all that is wrong."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{file}: {error}") from None
    wrong = [f"{name}: no such setting" for name in given if name not in _KNOWN]
    wrong += [f"{name}: is required" for name in ("server", "device", "key_file") if name not in given]
    if not str(given.get("server", "https://")).startswith(("https://", "http://127.0.0.1", "http://localhost")):
        wrong.append("server: must begin with https://")
    if not isinstance(given.get("device", 0), int):
        wrong.append("device: the number of the device, as `jixiang device add` said")
    if not _ROOT.fullmatch(str(given.get("trust_root", "A" * 43))):
        wrong.append("trust_root: the public root key of trust lists, 43 characters, as trust.root of the installation")
    inputs = list(_inputs(given.get("inputs", []), wrong))
    if wrong:
        raise Misconfigured("\n".join(wrong))
    return _configuration(file.parent, given, inputs)


def _configuration(beside: Path, given: Mapping[str, Any], inputs: list[Input]) -> Configuration:
    lamp = given.get("lamp", {})
    return Configuration(
        server=given["server"],
        device=given["device"],
        key_file=beside / given["key_file"],
        directory=beside / given.get("directory", "."),
        language=given.get("language", "zh"),
        inputs=inputs,
        lamp_command=list(lamp.get("command", [])),
        lamp_port=str(lamp.get("port", "")),
        bus=Bus(**given["bus"]) if "bus" in given else None,
        trust_root=given.get("trust_root", ""),
    )


def _inputs(given: list[Mapping[str, Any]], wrong: list[str]) -> Any:
    for number, one in enumerate(given):
        kind = one.get("kind")
        if kind == "stdin":
            yield StandardInput()
        elif kind not in _INPUTS or "port" not in one:
            wrong.append(f"inputs[{number}]: needs kind (stdin, {', '.join(_INPUTS)}) and port")
        elif "baud" in one and kind != "keyboard":
            yield _INPUTS[kind](one["port"], one["baud"])
        else:
            yield _INPUTS[kind](one["port"])
