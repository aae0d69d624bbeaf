#!/usr/bin/env bash
# prometheus_client 0.26.0, multiprocess mode
#
# Two processes share a directory of metrics. Both import the same module with the gauges, only one of them sets them.
# Guess: multiprocess_mode="min" reports the least of the values that were set, "max" the greatest.
# Really: the process that never touched the gauge takes part with a value of 0: "min" reports 0 although only 21 was
#   ever set, and "max" reports 0 although only -5 was. The same gauge with a label is right, since its value is
#   there from the first use of the label on, not from the import on.
# Why it matters: a worker that has only started is enough: "days until the signing key expires" (min) is 0 and
#   wakes somebody up; "seconds until the next quota" (max, negative when overdue) is 0 and hides that it is overdue.
#   Give such gauges a label, or set them at the start of every process.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q prometheus_client==0.26.0
mkdir "$folder/metrics"
cd "$folder"
export PROMETHEUS_MULTIPROC_DIR="$folder/metrics"
cat > gauges.py <<'PY'
from prometheus_client import Gauge

MODES = {"min": 21, "max": -5, "livemin": 21, "livemax": -5}
PLAIN = {mode: Gauge(f"plain_{mode}", "-", multiprocess_mode=mode) for mode in MODES}
LABELED = {mode: Gauge(f"labeled_{mode}", "-", ["key"], multiprocess_mode=mode) for mode in MODES}
PY
"$folder/venv/bin/python" -c 'import gauges'
"$folder/venv/bin/python" - <<'PY'
import gauges

for mode, value in gauges.MODES.items():
    gauges.PLAIN[mode].set(value)
    gauges.LABELED[mode].labels("1").set(value)
PY
"$folder/venv/bin/python" - <<'PY'
from prometheus_client import CollectorRegistry, multiprocess

registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
seen = {metric.name: [sample.value for sample in metric.samples] for metric in registry.collect()}
for name in sorted(seen):
    print(f"{name:16}", seen[name])
assert seen == {
    "plain_min": [0], "plain_max": [0], "plain_livemin": [0], "plain_livemax": [0],
    "labeled_min": [21], "labeled_max": [-5], "labeled_livemin": [21], "labeled_livemax": [-5],
}, "changed"
PY
