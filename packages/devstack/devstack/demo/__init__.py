"""`jixiang-dev demo` and `demo-wechat`: stories played against the running system over real HTTP, as a transcript.

Owns nothing of the system: it acts as a mini-program, a station and an officer would. Where nothing runs yet it
starts everything first and stops it afterwards. All people in it are invented.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from app.core.clock import ShiftedClock
from app.core.errors import StartError
from app.trust.root_key import create_root
from devstack.demo.actors import World
from devstack.demo.apart.end_story import CHAPTERS as END_CHAPTERS
from devstack.demo.apart.province_story import CHAPTERS as PROVINCE_CHAPTERS
from devstack.demo.apart.province_story import Provinces, add_partner
from devstack.demo.story import CHAPTERS
from devstack.demo.transcript import Transcript
from devstack.demo.wechat_story import CHAPTERS as WECHAT_CHAPTERS
from devstack.layout import PORTS, find_free_ports
from devstack.run import Place, stoppable

__all__ = ["run_demo", "run_end_demo", "run_province_demo", "run_wechat_demo"]

_START_SECONDS = 90


def run_demo(directory: Path, port: int) -> bool:
    """Play every chapter; True when every step came true. Raises StartError when the system cannot be started."""
    if find_spec("zxingcpp") is None:
        raise StartError("The decoder that reads the code is not installed: run make demo, which installs it.")
    place = Place(directory.resolve(), port)
    ended_well = _play(place, CHAPTERS)
    _tell_of_the_clock(place)
    return ended_well


def run_wechat_demo(directory: Path, port: int) -> bool:
    """Play the story of callbacks, credits and a WeChat in trouble; otherwise as `run_demo`. It moves no clock."""
    return _play(Place(directory.resolve(), port), WECHAT_CHAPTERS)


def run_end_demo() -> bool:
    """Play the end of the service on an installation of its own, which is gone afterwards; otherwise as `run_demo`."""
    with TemporaryDirectory(prefix="jixiang-end-") as directory:
        return _play(Place(Path(directory), find_free_ports()), END_CHAPTERS)


def run_province_demo() -> bool:
    """Play how two installations recognise each other; both are gone afterwards. Otherwise as `run_demo`."""
    with TemporaryDirectory(prefix="jixiang-provinces-") as directory:
        folder, first = Path(directory), find_free_ports(2 * PORTS)
        root = create_root(folder / "root.json")
        places = {name: Place(folder / name, first + at * PORTS) for at, name in enumerate(("jilin", "example"))}
        with stoppable(), ExitStack() as running, Transcript() as transcript:

            def start(name: str, **settings: str) -> World:
                settings |= {"JIXIANG_TRUST__ROOT": root, "JIXIANG_TRUST__ISSUER": name}
                running.enter_context(_running(places[name], settings))
                here = {**settings, "JIXIANG_CONFIG": str(places[name].config)}
                return World(places[name], transcript, environment=here)

            example = start("example", JIXIANG_PARTNERS__ENABLED="true")
            transcript.chapter("合作方 · A partner")
            ways = add_partner(example, folder)
            jilin = start("jilin", JIXIANG_TRUST__WAYS_FILE=str(ways))
            for title, chapter in PROVINCE_CHAPTERS:
                transcript.chapter(title)
                chapter(Provinces(jilin, example, folder))
        return transcript.ended_well


def _play(place: Place, chapters: Sequence[tuple[str, Callable[[World], None]]]) -> bool:
    """Whether every step of these chapters came true."""
    with stoppable(), _running(place), Transcript() as transcript:
        os.environ["JIXIANG_CONFIG"] = str(place.config)
        world = World(place, transcript)
        for title, chapter in chapters:
            transcript.chapter(title)
            chapter(world)
    return transcript.ended_well


def _tell_of_the_clock(place: Place) -> None:
    """Print what the story leaves behind, which a person must know who goes on with this system."""
    days = ShiftedClock(place.clock).offset().days
    if not days:
        return
    directory = shlex.quote(os.path.relpath(place.directory))
    print(
        f"\nThe clock of the system in {directory} now runs {days} days ahead, and stays so: it only moves forward.\n"
        f"The way back: stop the system, then rm -r {directory}. "
        f"系统时钟已前移 {days} 天；停止系统并删除该目录即可复原。"
    )


@contextmanager
def _running(place: Place, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """The system of this directory, started if it does not answer; `environment` has settings of its own."""
    if _ready(place):
        yield
        return
    print(
        f"Nothing answers at {place.web} yet: starting everything in {os.path.relpath(place.directory)} …", flush=True
    )
    command = [sys.executable, "-m", "devstack", "run", "--directory", str(place.directory), "--port", str(place.port)]
    settings = {**os.environ, **(environment or {})}
    runner = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, env=settings)
    try:
        _wait_until_ready(place, runner)
        yield
    finally:
        runner.send_signal(signal.SIGINT)
        runner.wait(30)


def _wait_until_ready(place: Place, runner: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while not _ready(place):
        if runner.poll() is not None:
            raise StartError("The system did not start; the line above says why.")
        if time.monotonic() > end:
            raise StartError(f"The system does not answer; {place.log} says more.")
        time.sleep(0.2)


def _ready(place: Place) -> bool:
    """Whether all parts of this directory's system answer."""
    try:
        answers = [
            requests.get(url, timeout=2) for url in (f"{place.web}/readyz", place.wechat, place.platform, place.sms)
        ]
    except requests.RequestException:
        return False
    if not place.config.exists():
        raise StartError(f"Something else answers at {place.web}: choose other ports with make demo PORT=…")
    return all(answer.ok for answer in answers)
