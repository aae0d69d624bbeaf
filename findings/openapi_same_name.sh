#!/usr/bin/env bash
# flask-openapi3 4.3.2 with pydantic 2.14.4
#
# Two routes of two blueprints take bodies of two models that share the class name `Entry`.
# Guess: the OpenAPI document keeps both schemas apart, as pydantic's own models_json_schema does, or raises.
# Really: components/schemas has one `Entry`, the one of the blueprint registered last, and both routes refer to it.
#   No error, no warning. Each route still validates by its own model, so the document of the other one is wrong:
#   a body written by the document gets 422. Registering in the other order makes the other route wrong.
# Why it matters: the mini-program and the stations are built from the document. A second `Entry` in another package
#   (a record of an officer, a scan at a station) changes the contract of a route that nobody touched.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q flask-openapi3==4.3.2 pydantic==2.14.4 flask==3.1.3
"$folder/venv/bin/python" -W error - <<'PY'
from flask_openapi3 import APIBlueprint, OpenAPI
from pydantic import create_model
from pydantic.json_schema import models_json_schema

FIELDS = {"entries": "reason", "stations": "place"}
MODELS = {name: create_model("Entry", __module__=name, **{field: (str, ...)}) for name, field in FIELDS.items()}


def blueprint(name: str) -> APIBlueprint:
    routes = APIBlueprint(name, name, url_prefix=f"/{name}")

    def post(body: MODELS[name]):
        return body.model_dump()

    routes.post("/")(post)
    return routes


def observe(order: tuple[str, str]):
    """Return the schema that each route refers to, the documented fields, and the answers to each body."""
    app = OpenAPI("findings")
    for name in order:
        app.register_api(blueprint(name))
    document, client = app.api_doc, app.test_client()
    references = {
        document["paths"][f"/{name}/"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for name in order
    }
    answers = {
        (name, field): client.post(f"/{name}/", json={field: "text"}).status_code
        for name in FIELDS for field in FIELDS.values()
    }
    return references, list(document["components"]["schemas"]["Entry"]["properties"]), answers


_, definitions = models_json_schema([(model, "validation") for model in MODELS.values()])
print("pydantic alone:", sorted(definitions["$defs"]))
assert len(definitions["$defs"]) == 2, "changed"
for order in (("entries", "stations"), ("stations", "entries")):
    references, fields, answers = observe(order)
    print("registered", order, "-> both routes:", references, "with the fields", fields)
    print("   answers:", answers)
    assert references == {"#/components/schemas/Entry"}, "changed"
    assert fields == [FIELDS[order[-1]]], "changed"
    assert answers == {
        ("entries", "reason"): 200, ("entries", "place"): 422, ("stations", "reason"): 422, ("stations", "place"): 200,
    }, "changed"
PY
