"""A hundred simulated gates for twenty seconds: with cut-offs, nothing is lost and nothing doubled."""

import pytest

from bench import gates


@pytest.mark.slow
def test_a_hundred_gates_lose_nothing_and_double_nothing() -> None:
    figures = gates.run(20)
    assert figures.is_good, figures
    assert figures.sent == figures.counted > 100
    assert figures.offline > 0, "no gate was cut off"
