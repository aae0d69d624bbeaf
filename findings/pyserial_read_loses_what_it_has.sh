#!/usr/bin/env bash
# pyserial 3.5, on Linux
#
# A scanner sends a code and is unplugged, or its port is opened again and it has sent one meanwhile.
# Guess: read(n) returns what has come, and what came before the port was opened is there to read.
# Really: read(n) raises SerialException when the device goes while it waits for more, and the bytes that it had read are
#   gone with it; opening a port throws away all that is in its buffer.
# Why it matters: a code that was read whole is lost, and the gate says nothing. Read one byte, or as many as `in_waiting`
#   says, so that no read waits with bytes in hand; and scan again after a reconnection.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pyserial==3.5
cat > "$folder/scan.py" <<'PY'
import os
import pty
import threading
import time
import tty

import serial


def ends():
    """Two ends of a line: the scanner's, and the name of the port."""
    scanner, port = pty.openpty()
    for end in (scanner, port):
        tty.setraw(end)
    return scanner, port


def unplugged(read):
    """What is read of a code whose scanner is unplugged half a second after it was sent whole."""
    scanner, port = ends()
    got = []

    def take(opened):
        try:
            while True:
                got.append(read(opened))
        except OSError as error:  # pyserial's own is one
            got.append(type(error).__name__.encode())

    with serial.Serial(os.ttyname(port), 9600, timeout=10) as opened:
        thread = threading.Thread(target=take, args=(opened,))
        thread.start()
        time.sleep(0.2)
        os.write(scanner, b"a whole code")
        time.sleep(0.5)
        os.close(scanner)
        thread.join()
    return b"".join(got[:-1])


scanner, port = ends()
os.write(scanner, b"before")
time.sleep(0.2)
with serial.Serial(os.ttyname(port), 9600, timeout=0.3) as opened:
    before = opened.read(100)
asked = unplugged(lambda opened: opened.read(100))
waiting = unplugged(lambda opened: opened.read(max(1, opened.in_waiting)))
print("sent before the port was opened, read after:", before)
print("sent, then unplugged, read(100):            ", asked)
print("sent, then unplugged, read(in_waiting or 1):", waiting)
raise SystemExit((before, asked, waiting) != (b"", b"", b"a whole code"))
PY
"$folder/venv/bin/python" "$folder/scan.py"
