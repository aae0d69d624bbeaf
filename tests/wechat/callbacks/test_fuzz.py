"""Short runs of the fuzzing scripts; the long ones are for the command line."""

from collections import Counter
from random import Random

import pytest

from tests.support.examples import examples
from tests.wechat.callbacks.endpoint import Endpoint
from tests.wechat.callbacks.fuzz import bodies, outcome
from tests.wechat.callbacks.fuzz_endpoint import answers


def test_three_thousand_damaged_callbacks_are_events_or_refusals_and_reach_every_refusal() -> None:
    outcomes = Counter(map(outcome, bodies(Random(1), 3000)))
    assert outcomes.total() == 3000
    assert set(outcomes) == {
        "known event",
        "unknown event",
        "refused: signature",
        "refused: stale",
        "refused: not-for-us",
        "refused: malformed",
        "refused: too-large",
    }


def test_a_run_can_be_repeated_by_its_seed() -> None:
    assert list(bodies(Random(7), 50)) == list(bodies(Random(7), 50))
    assert list(bodies(Random(7), 50)) != list(bodies(Random(8), 50))


@pytest.mark.slow
def test_damaged_callbacks_at_the_endpoint_are_taken_or_refused_in_problem_form(endpoint: Endpoint) -> None:
    heard = Counter(answers(endpoint, bodies(Random(2), number := examples(3000))))
    assert heard.total() == number
    assert set(heard) == {
        "200",
        "400 /problems/bad-request",
        "403 /problems/callback-refused",
        "413 /problems/too-large",
    }
