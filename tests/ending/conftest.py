"""An installation of its own, which is ended: what the end leaves behind would be in the way of every other test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.closing import Closing
from tests.support.installations import installation_on, reset_sandboxes


@pytest.fixture
def closing(database_url: str, template: str, tmp_path: Path, wechat_url: str, platform_url: str) -> Iterator[Closing]:
    reset_sandboxes(wechat_url, platform_url)
    with installation_on(database_url, template, tmp_path / "installation", wechat_url, platform_url) as installation:
        made = Closing(installation, wechat_url)
        yield made
        made.close()
