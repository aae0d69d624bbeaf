"""Requests that cost the system more than their sender: deep and large bodies, pictures, half requests."""

import base64
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import product
from typing import Final
from urllib.parse import urlsplit

import psutil

from attack.campaigns.routes import read_table
from attack.sending import Answer, Line, Request, api, bearer
from attack.tally import Tally
from attack.trying import Try, send_all
from attack.world import World

_MOST_GROWTH_MIB: Final = 300  # of one web process, at any time
_MOST_SECONDS: Final = 5.0  # until a code is shown meanwhile
_SIDE: Final = 5000  # pixels of a picture
_SENDERS: Final = 8
_HALF_OPEN: Final = 100
_DEPTHS: Final = (50, 500, 5_000, 8_000)
_JSON: Final = (("Content-Type", "application/json"), ("Sec-Fetch-Site", "same-origin"))


def run(world: World, tally: Tally) -> None:
    """Try each, while somebody else opens their code. Raises Failed."""
    for part in (_deep, _pictures, _half_requests):
        if not tally.is_full:
            with _looked_on(world, tally, part.__name__.strip("_").replace("_", " ")):
                part(world, tally)


def _deep(world: World, tally: Tally) -> None:
    """Every route that takes JSON, with bodies that are nested, wide, long, or announced and not sent."""
    citizen = world.citizen()
    bodies: dict[str, bytes] = {f"nested {depth}": b'{"username":' * depth + b"1" + b"}" * depth for depth in _DEPTHS}
    bodies |= {f"a list of lists {depth}": b"[" * depth + b"]" * depth for depth in _DEPTHS}
    bodies |= {"wide": b'{"a":[' + b",".join([b"1"] * 7000) + b"]}", "too large": b'{"a":"' + b"a" * 40_000 + b'"}'}
    bodies |= {
        "a long number": b'{"celsius":' + b"9" * 8000 + b"}",
        "escapes": b'{"code":"' + rb"\u0000" * 2000 + b'"}',
    }
    paths = [path for method, path in sorted(read_table()) if method == "POST" and "<" not in path]
    callers = ((), bearer(citizen.session), world.station())
    tries = [
        Try(Request("POST", path, (*headers, *_JSON), body), None, f"{path}, {words}")
        for path, (words, body), headers in product(paths, bodies.items(), callers)
        if not path.endswith("logout")
    ]
    send_all(world, tally, tries)


def png(side: int) -> bytes:
    """A small file that is a picture of so many pixels on each side, all of them white."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"\xff" * (-(-side // 8))
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packed = zlib.compress(row * side, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _pictures(world: World, tally: Tally) -> None:
    """Accounts without a decision, which may not appeal, send three large pictures each, all at once."""
    picture = base64.b64encode(png(_SIDE)).decode()
    senders = [world.citizen(is_declared=number % 2 == 0) for number in range(_SENDERS)]
    body = {"text": "示例", "attachments": [picture] * 3}

    def send(number: int) -> Answer:
        line = Line(world.hosts[0], world.address())
        return line.send(api("POST", "/api/v1/appeals", body, bearer(senders[number].session)))

    for _ in range(2):
        with ThreadPoolExecutor(_SENDERS) as pool:
            for answer in pool.map(send, range(_SENDERS)):
                tally.judge(answer, "/api/v1/appeals", None, "an appeal with large pictures")


def _half_requests(world: World, tally: Tally) -> None:
    """Connections that never say all of what they began to say; the proxy in front reads requests whole."""
    at = urlsplit(world.hosts[0])
    began = (
        b"POST /api/v1/wechat/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n"
    )
    with ExitStack() as stack:
        for number in range(_HALF_OPEN):
            with suppress(OSError):
                one = stack.enter_context(socket.create_connection((str(at.hostname), at.port), timeout=5))
                one.sendall(began if number % 2 else began + b"\r\n{")
        line = world.line()
        shed = 0
        for _ in range(30):
            column = tally.judge(line.send(Request("GET", "/api/v1/home")), "/api/v1/home", True, "others meanwhile")
            shed += column == "shed"
            time.sleep(0.1)
        tally.figures["half requests: of 30 others shed, without a proxy"] = shed


# --- looking on


@contextmanager
def _looked_on(world: World, tally: Tally, what: str) -> Iterator[None]:
    """Have somebody open their code all the while, and look at the memory of the web processes."""
    citizen, ended = world.citizen(), threading.Event()
    before, worst = _memory(world), {"MiB": 0.0, "s": 0.0}

    def look() -> None:
        line = world.line()
        while not ended.wait(0.1):
            answer = line.send(Request("GET", "/api/v1/code", bearer(citizen.session)))
            tally.judge(answer, "/api/v1/code", True, f"a code meanwhile, {what}")
            worst["s"] = max(worst["s"], answer.seconds)
            now = _memory(world)
            worst["MiB"] = max([worst["MiB"], *(now[pid] - before.get(pid, 0.0) for pid in now)])

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()
    _judge(tally, what, worst)
    tally.hold(set(before) <= set(_memory(world)), f"{what}: a web process has ended")


def _judge(tally: Tally, what: str, worst: Mapping[str, float]) -> None:
    tally.figures[f"{what}: MiB more in a web process"] = round(worst["MiB"])
    tally.figures[f"{what}: s until a code is shown"] = round(worst["s"], 2)
    tally.hold(worst["MiB"] <= _MOST_GROWTH_MIB, f"{what}: a web process grows by {worst['MiB']:.0f} MiB")
    tally.hold(worst["s"] <= _MOST_SECONDS, f"{what}: somebody waits {worst['s']:.1f} s for their code")


def _memory(world: World) -> dict[int, float]:
    """The memory of each web process of the first host, in MiB."""
    found = {}
    for process in world.system.programs["web"].children():
        with suppress(psutil.Error):
            found[process.pid] = process.memory_info().rss / 2**20
    return found
