#!/usr/bin/env bash
# granian 2.8.7 (PyPI)
#
# A proxy keeps connections to granian open for the next request, nginx for 60 seconds if nothing else is said. Granian has a
# switch for that, keep_alive, and no time; and header_read_timeout, 30 seconds, against callers who send headers slowly.
# Guess: an idle connection stays open until the proxy closes it, since no header is being read on it.
# Really: what is idle after an answer is ended by header_read_timeout, which begins with the end of that answer: after 1 second
#   where it is 1000, and after 30 by itself. A connection on which nothing was sent yet is not.
# Why it matters: the proxy takes a connection for alive that the server ends in that moment. A GET is sent again; a POST, of
#   which nobody knows whether it was carried out, is a 502 now and then, under no load and with nothing in the server's log.
#   Who lowers the limit against slow callers makes it frequent. Let the proxy's time be the shorter one (keepalive_timeout in
#   nginx's upstream).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet granian==2.8.7 2> "$folder/pip.log"
cd "$folder"
cat > answer.py <<'PY'
async def app(scope, protocol):
    protocol.response_str(200, [], "answer")
PY
cat > ask.py <<'PY'
import contextlib
import socket
import subprocess
import time


@contextlib.contextmanager
def serving(*options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["venv/bin/granian", "--interface", "rsgi", "--port", str(port), "--no-ws", *options, "answer:app"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        server.terminate()
        server.wait()


def connect(port):
    end = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.05)


def ask(connection):
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"answer" in connection.recv(4096)


def is_open(connection, seconds):
    connection.settimeout(seconds)
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return True


for words, options, seconds in (("by itself", (), 5), ("with 1000", ("--http1-header-read-timeout", "1000"), 20)):
    with serving(*options) as port, connect(port) as used, connect(port) as unused:
        ask(used)
        begin = time.monotonic()
        state = "open" if is_open(used, seconds) else "ended"
        print(f"{words}: idle after an answer, for up to {seconds} seconds: {state}")
        if state == "ended":
            print(f"{words}: not before a second: {time.monotonic() - begin > 0.9}")
            print(f"{words}: nothing sent: {'open' if is_open(unused, 3) else 'ended'}")
PY
venv/bin/python ask.py | tee seen
diff seen - <<'TEXT'
by itself: idle after an answer, for up to 5 seconds: open
with 1000: idle after an answer, for up to 20 seconds: ended
with 1000: not before a second: True
with 1000: nothing sent: open
TEXT
