#!/usr/bin/env bash
# pydantic 2.14.4 (pydantic-core 2.50.5), werkzeug 3.1.9
#
# Digits of other scripts, such as the Arabic-Indic ٣ and the full-width ３, where a pattern says \d.
# Guess: a str with pattern=r"^\d{0,18}$" is what its JSON Schema says, where \d is 0 to 9 (ECMA-262), for pydantic's
#   engine is Rust's and no Python re; a route <int:n> and a lax int are one in what they take.
# Really: Rust's \d is every decimal digit of Unicode as well, so the server takes what a client that validates by the
#   published schema refuses. <int:n> matches them too and hands over 3, so one page has many addresses; pydantic's int
#   refuses them in a str, where Python's int() reads 3.
# Why it matters: a document number by \d is another text for each script, so another hash and another person; and
#   whoever limits, caches or authorizes by the text of a path sees another path. Write [0-9].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pydantic==2.14.4 werkzeug==3.1.9
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import re

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule


class Form(BaseModel):
    by_class: str = Field(default="", pattern=r"^\d{0,18}$")
    by_range: str = Field(default="", pattern=r"^[0-9]{0,18}$")


routes = Map([Rule("/entries/<int:n>", endpoint="entry")]).bind("localhost")


def attempt(make):
    try:
        return make()
    except (ValidationError, NotFound):
        return None


seen = {}
for digit in "3٣３³":
    seen[digit] = (
        attempt(lambda: Form(by_class=digit).by_class),
        attempt(lambda: Form(by_range=digit).by_range),
        attempt(lambda: routes.match(f"/entries/{digit}")[1]["n"]),
        attempt(lambda: TypeAdapter(int).validate_python(digit)),
        re.fullmatch(r"\d", digit, re.ASCII) is not None,
    )
    print(f"{digit}: pattern \\d {seen[digit][0]!r}, [0-9] {seen[digit][1]!r}, <int:n> {seen[digit][2]!r}, "
          f"int {seen[digit][3]!r}, ECMA-262's \\d {seen[digit][4]}")
assert Form.model_json_schema()["properties"]["by_class"]["pattern"] == r"^\d{0,18}$"
assert seen == {
    "3": ("3", "3", 3, 3, True),
    "٣": ("٣", None, 3, None, False),
    "３": ("３", None, 3, None, False),
    "³": (None, None, None, None, False),
}, "changed"
PY
