"""Every metric of this system, for Prometheus; docs/reference/metrics.md is the reference and a test compares the two.

Labels have few values, all chosen here: no label contains a path, a name, a number or anything else that a caller
invents.
"""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any, Final

import prometheus_client
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second family for each, which no dashboard uses

NO_ROUTE: Final = "none"  # no route matched, or the request was shed before routing
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# close together where most responses are, so that a p99 of 5 to 10 ms is measured and not interpolated
_FAST: Final = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

HTTP_REQUESTS = Histogram(
    "http_request_duration_seconds",
    "Time from the arrival of a request to its answer, including the wait for its turn",
    ["method", "route", "status"],
    buckets=_FAST,
)
HTTP_REQUESTS_SHED = Counter(
    "jixiang_http_requests_shed", "Requests answered 503 because too many waited, by priority", ["priority"]
)
UPSTREAM_REQUESTS = Histogram(
    "jixiang_upstream_request_duration_seconds",
    "Time until an upstream answered a request; status none: it did not answer",
    ["upstream", "status"],
    buckets=_SLOW,
)
CIRCUIT_OPENED = Counter(
    "jixiang_circuit_opened", "Times that a failing dependency was left alone for a moment", ["dependency"]
)
CACHE_REPLACED = Counter(
    "jixiang_cache_replaced", "Times that the color cache was emptied, because Redis or the database was not the same"
)
WECHAT_CALLBACKS = Counter(
    "jixiang_wechat_callbacks",
    "Callbacks of WeChat accepted, by event; result: new, repeated or answered",
    ["event", "result"],
)
CACHE_RECORDS_REPAIRED = Counter(
    "jixiang_cache_records_repaired", "Records of the color cache that differed from the database, and were repaired"
)
WECHAT_CALLBACKS_REFUSED = Counter("jixiang_wechat_callbacks_refused", "Callbacks refused, by reason", ["reason"])
PARTNER_VALUES_SKIPPED = Counter(
    "jixiang_partner_values_skipped",
    "Words and entries of WeChat and the national platform that are not known here and were skipped, by place",
    ["place"],
)
NOTICES = Counter(
    "jixiang_notices",
    "Messages passed to a channel, by outcome and channel; waiting: it is tried again",
    ["outcome", "channel"],
)
SMS_NOT_SENT = Counter(
    "jixiang_sms_not_sent", "Notices for which no text message was sent, by reason; a ceiling is an alarm", ["reason"]
)
JOBS = Histogram(
    "jixiang_job_duration_seconds", "Time that a job took, by task and outcome", ["task", "outcome"], buckets=_SLOW
)
JOBS_WAITING = Gauge(
    "jixiang_jobs_waiting",
    "Jobs that waited in each queue when a worker last counted, which is once a minute",
    ["queue"],
    multiprocess_mode="mostrecent",
)
DEVICES_SILENT = Gauge(
    "jixiang_devices_silent",
    "Devices of stations that are in use and were not heard for devices.silent_minutes, when a worker last counted",
    multiprocess_mode="mostrecent",
)
DEVICE_REFUSALS = Counter(
    "jixiang_device_refusals", "Requests of devices refused before they were read, by problem", ["problem"]
)
PARTNER_REQUESTS = Counter(
    "jixiang_partner_requests",
    "Questions of partners, by interface and outcome: answered, or the problem",
    ["interface", "outcome"],
)
TRUST_FETCHES = Counter(
    "jixiang_trust_fetches",
    "Trust lists that the clock fetched, by outcome: taken, unchanged, or the problem; then the list in use stays",
    ["outcome"],
)
TRUST_LIST_EXPIRES = Gauge(
    "jixiang_trust_list_expires_timestamp_seconds",
    "Until when the trust list in use may be used, when a worker last looked; 0 where there is none",
    multiprocess_mode="mostrecent",
)
ENTRY_ALARMS = Counter(
    "jixiang_entry_alarms",
    "Alarms that entries of officers raised, by alarm; lowered-by-one-officer holds nothing",
    ["alarm"],
)
CHECK_ALERTS = Counter(
    "jixiang_check_alerts", "Alerts of checks of red and orange codes that were stored: one of a person and day"
)
VENUE_CODE_ALARMS = Counter(
    "jixiang_venue_code_alarms", "Alarms that the code of an entrance was scanned implausibly often: one of a day"
)
FOLLOW_UPS_OVERDUE = Gauge(
    "jixiang_follow_ups_overdue",
    "Follow-ups that were past their deadline when a worker last looked, every ten seconds, by recipient",
    ["recipient"],
    multiprocess_mode="mostrecent",
)
SERVICE_END_STEP = Gauge(
    "jixiang_service_end_step",
    "How far the end of the service is: 0 goes on, 1 announced, 2 decided, 3 tables closed, 4 rows destroyed, "
    "5 Redis emptied, 6 keys destroyed, 7 report published",
    multiprocess_mode="mostrecent",
)
LOG_LINES_LOST = Counter("jixiang_log_lines_lost", "Log lines that could not be written, because the disk is full")


def begin_at_zero(counter: Counter, values: Iterable[str]) -> None:
    """Expose a counter as 0 under these values of its label, which an alert looks at.

    Prometheus sees an increase between two values, and none where a series begins: the first event would alert nobody.
    """
    for value in values:
        counter.labels(value)


def http_requests(method: str, route: str | None, status: int) -> Histogram:
    """Return the histogram of one kind of request; an unknown method is `other`, so that no caller creates series."""
    return HTTP_REQUESTS.labels(method if method in _METHODS else "other", route or NO_ROUTE, str(status))


def registry() -> CollectorRegistry:
    """Return the metrics of this process, or of all that share PROMETHEUS_MULTIPROC_DIR where it is set."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def exposition() -> bytes:
    """Return every metric in the text format of Prometheus."""
    return generate_latest(registry())


def serve(host: str, port: int, is_well: Callable[[], bool]) -> None:
    """Serve the metrics of a process without web server in a thread of its own, and at /healthz whether it is well."""
    shared = registry()
    server, _ = prometheus_client.start_http_server(port, host, shared)
    metrics = prometheus_client.make_wsgi_app(shared)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/healthz":
            return metrics(environ, start_response)  # type: ignore[no-any-return]
        well = is_well()
        start_response("200 OK" if well else "503 Service Unavailable", [("Content-Type", "application/json")])
        return [json.dumps({"alive": well}).encode()]

    server.set_app(answer)
