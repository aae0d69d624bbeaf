"""One side of a comparison of mass changes, by the bench of a checkout; prints one line of JSON.

This file is run by the Python of either checkout, so it knows no more of `bench` than both of them have.
"""

import json
import sys
from pathlib import Path

sys.path[0] = str(Path.cwd())  # the checkout, instead of the folder of this file

from bench import mass  # noqa: E402 - of the checkout


def main() -> None:
    citizens = int(sys.argv[1])
    with mass.our_services("http://127.0.0.1:9") as services:
        if hasattr(services, "lease"):
            services.lease.renew()  # older benches did not, and then each change waits for the end of a lease
        mass.make_green(services, range(citizens))
        lines = mass.read(services, range(citizens))
        work = mass.measure(services, "a list, recorded", citizens, lambda: mass.by_list(services, lines))
    cpu = {"cpu": work.cpu, "postgres_cpu": work.postgres_cpu}
    print(json.dumps({"rate": work.rate} | {name: seconds / citizens * 1e6 for name, seconds in cpu.items()}))


if __name__ == "__main__":  # its processes import it again
    main()
