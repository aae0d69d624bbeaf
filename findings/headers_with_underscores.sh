#!/usr/bin/env bash
# Werkzeug 3.1.9, gunicorn 23.0.0, waitress 3.0.2, uvicorn 0.35.0 and wsgiref of CPython: a request with the headers of China's
# national government service platform (gjzwfwpt_rid, gjzwfwpt_sid, …) reaches some applications with them and some without.
#
# Guess: a header name may contain an underscore (RFC 9110 allows it), so every WSGI server hands it on as HTTP_GJZWFWPT_RID.
# Really: Werkzeug's server, gunicorn and waitress drop it without a word (gunicorn: `--header-map dangerous` hands it on), and
# wsgiref and uvicorn's WSGI hand it on; an ASGI application of uvicorn sees the name as it was sent.
# Why it matters: the platform signs by these four names. Whoever writes its counterpart (a sandbox, a mock, a gateway of a
# province) in Flask or behind gunicorn sees requests without any signature, and finds the fault in the sender.
set -euo pipefail
place=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$place"' EXIT
python3 -m venv "$place"
"$place/bin/pip" install --quiet werkzeug==3.1.9 gunicorn==23.0.0 waitress==3.0.2 uvicorn==0.35.0
cd "$place"
cat >seen.py <<'PY'
def wsgi(environ, start_response):
    body = environ.get("HTTP_GJZWFWPT_RID", "nothing").encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    body = dict(scope["headers"]).get(b"gjzwfwpt_rid", b"nothing")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
PY
cat >ask.py <<'PY'
import http.client, socket, subprocess, sys, time

SERVERS = {
    "Werkzeug": ("-c", "import sys; from werkzeug.serving import run_simple; from seen import wsgi; run_simple('127.0.0.1', int(sys.argv[1]), wsgi)", "{}"),
    "wsgiref": ("-c", "import sys; from wsgiref.simple_server import make_server; from seen import wsgi; make_server('127.0.0.1', int(sys.argv[1]), wsgi).serve_forever()", "{}"),
    "gunicorn": ("-m", "gunicorn", "--bind", "127.0.0.1:{}", "seen:wsgi"),
    "gunicorn, header-map dangerous": ("-m", "gunicorn", "--header-map", "dangerous", "--bind", "127.0.0.1:{}", "seen:wsgi"),
    "waitress": ("-m", "waitress", "--listen=127.0.0.1:{}", "seen:wsgi"),
    "uvicorn, WSGI": ("-m", "uvicorn", "--interface", "wsgi", "--port", "{}", "seen:wsgi"),
    "uvicorn, ASGI": ("-m", "uvicorn", "--interface", "asgi3", "--lifespan", "off", "--port", "{}", "seen:asgi"),
}


def ask(words):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, *(word.replace("{}", str(port)) for word in words)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/", headers={"gjzwfwpt_rid": "220000"})
                return connection.getresponse().read().decode()
            except OSError:
                time.sleep(0.2)
        raise SystemExit("does not start")
    finally:
        server.terminate()  # gunicorn ends its workers
        server.wait(20)


seen = {name: ask(words) for name, words in SERVERS.items()}
for name, value in seen.items():
    print(f"{name}: {value}")
assert seen == {
    "Werkzeug": "nothing",
    "wsgiref": "220000",
    "gunicorn": "nothing",
    "gunicorn, header-map dangerous": "220000",
    "waitress": "nothing",
    "uvicorn, WSGI": "220000",
    "uvicorn, ASGI": "220000",
}
PY
"$place/bin/python" ask.py
