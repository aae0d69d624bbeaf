"""One side of a comparison: the servers of a checkout, started by its own bench, until standard input ends.

This file is run by the Python of either checkout, so it knows no more of `bench` than both of them have. It prints one
line of JSON, and answers each further line of its input when the requests have been written anew.
"""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path[0] = str(Path.cwd())  # the checkout, instead of the folder of this file

from bench import load  # noqa: E402 - of the checkout

environment = sys.modules[load.serving.__module__]


def main() -> None:
    with ExitStack() as stack:
        services, directory = stack.enter_context(environment.ground())
        contenders = {contender.name: contender for contender in load.contenders(services, directory)}
        ours = [contenders[name] for name in (load.CHECKS, load.SHOWS)]
        served = {name: stack.enter_context(environment.serving(contenders[name])) for name in (load.CHECKS, load.BARE)}
        served[load.SHOWS] = served[load.CHECKS]
        described = {
            name: {
                "address": address,
                "master": master.pid,
                "path": contenders[name].path,
                "asked": str(contenders[name].asked),
            }
            for name, (address, master) in served.items()
        }
        for contender in ours:
            contender.write()
        print(json.dumps(described), flush=True)
        for _ in sys.stdin:
            for contender in ours:
                contender.write()
            print("written", flush=True)


main()
