#!/usr/bin/env bash
# opentelemetry-exporter-prometheus 0.66b2, opentelemetry-sdk 1.45.2, prometheus-client 0.26.0
#
# Visits are counted with OpenTelemetry, with attributes named as the tables name them: 区 (district) for some, 县 (county) for
# others, both for a third kind; and once "venue.id" and "venue_id", from two layers of a program. They are written for a
# Prometheus that takes all of UTF-8 in names (since 3.0) and asks for it.
# Guess: the names stay as they are, as prometheus-client writes its own label 区; or they are escaped so that they stay apart;
#   or values that meet in one label are joined, "A;B", as the specification of OpenTelemetry says. No series is there twice.
# Really: each of 区 and 县 becomes the label _, whatever Prometheus asks for. Of two attributes that meet, the one given last wins
#   and the other is gone without a word. 区=江北 with 10 visits and 县=江北 with 20 are two lines of one series with
#   two values. Points that lack a label have it, empty. A second counter "visits.total" writes the header
#   of visits_total once more, with a type of its own.
# Why it matters: a Prometheus 2.42 that was given these lines (not run here) kept the first, 10, said nothing of the other in its log,
#   and showed the target as up: a district's visits are another's, and which one depends on who came first. Give this
#   exporter attributes of ASCII letters and _ only, and look for lines with the same labels in a test.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 \
    prometheus-client==0.26.0 2> "$folder/pip.log"
cd "$folder"
cat > count.py <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY, Counter
from prometheus_client.exposition import choose_encoder

ASKED = "text/plain;version=1.0.0;escaping=allow-utf-8"

reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False)
meter = MeterProvider(metric_readers=[reader]).get_meter("health")
visits = meter.create_counter("visits")
visits.add(10, {"区": "江北"})
visits.add(20, {"县": "江北"})
visits.add(40, {"区": "江北", "县": "东宁"})
visits.add(80, {"venue_id": "B", "venue.id": "A"})
meter.create_counter("visits.total").add(1000)
Counter("own", "By prometheus-client.", ["区"]).labels("江北").inc(5)
encode, content_type = choose_encoder(ASKED)
print(content_type)
for line in encode(REGISTRY).decode().splitlines():
    if line.startswith(("visits", "own_total", "# TYPE visits")):
        print(line)
PY
venv/bin/python count.py | tee seen
diff - seen <<'TEXT' || { echo "changed"; exit 1; }
text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8
# TYPE visits_total counter
visits_total{_="江北",venue_id=""} 10.0
visits_total{_="江北",venue_id=""} 20.0
visits_total{_="东宁",venue_id=""} 40.0
visits_total{_="",venue_id="A"} 80.0
# TYPE visits_total counter
visits_total 1000.0
own_total{"区"="江北"} 5.0
TEXT
