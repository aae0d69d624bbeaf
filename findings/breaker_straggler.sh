#!/usr/bin/env bash
# circuitbreaker 2.1.3 (with purgatory 3.0.1 for comparison)
#
# A slow call starts while all is well. The upstream fails three times, the breaker opens with a pause of one hour.
# Then the slow call ends well.
# Guess: the breaker stays open: an answer to a call of before the outage says nothing about now.
# Really: circuitbreaker closes it at once, an hour early, since every success resets it in whatever state it is;
#   so does a call that raises an error outside `expected_exception`, and such an error between failures starts the
#   count again: fail, fail, other error, fail, fail, other error … never opens a breaker with a threshold of three.
#   purgatory stays open after the late success.
# Why it matters: a health-code backend has slow calls in flight exactly when its upstream starts to fail. The last
#   ones that get through cancel the pause, and a worker that also meets business errors (a citizen who is
#   not on record) never opens the breaker at all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q circuitbreaker==2.1.3 purgatory==3.0.1
"$folder/venv/bin/python" - <<'PY'
import contextlib
import threading

from circuitbreaker import CircuitBreaker
from purgatory import SyncCircuitBreakerFactory

HOUR = 3600


def run(error=None, until=None):
    if until:
        until["started"].set()
        until["answer"].wait()
    if error:
        raise error


def attempt(call, *args):
    with contextlib.suppress(Exception):
        call(*args)


def open_during_slow_call(call, state, late_error=None):
    """Return the state before and after the end of a call that is older than the outage."""
    until = {"started": threading.Event(), "answer": threading.Event()}
    slow = threading.Thread(target=attempt, args=(call, late_error, until))
    slow.start()
    until["started"].wait()
    for _ in range(3):
        attempt(call, ConnectionError())
    before = state()
    until["answer"].set()
    slow.join()
    return before, state()


def circuit():
    breaker = CircuitBreaker(failure_threshold=3, recovery_timeout=HOUR, expected_exception=ConnectionError)
    return breaker, breaker(run)


breaker, call = circuit()
success = open_during_slow_call(call, lambda: breaker.state)
print("circuitbreaker, late success:            ", success)
breaker, call = circuit()
other = open_during_slow_call(call, lambda: breaker.state, LookupError())
print("circuitbreaker, late error of other kind:", other)
breaker, call = circuit()
for error in (ConnectionError(), ConnectionError(), LookupError()) * 10:
    attempt(call, error)
print("circuitbreaker, 20 failures in 30 calls: ", breaker.state)

factory = SyncCircuitBreakerFactory(default_threshold=3, default_ttl=HOUR)
compared = open_during_slow_call(factory("upstream")(run), lambda: factory.get_breaker("upstream").context.state)
print("purgatory, late success:                 ", compared)
assert (success, other, breaker.state) == (("open", "closed"), ("open", "closed"), "closed"), "changed"
assert compared == ("opened", "opened"), "changed"
PY
