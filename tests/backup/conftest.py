"""An installation of its own, which is put back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installations import Installation, Town, installation_on, reset_sandboxes


@pytest.fixture
def installation(
    database_url: str, template: str, tmp_path: Path, wechat_url: str, platform_url: str
) -> Iterator[Installation]:
    reset_sandboxes(wechat_url, platform_url)
    with installation_on(database_url, template, tmp_path / "installation", wechat_url, platform_url) as made:
        yield made


@pytest.fixture
def town(installation: Installation, wechat_url: str) -> Town:
    return Town(installation.start(leasing=True), wechat_url)
