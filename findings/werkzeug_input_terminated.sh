#!/usr/bin/env bash
# werkzeug 3.1.9 (flask 3.1.3)
#
# A WSGI server sets environ["wsgi.input_terminated"] to False: it does not end the body by itself. A caller announces
# 100 bytes, sends 5 and hangs up.
# Guess: False means what it says, so the body is read up to Content-Length, and a shorter one is a ClientDisconnected.
# Really: Werkzeug asks whether the key is there. With max_content_length set, which every application should have, a
#   body that was cut off is then read as a whole one, for False as for True; without the key it is refused with 400.
# Why it matters: half of a list of people, or of an officer's form, is carried out as if it were all of it. A server or
#   bridge has to leave the key out where it does not apply.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q werkzeug==3.1.9 flask==3.1.3
"$folder/venv/bin/python" - <<'PY'
from io import BytesIO

import flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

app = flask.Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1000


@app.post("/")
def received():
    return f"carried out with {len(flask.request.get_data())} of {flask.request.content_length} bytes"


seen = {}
for value in (None, False, True):
    environ = EnvironBuilder(method="POST").get_environ()
    environ.update({"wsgi.input": BytesIO(b"half "), "CONTENT_LENGTH": "100"})
    environ.pop("wsgi.input_terminated", None)
    if value is not None:
        environ["wsgi.input_terminated"] = value
    body, status, _ = run_wsgi_app(app, environ)
    seen[value] = status[:3]
    print(f"wsgi.input_terminated {value}: {status}, {b''.join(body)[:60].decode()}")
raise SystemExit(seen != {None: "400", False: "200", True: "200"})
PY
