"""The counters that the process serves."""

from flask.testing import FlaskClient


def counted(client: FlaskClient) -> dict[str, float]:
    """Our counters, by line."""
    answer = client.get("/metrics")
    assert answer.mimetype == "text/plain"
    lines = [line.rsplit(" ", 1) for line in answer.text.splitlines() if line.startswith(("http_", "jixiang_"))]
    return {name: float(value) for name, value in lines}
