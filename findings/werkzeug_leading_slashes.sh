#!/usr/bin/env bash
# Werkzeug 3.1.9, Flask 3.1.3: `//page` is `/page`. It is answered 200, not redirected, and `request.path` does not show it.
#
# Guess: of `//page` the router either finds nothing (404) or, with `merge_slashes` (the default), redirects to `/page` as
# it does from `/a//page`; with `merge_slashes = False` it is 404; and `request.path` is what the caller asked for.
# Really: `Request.path` is "/" and the path without the slashes at its beginning, so the route answers 200 whatever
# `merge_slashes` says. Only PATH_INFO in the environ tells the two apart.
# Why it matters: a proxy that blocks `/metrics` by its beginning passes `//metrics` on, and a check of `request.path`
# sees the harmless spelling. Compare `request.environ["PATH_INFO"]`.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place"
"$place/bin/pip" install --quiet flask==3.1.3 werkzeug==3.1.9
"$place/bin/python" - <<'PY'
from flask import Flask, request


def ask(merging: bool) -> list[tuple[str, int, str]]:
    app = Flask(__name__)
    app.url_map.merge_slashes = merging
    app.add_url_rule("/a/page", view_func=lambda: request.path, endpoint="page")
    client, found = app.test_client(), []
    for path in ("/a/page", "//a/page", "////a/page", "/a//page"):
        answer = client.get("/", environ_overrides={"PATH_INFO": path})
        found.append((path, answer.status_code, answer.text if answer.status_code == 200 else ""))
    return found


for merging in (True, False):
    print(f"merge_slashes={merging}:", ask(merging))
same = [("/a/page", 200, "/a/page"), ("//a/page", 200, "/a/page"), ("////a/page", 200, "/a/page")]
assert ask(True) == [*same, ("/a//page", 308, "")]
assert ask(False) == [*same, ("/a//page", 404, "")]
PY
