#!/usr/bin/env bash
# pybreaker 1.4.1, circuitbreaker 2.1.3, purgatory 3.0.1 (the newest of each)
#
# Eight threads call through one circuit breaker: while it is closed, and at once after its pause with an upstream
# that is still down.
# Guess: closed, all eight are inside together; after the pause, half-open lets one probe through and refuses seven.
# Really: no library does both.
#   pybreaker holds one lock for the whole call: never more than one call is inside, in a healthy system as well,
#     so eight calls take the time of eight. The half-open probe is single only because of that lock.
#   circuitbreaker and purgatory let all eight in when closed, and all eight again in half-open.
# Why it matters: a breaker around the national platform or WeChat either makes all threads of a worker queue for one
#   call, or sends the full load of every worker at an upstream in the moment when it tries to come back.
# In-flight calls are counted, not timed: a call stays inside until all eight are, or until one has waited three seconds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pybreaker==1.4.1 circuitbreaker==2.1.3 purgatory==3.0.1
"$folder/venv/bin/python" - <<'PY'
import threading
import time

import circuitbreaker
import purgatory
import pybreaker

CALLERS, FAILURES, PAUSE = 8, 3, 1


class Upstream:
    """Count the calls that are inside together."""

    def __init__(self, down: bool):
        self.down, self.inside, self.peak, self.reached = down, 0, 0, 0
        self.alone = False
        self.changed = threading.Condition()

    def __call__(self):
        with self.changed:
            self.inside += 1
            self.reached += 1
            self.peak = max(self.peak, self.inside)
            self.changed.notify_all()
            self.alone |= not self.changed.wait_for(lambda: self.alone or self.peak == CALLERS, timeout=3)
            self.inside -= 1
        if self.down:
            raise ConnectionError


def call_together(call, upstream: Upstream) -> Upstream:
    start = threading.Barrier(CALLERS)

    def caller():
        start.wait()
        try:
            call(upstream)
        except Exception:
            pass  # refused, or the failure of the upstream

    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return upstream


def fail():
    raise ConnectionError


def observe(call) -> dict:
    closed = call_together(call, Upstream(down=False))
    for _ in range(FAILURES):
        try:
            call(fail)
        except Exception:
            pass
    time.sleep(PAUSE * 1.5)
    half_open = call_together(call, Upstream(down=True))
    return {"closed, inside together": closed.peak, "half-open, reached the upstream": half_open.reached}


breakers = {
    "pybreaker": pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=PAUSE).call,
    "circuitbreaker": circuitbreaker.CircuitBreaker(failure_threshold=FAILURES, recovery_timeout=PAUSE)(lambda f: f()),
    "purgatory": purgatory.SyncCircuitBreakerFactory(default_threshold=FAILURES, default_ttl=PAUSE)("up")(lambda f: f()),
}
seen = {name: observe(call) for name, call in breakers.items()}
for name, counts in seen.items():
    print(f"{name:15}", counts)
assert {name: tuple(counts.values()) for name, counts in seen.items()} == {
    "pybreaker": (1, 1), "circuitbreaker": (8, 8), "purgatory": (8, 8),
}, "changed"
PY
