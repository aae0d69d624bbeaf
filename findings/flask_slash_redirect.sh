#!/usr/bin/env bash
# Flask 3.1.3, Werkzeug 3.1.9: the redirect from /page to /page/ follows the Host header, and no error handler sees it.
#
# Guess: redirects are relative since Werkzeug 2.1 (`Response.autocorrect_location_header` is False), and an
# error handler for HTTPException, of which RequestRedirect is a subclass, sees every one.
# Really: `redirect()` in a view is relative, but the router's own redirect is the whole address, made of the Host
# header, in Location and in the body. Flask answers routing exceptions before it looks for handlers; an after_request
# function sees the response, and `request.routing_exception` says that it is one.
# Why it matters: a cache or a proxy that passes any Host on sends people, with a path they know, to another site. Make
# the address relative in after_request, or set TRUSTED_HOSTS.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place"
"$place/bin/pip" install --quiet flask==3.1.3 werkzeug==3.1.9
"$place/bin/python" - <<'PY'
from flask import Flask, redirect, request
from werkzeug.exceptions import HTTPException

app, handled, seen = Flask(__name__), [], []
app.add_url_rule("/page/", view_func=lambda: "a page", endpoint="page")
app.add_url_rule("/view", view_func=lambda: redirect("/page/"), endpoint="view")
app.register_error_handler(HTTPException, lambda error: handled.append(type(error).__name__) or error)
app.after_request(lambda response: seen.append(type(request.routing_exception).__name__) or response)

client = app.test_client()
routed = client.get("/page", headers={"Host": "other.example"})
viewed = client.get("/view", headers={"Host": "other.example"})
print("by the router:", routed.status, routed.headers["Location"], "| handlers called:", handled)
print("by a view:    ", viewed.status, viewed.headers["Location"])
print("after_request:", seen)
assert routed.headers["Location"] == "http://other.example/page/" and "other.example" in routed.text
assert viewed.headers["Location"] == "/page/"
assert handled == [] and seen == ["RequestRedirect", "NoneType"]
PY
