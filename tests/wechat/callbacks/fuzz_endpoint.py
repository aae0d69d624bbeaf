"""Random and mutated callbacks over HTTP: `python -m tests.wechat.callbacks.fuzz_endpoint --count 9 --seed 1`.

The same callbacks as those of `fuzz.py`, against the whole server with a real PostgreSQL and Valkey. Whatever comes,
the endpoint accepts it or refuses it in problem form: never a 5xx.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import quote

from app.core.keys import create_keys
from app.core.settings import Settings
from app.migrations.runner import migrate
from app.runtime import Services, make_services
from devstack.embedded import start_postgres, start_valkey
from tests.support.clock import StandingClock
from tests.wechat.callbacks.endpoint import URL, Endpoint, make_endpoint
from tests.wechat.callbacks.fuzz import Callback, bodies

ACCEPTED, REFUSED = {200}, {400, 403, 413}


def answers(endpoint: Endpoint, callbacks: Iterable[Callback]) -> Iterator[str]:
    """Yield the answer to each: `200`, or status and type of a refusal. Every other answer is an error of ours."""
    client = endpoint.client
    for query, body in callbacks:
        answer = client.post(f"{URL}?{_query(query)}", data=body)
        assert answer.status_code in ACCEPTED | REFUSED, (answer.status_code, query, body)
        if answer.status_code in ACCEPTED:
            assert answer.mimetype == "text/plain"
            yield "200"
        else:
            assert answer.mimetype == "application/problem+json"
            yield f"{answer.status_code} {answer.json['type']}"  # type: ignore[index]


def _query(query: Mapping[str, str]) -> str:
    """Return the query as bytes on the wire, which need not be valid Unicode."""
    return "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in query.items())


@contextmanager
def services() -> Iterator[Services]:
    """A server's services on this machine, for the length of a run."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        secret = directory / "secret"
        secret.touch(mode=0o600)
        secret.write_text("not-a-real-secret")
        create_keys(directory / "keys", StandingClock().now())
        with start_postgres(directory / "pg", durable=False) as postgres, start_valkey(directory / "v") as valkey:
            url = postgres.database("fuzz")
            migrate(url)
            built = make_services(
                Settings(
                    environment="test",
                    database={"url": url},
                    redis={"url": valkey.url},
                    keys={"directory": directory / "keys"},
                    wechat={"appid": "wx0123456789abcdef", "secret_file": secret},
                    platform={"base_url": "http://127.0.0.1:1", "secret_file": secret},
                ),
                StandingClock(),
            )
            yield built
            built.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    os.environ.pop("JIXIANG_CONFIG", None)
    start = time.perf_counter()
    with services() as built:
        endpoint = make_endpoint(built, allow_plaintext=True)
        heard = Counter(answers(endpoint, bodies(Random(given.seed), given.count)))
    seconds = time.perf_counter() - start
    lines = [f"{heard.total()} callbacks, seed {given.seed}, {seconds:.1f} s, no 5xx:\n"]
    lines += [f"{number:>9}  {name}\n" for name, number in heard.most_common()]
    sys.stdout.writelines(lines)


if __name__ == "__main__":
    main()
