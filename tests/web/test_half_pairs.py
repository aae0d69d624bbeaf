"""Half a surrogate pair in a log-in, which JSON can carry and UTF-8 cannot, is refused as any wrong word is."""

import pytest
from flask.testing import FlaskClient

BODY = rb'{"username": "\ud800", "password": "\ud800"}'


@pytest.mark.parametrize("path", ["/console/login", "/api/v1/accounts/login", "/api/v1/stations/login"])
def test_half_a_pair_is_no_error_of_ours(client: FlaskClient, path: str) -> None:
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    for _ in range(2):
        assert client.post(path, data=BODY, headers=headers).status_code in (400, 401, 415, 422)
