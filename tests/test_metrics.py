"""/metrics, its reference and the dashboard name the same metrics, and a metric has no more series than we chose."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import pytest
import requests
import yaml
from flask.testing import FlaskClient
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families
from promql_parser import VectorSelector
from redis import RedisError

from app.api.fast_path import FastPath
from app.core import metrics
from app.core.http_client import pooled_session
from app.core.queue import REFRESH_CACHE, defer
from app.core.redis_client import connect
from app.core.texts import slugs
from app.runtime import Services
from app.worker.app import make_worker_app
from app.worker.pulse import STUCK_SECONDS, Pulse
from devstack.layout import find_free_ports
from tests.support.people import Phone, Station
from tests.support.rsgi import noted_rest

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| `(\w+)` \| (histogram|counter|gauge) \| (.*?) ?\| (.+) \|$", re.MULTILINE)
DASHBOARD = json.loads((ROOT / "docs/grafana/jixiang.json").read_text(encoding="utf-8"))


class Documented(NamedTuple):
    kind: str
    labels: frozenset[str]
    meaning: str


def documented() -> dict[str, Documented]:
    text = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    rows = ROW.findall(text)
    return {
        name: Documented(kind, frozenset(re.findall(r"`(\w+)`", labels)), meaning)
        for name, kind, labels, meaning in rows
    }


def exposed(text: str) -> Iterator[tuple[str, Any]]:
    """Our own metrics in an exposition, by the name that is written in PromQL."""
    for family in text_string_to_metric_families(text):
        if family.name.startswith(("http_", "jixiang_")):
            yield family.name + ("_total" if family.type == "counter" else ""), family


def test_metrics_and_their_reference_name_the_same(client: FlaskClient) -> None:
    found = dict(exposed(client.get("/metrics").text))
    assert {name: (family.type, family.documentation) for name, family in found.items()} == {
        name: (row.kind, row.meaning) for name, row in documented().items()
    }


def test_every_label_is_in_the_reference() -> None:
    objects = [thing for thing in vars(metrics).values() if isinstance(thing, Counter | Gauge | Histogram)]
    assert len(objects) == len(documented())
    for thing in objects:
        [family] = thing.describe()
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = dict.fromkeys(documented()[name].labels, "of-this-test")
        if not labels:
            with pytest.raises(ValueError, match="No label names"):
                thing.labels()
            continue
        thing.labels(**labels)  # raises ValueError where these are not its labels
        thing.remove_by_labels(labels)


def duration(client: FlaskClient, part: str, **labels: str) -> float:
    """A sample of the request histogram, 0 where there is none."""
    for _, family in exposed(client.get("/metrics").text):
        for sample in family.samples:
            if sample.name == f"http_request_duration_seconds_{part}" and labels.items() <= sample.labels.items():
                return float(sample.value)
    return 0.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/api/v1/code/none-of-ours", {"method": "GET", "route": "none", "status": "404"}),
        ("INVENTED-1", "/api/v1/code", {"method": "other", "route": "none", "status": "405"}),
        (
            "GET",
            "/console/static/none-of-ours",
            {"method": "GET", "route": "/console/static/<path:filename>", "status": "404"},
        ),
    ],
)
def test_what_a_caller_makes_up_makes_no_series(
    client: FlaskClient, method: str, path: str, labels: dict[str, str]
) -> None:
    before = duration(client, "count", **labels)
    client.open(path, method=method)
    assert duration(client, "count", **labels) == before + 1
    assert not re.search("INVENTED|none-of-ours", client.get("/metrics").text)


@pytest.mark.slow
def test_the_fast_path_is_measured_under_its_route(
    server: FastPath, client: FlaskClient, green_citizen: Phone, services: Services
) -> None:
    citizen = green_citizen
    labels = {"method": "GET", "route": "/api/v1/code", "status": "200"}
    count, total = duration(client, "count", **labels), duration(client, "sum", **labels)
    with noted_rest(server) as passed:
        citizen.code()
    assert passed == []
    assert duration(client, "count", **labels) == count + 1
    assert 0 < duration(client, "sum", **labels) - total < 5


def samples(client: FlaskClient) -> dict[str, float]:
    """Counts, by their line in /metrics."""
    lines = (line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
    return {line: float(value) for line, value in lines}


def test_jobs_notices_upstreams_and_the_circuit_are_measured(
    client: FlaskClient,
    phone: Callable[..., Phone],
    station: Station,
    work: Callable[[], None],
    services: Services,
    platform_url: str,
) -> None:
    before = samples(client)
    citizen = phone().become_green()
    citizen.subscribe()
    station.measure(citizen.code()["token"], 38.0)
    work()
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5)
    another = phone("示例乙")
    another.register()
    another.declare()
    worker = make_worker_app(services)
    with worker.open():
        worker.tasks["measure-queue"].defer(timestamp=0)
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    more = {line for line, value in samples(client).items() if value > before.get(line, 0)}
    assert {
        'jixiang_job_duration_seconds_count{outcome="succeeded",task="deliver-notices"}',
        'jixiang_notices_total{channel="subscription",outcome="sent"}',
        'jixiang_upstream_request_duration_seconds_count{status="200",upstream="wechat"}',
        'jixiang_upstream_request_duration_seconds_count{status="200",upstream="platform"}',
        'jixiang_upstream_request_duration_seconds_count{status="503",upstream="platform"}',
        'jixiang_circuit_opened_total{dependency="platform"}',
    } <= more
    assert 'jixiang_jobs_waiting{queue="notices"}' in samples(client)


def test_a_job_that_fails_and_an_upstream_that_is_silent_are_measured_as_such(
    client: FlaskClient, services: Services
) -> None:
    before = samples(client)
    with services.begin() as session:
        defer(session, REFRESH_CACHE, serial=404)  # there is no such code
    worker = make_worker_app(services)
    with worker.open():
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    with pytest.raises(requests.ConnectionError):
        pooled_session("http://127.0.0.1:1", "wechat").get("http://127.0.0.1:1", timeout=1)
    with pytest.raises(RedisError):
        connect("redis://127.0.0.1:1/0", 0.2).ping()
    more = {line for line, value in samples(client).items() if value > before.get(line, 0)}
    assert {
        'jixiang_job_duration_seconds_count{outcome="failed",task="refresh-cache"}',
        'jixiang_upstream_request_duration_seconds_count{status="none",upstream="wechat"}',
        'jixiang_circuit_opened_total{dependency="redis"}',
    } <= more


def test_a_worker_serves_its_metrics_and_says_when_it_is_stuck() -> None:
    port, well = find_free_ports(1), [True]
    metrics.serve("127.0.0.1", port, lambda: well[0])
    assert "jixiang_jobs_waiting" in requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    asked = yaml.safe_load((ROOT / "deploy/image/compose.yaml").read_text(encoding="utf-8"))["services"]["worker"]
    _, python, *words = asked["healthcheck"]["test"]
    assert python == "python" and f":{asked['command'][-1]}/healthz" in words[1]
    check = [sys.executable, *(word.replace(asked["command"][-1], str(port)) for word in words)]
    ends = []
    for well[0] in (True, False):
        ends.append(subprocess.run(check, capture_output=True, check=False, timeout=60).returncode)
    assert ends == [0, 1], "as containers ask"


def test_a_worker_is_stuck_when_no_thread_is_free_for_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, stuck = [0.0], threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        for name, value in (("NOTIFY_SOCKET", str(tmp_path / "notify")), ("WATCHDOG_USEC", "300000000")):
            monkeypatch.setenv(name, value)
        pulse = Pulse(lambda: now[0], every=0)

        async def work() -> None:
            loop = asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(1))
            loop.run_in_executor(None, stuck.wait)  # as a job that never ends
            pulse.begin()
            now[0] = STUCK_SECONDS
            await asyncio.sleep(0.01)
            seen = pulse.is_well()
            stuck.set()
            assert not seen
            async with asyncio.timeout(60):
                while not pulse.is_well():
                    await asyncio.sleep(0.01)

        asyncio.run(work())
        assert systemd.recv(64) == b"WATCHDOG=1", "systemd ends one that says nothing"


PROCESS = """
from app.core.metrics import JOBS_WAITING, http_requests
http_requests("GET", "/a", 200).observe(0.006)
JOBS_WAITING.labels("notices").set({waiting})
"""


def test_processes_that_share_a_directory_are_summed(tmp_path: Path) -> None:
    def run(code: str) -> str:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, check=True)
        return done.stdout.decode()

    for waiting in (7, 3):
        run(PROCESS.format(waiting=waiting))
    text = run("from app.core.metrics import exposition; print(exposition().decode())")
    samples = {(s.name, s.labels.get("le")): s.value for _, family in exposed(text) for s in family.samples}
    assert samples["http_request_duration_seconds_count", None] == 2
    assert (
        samples["http_request_duration_seconds_bucket", "0.005"],
        samples["http_request_duration_seconds_bucket", "0.0075"],
    ) == (0, 2)
    assert samples["jixiang_jobs_waiting", None] == 3, "the newest count, not the sum"


# --- the alerts ---------------------------------------------------------------------------------------------------

FIRST_EVENT = re.compile(r'(?:increase|rate)\((\w+_total)(?:\{\w+=~"(.+?)"\})?\[\w+\]\)\)? > 0$', re.MULTILINE)


def test_what_alerts_at_its_first_event_is_there_before(client: FlaskClient) -> None:
    """Prometheus sees no increase where a series begins, so that each of them begins at 0."""
    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8")
    reference = re.findall("`([a-z-]+)`", (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8"))
    found, alerts = set(samples(client)), FIRST_EVENT.findall(rules)
    assert len(alerts) > 5
    for name, values in alerts:
        words = slugs("alarms") if name == "jixiang_entry_alarms_total" else (*reference, *slugs("problems"))
        labels = documented()[name].labels
        series = {
            f'{name}{{{label}="{word}"}}' for label in labels for word in words if re.fullmatch(values or ".*", word)
        }
        assert (series or {name}) <= found
        assert bool(series) == bool(labels), name


# --- the dashboard ------------------------------------------------------------------------------------------------


def expressions() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def selectors(query: str) -> list[VectorSelector]:
    """The metrics that a query reads. Raises ValueError where it is no PromQL."""
    found: list[VectorSelector] = []

    def visit(node: Any) -> None:
        if isinstance(node, VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(query.replace("$__rate_interval", "5m")), visit)
    return found


def test_the_dashboard_can_be_imported() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    assert DASHBOARD["title"] and DASHBOARD["uid"]
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 0
    assert all(panel["title"] and panel["targets"] and panel["type"] == "timeseries" for panel in panels)
    for panel in panels:
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert panel["datasource"]["uid"] == "${datasource}"


def test_no_two_panels_of_the_dashboard_overlap() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] >= 0 and place["w"] > 0 and place["x"] + place["w"] <= 24 for place in places)
    for a, b in combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, (a, b)


def series() -> dict[str, frozenset[str]]:
    """Every series that may be read in PromQL, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for name, row in documented().items():
        if row.kind != "histogram":
            found[name] = row.labels
            continue
        found |= {f"{name}_{part}": row.labels for part in ("sum", "count")}
        found[f"{name}_bucket"] = row.labels | {"le"}
    return found


def test_the_dashboard_reads_only_what_is_exposed() -> None:
    known = series()
    for expression in expressions():
        read = selectors(expression)
        assert read, expression
        for selector in read:
            assert selector.name in known, expression
            assert {matcher.name for matcher in selector.matchers.matchers} <= known[selector.name], expression
        grouped = {label for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(", ")}
        assert grouped <= set.union(*(set(known[selector.name or ""]) for selector in read)), expression


def test_the_dashboard_draws_every_metric() -> None:
    read = {selector.name for expression in expressions() for selector in selectors(expression)}
    for name in documented():
        assert any(one and one.startswith(name) for one in read), name
