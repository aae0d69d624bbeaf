"""The lamp or the relay: a command that is run with the action, a line written to a port, or standard output."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import serial

from station_bridge.bridge import Decision

_COMMAND_SECONDS: Final = 2.0


class Lamp:
    """Shows a decision. A lamp that does not work opens nothing, and is reported."""

    def __init__(self, command: Sequence[str] = (), port: str = "") -> None:
        self._command = list(command)
        self._port = port

    def show(self, decision: Decision) -> bool:
        """Show a decision; return False where the lamp did not take it."""
        try:
            if self._command:
                subprocess.run([*self._command, decision.action], timeout=_COMMAND_SECONDS, check=True)
            if self._port:
                self._write(decision.action)
        except (OSError, subprocess.SubprocessError):
            return False
        return True

    def _write(self, action: str) -> None:
        """Write the action as a line: to a serial port, or to a file or pipe."""
        if Path(self._port).is_char_device():
            with serial.Serial(self._port, 9600, write_timeout=1) as port:
                port.write(f"{action}\n".encode())
        else:
            with open(self._port, "a", encoding="ascii") as file:  # also a pipe
                file.write(f"{action}\n")


def print_decision(decision: Decision) -> None:
    """Print a decision for a screen, with the action first."""
    print(f"{decision.action}\t{decision.words}", file=sys.stdout, flush=True)  # noqa: T201
