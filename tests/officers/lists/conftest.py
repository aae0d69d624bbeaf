"""Officers at the command line, who import lists."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from app.runtime import Services
from tests.support.lists import Import
from tests.support.terminal import APPROVER, RECORDER, Terminal, open_terminal


@pytest.fixture
def officers(services: Services, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A recorder and an approver, who are there already."""
    return open_terminal(services, monkeypatch, RECORDER, APPROVER)


@pytest.fixture
def import_list(officers: Terminal, tmp_path: Path) -> Import:
    """`jixiang evidence import` of a file with this content; options stand for what all lines share."""

    def run(
        content: str | bytes,
        *flags: str,
        officer: str = RECORDER,
        approver: str = APPROVER,
        env: Any = None,
        **options: str,
    ) -> Result:
        file = tmp_path / "list.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        words = ["evidence", "import", str(file)]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", value]
        return officers.run(*words, *flags, officer=officer, approver=approver, env=env or {})

    return run
