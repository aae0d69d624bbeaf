"""The npm packages that a folder pins, installed once, whoever of a run's processes asks first."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline")


def installed(home: Path) -> str:
    """Install what a folder's lock file pins, where that is not done yet; returns Node. Skips the test without Node."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip(f"nothing of {home.name} was tried: install Node 20.19 or later with npm")
    pins, modules = (home / "package-lock.json").read_bytes(), home / "node_modules"
    modules.mkdir(exist_ok=True)
    stamp = home / "node_modules" / ".installed-pins"
    with (home / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_bytes() != pins:
            done = subprocess.run(["npm", "ci", *_OPTIONS], cwd=home, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
            stamp.write_bytes(pins)
    return node
