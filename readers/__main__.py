"""Render codes of all states, read them with every decoder that installs here, and write docs/reference/readers.md."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from readers import pictures, table

HERE = Path(__file__).parent
PYTHON = ("pyzbar==0.1.9", "zxing-cpp==3.1.1", "opencv-contrib-python-headless==5.0.0.93", "pyquirc==0.2.0.post1")
NEEDED = ("pillow==13.0.0", "numpy==2.4.6")  # what these read pictures with
NODE = (
    "jsqr@1.4.0", "@zxing/library@0.23.0", "zxing-wasm@3.1.6", "@undecaf/zbar-wasm@0.11.0", "qr@0.7.0",
    "qr-scanner-wechat@0.1.3", "pngjs@7.0.0",
)  # fmt: skip
_MINUTES = 20


class Reading(NamedTuple):
    """What one decoder, of one version, made of one picture; None where it read nothing."""

    reader: str
    version: str
    file: str
    text: str | None


def _run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_MINUTES * 60)


def _install(folder: Path) -> Iterator[str]:
    """Install each decoder by itself; yield one line for each that does not install."""
    _run(sys.executable, "-m", "venv", "python", folder=folder).check_returncode()
    pip = folder / "python/bin/pip"
    _run(pip, "install", "-q", *NEEDED, folder=folder).check_returncode()
    for package in PYTHON:
        if _run(pip, "install", "-q", package, folder=folder).returncode:
            yield f"{package} does not install here"
    (folder / "package.json").write_text('{"private": true}')
    for package in NODE:
        if _run("npm", "install", "--no-audit", "--no-fund", package, folder=folder).returncode:
            yield f"{package} does not install here"


def _read(folder: Path, files: Path) -> Iterator[Reading]:
    for command in ((folder / "python/bin/python", HERE / "with_python.py"), ("node", HERE / "with_node.mjs")):
        done = _run(*command, files, folder=folder)
        done.check_returncode()
        for line in done.stdout.splitlines():
            yield Reading(**json.loads(line))


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make readers", description=__doc__)
    parser.add_argument("--tokens", type=int, default=20, help="codes of each look (20)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        folder, files = Path(place, "decoders"), Path(place, "pictures")
        folder.mkdir()
        files.mkdir()
        lacking = list(_install(folder))
        made = pictures.make(files, given.tokens)
        readings = list(_read(folder, files))
    table.write(made, readings, lacking)
    for line in lacking:
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
