"""One side of a comparison of mass changes, by the bench of a checkout; prints one line of JSON.

This file is run by the Python of either checkout, so it knows no more of `bench` than both of them have. The CPU is
that of a list so short that one process records it: more of them need some to begin, whatever they record.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path[0] = str(Path.cwd())  # the checkout, instead of the folder of this file

from bench import mass  # noqa: E402 - of the checkout

ALONE = 8_000  # people


def main() -> None:
    citizens = int(sys.argv[1])
    few = min(citizens, ALONE)
    with mass.our_services("http://127.0.0.1:9") as services:
        if hasattr(services, "lease"):
            services.lease.renew()  # older benches did not, and then each change waits for the end of a lease
        mass.make_green(services, range(few + citizens))
        alone = record(services, range(few))
        together = record(services, range(few, few + citizens))
    rates = {"rate": together.rate, "rate_alone": alone.rate}
    print(json.dumps(rates | {"cpu": alone.cpu / few * 1e6, "postgres_cpu": alone.postgres_cpu / few * 1e6}))


def record(services: Any, people: range) -> mass.Work:
    lines = mass.read(services, people)
    return mass.measure(services, "a list", len(people), lambda: mass.by_list(services, lines))


if __name__ == "__main__":  # its processes import it again
    main()
