"""`station-bridge key FILE`, `station-bridge run CONFIG` and `station-bridge deliver CONFIG`."""

import argparse
import queue
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from station_bridge.bridge import Bridge, Decision
from station_bridge.cards import Card
from station_bridge.configuration import Configuration, Misconfigured, read_configuration
from station_bridge.inputs import Event, Scan, watch
from station_bridge.lamp import Lamp, print_decision
from station_bridge.messages import say
from station_bridge.published import Published
from station_bridge.server import Refused, Server, Unreachable
from station_bridge.signing import Signer, make_key
from station_bridge.store import Store

_DELIVER_SECONDS: Final = 5.0
_PUBLISHED_SECONDS: Final = 300.0


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="station-bridge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("key", help="make a key, and print its public half").add_argument("file", type=Path)
    commands.add_parser("run", help="read the inputs until stopped").add_argument("file", type=Path)
    commands.add_parser("deliver", help="submit what waits, once").add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    try:
        if given.command == "key":
            print(make_key(given.file))  # noqa: T201
            return 0
        configuration = read_configuration(given.file)
        with closing(Box(configuration)) as box:
            return box.run() if given.command == "run" else box.deliver_once()
    except (Misconfigured, OSError, ValueError, sqlite3.Error, Refused, Unreachable) as error:
        print(f"station-bridge: {error}", file=sys.stderr)  # noqa: T201
        return 1


class Box:
    """The program with its configuration: one thread for each input, one that decides, one that delivers."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        configuration.directory.mkdir(parents=True, exist_ok=True)
        signer = Signer.of_file(configuration.device, configuration.key_file)
        self._server = Server(configuration.server, signer, configuration.language)
        self._published = Published(configuration.directory, configuration.trust_root)
        self._store = Store(configuration.directory / "checks.sqlite")
        self._bridge = Bridge(self._server, self._store, self._published, configuration.language)
        self._bridge.always_offline = configuration.bus is not None
        self._lamp = Lamp(configuration.lamp_command, configuration.lamp_port)
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._stop = threading.Event()
        self._disk_works = True

    def close(self) -> None:
        self._store.close()

    def deliver_once(self) -> int:
        """Submit what waits."""
        sent = self._bridge.deliver()
        self._say("submitted", number=sent.submitted)
        return 0 if not sent.waiting else 1

    def run(self) -> int:
        """Read the inputs until a signal, or until all of them have ended."""
        self._greet()
        watching = [
            threading.Thread(target=watch, args=(one, self._events.put, self._tell, self._stop), daemon=True)
            for one in self._configuration.inputs
        ]
        delivering = threading.Thread(target=self._deliver, daemon=True)
        for thread in (*watching, delivering):
            thread.start()
        threading.Thread(target=self._end_with, args=(watching,), daemon=True).start()
        try:
            while (event := self._events.get()) is not None:
                self._decide(event)
        except KeyboardInterrupt:
            pass
        self._stop.set()
        return 0

    def _end_with(self, watching: list[threading.Thread]) -> None:
        for thread in watching:
            thread.join()
        self._events.put(None)

    def _decide(self, event: Event) -> None:
        decision: Decision | None
        if isinstance(event, Scan):
            decision = self._bridge.scan(event.text)
        elif isinstance(event, Card):
            decision = self._bridge.card(event)
        else:
            decision = self._bridge.temperature(event.celsius)
        if decision is not None:
            print_decision(decision)
            if not self._lamp.show(decision):
                self._tell("input-lost", "lamp")
        self._notice_disk(works=not self._store.is_broken)

    def _greet(self) -> None:
        """Say where this device is; without network it begins by what it knows. Raises Refused: it is not wanted."""
        try:
            self._notice_disk(works=self._published.fetch(self._server))
            me = self._server.me()
        except Unreachable:
            self._say("without-network")
            return
        self._say("ready", station=me["station"], lane=me["lane"])
        if off := round(self._server.clock_is_off.total_seconds()):
            self._say("clock", seconds=off)

    def _deliver(self) -> None:
        """Submit what waits and fetch what is published, again and again; on a bus, in its windows alone."""
        bus, fetched = self._configuration.bus, time.monotonic()
        while not self._stop.wait(bus.every_seconds if bus else _DELIVER_SECONDS):
            try:
                sent = self._bridge.deliver(bus.window_seconds if bus else None)
                if sent.submitted:
                    self._say("submitted", number=sent.submitted)
                if time.monotonic() - fetched > _PUBLISHED_SECONDS:
                    self._notice_disk(works=self._published.fetch(self._server) and not self._store.is_broken)
                    fetched = time.monotonic()
            except Unreachable:
                continue
            except Refused as refused:
                print(refused.words, file=sys.stderr)  # noqa: T201

    def _notice_disk(self, *, works: bool) -> None:
        """Say once that the disk takes nothing; everybody is checked all the same."""
        if self._disk_works and not works:
            self._say("disk")
        self._disk_works = works

    def _tell(self, message: str, name: str) -> None:
        self._say(message, name=name)

    def _say(self, message: str, **values: object) -> None:
        print(say(message, self._configuration.language, **values), file=sys.stderr, flush=True)  # noqa: T201
