#!/usr/bin/env bash
# granian 2.8.7
#
# A caller announces 100 bytes, sends 5 and hangs up; so does one who sends its body in chunks and no last chunk.
# Guess: the application sees an error, or is not called.
# Really: with RSGI, `await protocol()` raises ProtocolClosed, and `async for part in protocol` ends as for a whole body:
#   5 bytes and two empty parts. With WSGI, wsgi.input ends the same way, and the environ
#   says wsgi.input_terminated, so that Werkzeug believes it: the view is carried out.
# Why it matters: half of a body is carried out as if it were all of it, and the sender, who has lost the connection,
#   sends the whole again. A reader in parts has to compare with Content-Length; of chunks nobody can say.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q granian==2.8.7
cat > "$folder/seen.py" <<'PY'
import sys


def note(*words):
    print(*words, file=sys.stderr, flush=True)


class Whole:
    async def __rsgi__(self, scope, protocol):
        try:
            note("rsgi-whole", scope.path, len(await protocol()))
        except Exception as error:
            note("rsgi-whole", scope.path, type(error).__name__)


class Parts:
    async def __rsgi__(self, scope, protocol):
        try:
            note("rsgi-parts", scope.path, sum([len(part) async for part in protocol]))
        except Exception as error:
            note("rsgi-parts", scope.path, type(error).__name__)


whole, parts = Whole(), Parts()


def wsgi(environ, start_response):
    note("wsgi", environ["PATH_INFO"], len(environ["wsgi.input"].read(100)), environ["wsgi.input_terminated"])
    start_response("200 OK", [])
    return [b""]
PY
"$folder/venv/bin/python" - "$folder" <<'PY'
import socket
import subprocess
import sys
import time

folder = sys.argv[1]
HEADS = {"length": b"Content-Length: 100\r\n\r\nhalf ", "chunks": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhalf \r\n"}
seen = []
for interface, target in (("rsgi", "whole"), ("rsgi", "parts"), ("wsgi", "wsgi")):
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    server = subprocess.Popen(
        [f"{folder}/venv/bin/granian", "--interface", interface, "--port", str(port), "--blocking-threads", "1",
         "--no-log", f"seen:{target}"],
        cwd=folder, stderr=subprocess.PIPE, text=True,
    )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    for path, rest in HEADS.items():
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(f"POST /{path} HTTP/1.1\r\nHost: a\r\n".encode() + rest)
            time.sleep(0.5)
        time.sleep(0.5)
    server.terminate()
    seen += [line for line in server.communicate()[1].splitlines() if line.startswith(("rsgi", "wsgi"))]
print(*seen, sep="\n")
raise SystemExit(seen != [
    "rsgi-whole /length RSGIProtocolClosed", "rsgi-whole /chunks RSGIProtocolClosed",
    "rsgi-parts /length 5", "rsgi-parts /chunks 5",
    "wsgi /length 5 True", "wsgi /chunks 5 True",
])
PY
