"""Clients of the national platform: whose answers are made up, and of a server nearby."""

import contextlib
from collections.abc import Iterator

import pytest
import responses

from app.platform.client import PlatformClient
from tests.support.platform import own_client
from tests.support.platform_client import APP_KEY, BASE, SECRET, Host, seconds


@pytest.fixture
def rsps() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def platform() -> Iterator[PlatformClient]:
    client = own_client(BASE, APP_KEY, SECRET, 1.0, seconds=seconds, nonce=lambda: "n-1")
    with contextlib.closing(client):
        yield client


@pytest.fixture
def host() -> Iterator[Host]:
    with contextlib.closing(Host()) as host:
        yield host


@pytest.fixture
def near(host: Host) -> Iterator[PlatformClient]:
    """A client of that host, with a short time-out."""
    with contextlib.closing(own_client(host.url, APP_KEY, SECRET, 0.2)) as client:
        yield client
