"""`jixiang-dev run`: the whole system on this machine, from an empty directory, until Ctrl-C.

Owns what is started, in which order, and what is printed. PostgreSQL and Valkey are started first and stopped last;
the web server, the worker, the three sandboxes and the phones run as processes of their own in between. What dies is
started again (`supervision.py`).
"""

import errno
import fcntl
import os
import shlex
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import click
import psutil
import requests

from app.cli.language import language
from app.core.clock import make_clock
from app.core.errors import StartError
from app.core.keys import create_keys, is_ended
from app.core.settings import load_settings
from app.migrations.runner import migrate
from app.runtime import make_services
from devstack.directories import made, refusals_told, short_name
from devstack.embedded import start_postgres, start_valkey
from devstack.layout import APP_KEY, PORTS, SMS_KEY, Place, add_official, add_sms, write_config, write_sandbox_config
from devstack.officers import make_demo_officers
from devstack.people import make_demo_people
from devstack.supervision import Part, ProcessPart, RunLog, supervise

__all__ = ["MARK", "Place", "run_everything", "stoppable"]

MARK = "JIXIANG_RUN"  # in the environment of our processes: marks those that a crash has left behind
_READY_SECONDS = 60


def run_everything(directory: Path, port: int) -> None:
    """Start everything, print what to open, and stay until a signal. Raises StartError with what to do."""
    if os.environ.get("JIXIANG_ENVIRONMENT") == "production":
        raise StartError("Sandboxes and invented people have no place in production: unset JIXIANG_ENVIRONMENT.")
    place = Place(made(directory), port)
    with refusals_told(), _closed_to_others(place), _alone(place):
        _end_leftovers(place)
        _check_ports(place)
        with (
            stoppable(),
            start_postgres(place.directory / "postgres") as postgres,
            start_valkey(place.directory / "valkey") as valkey,
        ):
            write_config(place, postgres.database("jixiang"), valkey.url)
            add_official(place)
            add_sms(place)
            write_sandbox_config(place)
            os.environ["JIXIANG_CONFIG"] = str(place.config)
            _run_parts(place, [postgres, valkey], words=_prepare())


@contextmanager
def _closed_to_others(place: Place) -> Iterator[None]:
    """Let the files of this run be read by their owner alone, also those that an earlier release wrote."""
    for file in (place.config, place.log, place.directory / "lock", *(place.directory / "valkey").glob("*")):
        if file.is_file() and not file.is_symlink():
            file.chmod(0o600)
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """Hold the directory against a second run."""
    with (place.directory / "lock").open("w") as lock:
        try:
            # not flock: what a killed run has left behind would hold it on
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise StartError(
                f"Another run already uses {place.directory}: stop it, or choose another directory with --directory."
            ) from None
        yield


def _end_leftovers(place: Place) -> None:
    """End the processes of an earlier run of this directory that was killed before it could end them."""
    ours = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == str(place.directory):
                process.terminate()
                ours.append(process)
    _, alive = psutil.wait_procs(ours, timeout=5)
    for process in alive:
        process.kill()


def _check_ports(place: Place) -> None:
    for port in range(place.port, place.port + PORTS):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError as error:
                raise StartError(
                    f"Port {port} cannot be used ({error.strerror}): stop what uses it, "
                    f"or choose five free ports in a row, such as make run PORT={place.port + 100}."
                ) from None


@contextmanager
def stoppable() -> Iterator[None]:
    """Let a signal end what is under way in good order; closing the terminal is one, unless nohup says otherwise."""

    def stop(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    def hang_up(number: int, frame: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)  # whoever handles that by then

    handlers = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: hang_up}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        del handlers[signal.SIGHUP]
    kept = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _prepare() -> str:
    """Keys, tables and the invented people; returns the log-ins to try."""
    settings = load_settings()
    create_keys(settings.keys.directory, make_clock(settings.clock.file).now())
    migrate(settings.database.url)
    services = make_services(settings)
    try:
        make_demo_officers(services)
        return make_demo_people(services)
    finally:
        services.close()


def _run_parts(place: Place, servers: Sequence[Part], words: str) -> None:
    """Run the processes beside the servers until a signal comes. Raises StartError when one of them keeps dying."""
    commands = _commands(place)
    log = RunLog(place.log, max(map(len, commands)))
    with _metrics(place) as metrics:
        environment = {**os.environ, MARK: str(place.directory), "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
        parts = [ProcessPart(name, [sys.executable, "-m", *line], environment, log) for name, line in commands.items()]
        threading.Thread(target=_tell_when_ready, args=(place, words), daemon=True).start()
        try:
            supervise(servers, parts, log, lambda: is_ended(place.directory / "keys"))
        except StartError as error:
            raise StartError(f"{error} The end of {place.log} says why.") from None
        finally:
            log.close()


@contextmanager
def _metrics(place: Place) -> Iterator[Path]:
    """An empty directory for metrics, on a memory disk where there is one: the files are mapped, and whoever writes to
    one on a full disk is killed."""
    memory = Path("/dev/shm")  # noqa: S108 - a directory of our own is made there, or refused
    name = f"jixiang-metrics-{os.getuid()}-{short_name(place.directory)}"
    metrics = memory / name if os.access(memory, os.W_OK) else place.directory / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)  # of a run that was killed
    metrics.mkdir(mode=0o700)
    try:
        yield metrics
    finally:
        shutil.rmtree(metrics, ignore_errors=True)


def _commands(place: Place) -> dict[str, list[str]]:
    wechat = ["--config", str(place.wechat_config)]
    platform = ["--app-key", APP_KEY, "--secret-file", str(place.directory / "platform-secret")]
    platform += ["--state-file", str(place.directory / "sandbox" / "platform.json")]
    sms = ["--secret-id", SMS_KEY, "--secret-file", str(place.directory / "sms-secret")]
    sms += ["--state-file", str(place.directory / "sandbox" / "sms.json")]
    return {
        "sms": ["sms_sandbox", *sms, "--port", str(place.port + 4)],
        "wechat": ["wechat_sandbox", *wechat, "--port", str(place.port + 1)],
        "platform": ["platform_sandbox", *platform, "--port", str(place.port + 2)],
        "web": ["app", "web", "--port", str(place.port)],
        "worker": ["app", "worker"],
        "phones": ["devstack", "phones", "--web", place.web, "--port", str(place.port + 3)],
    }


def _tell_when_ready(place: Place, words: str) -> None:
    end = time.monotonic() + _READY_SECONDS
    addresses = (f"{place.web}/readyz", place.wechat, place.platform, place.phones, place.sms)
    while not all(_answers(address) for address in addresses):
        if time.monotonic() > end:
            click.echo(f"Not everything answers yet; {place.log} says more.", err=True)
            return
        time.sleep(0.1)
    click.echo(_summary(place, words))


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).ok
    except requests.RequestException:
        return False


def _summary(place: Place, words: str) -> str:
    return _SUMMARIES[language()].format(
        place=place,
        words=words,
        config=shlex.quote(os.path.relpath(place.config)),
        options=f"PORT={place.port} DIRECTORY={shlex.quote(os.path.relpath(place.directory))}",
        log=os.path.relpath(place.log),
    )


_SUMMARIES = {
    "en": """
吉祥码 Jixiang Code is running.

  Phones 两部手机    {place.phones}   declare, scan, measure: the whole system in one window
  Console 管理台     {place.web}/console   for health officers; `jixiang-dev officers` tells how to log in
  API 接口           {place.web}/openapi/swagger
  WeChat 微信沙箱    {place.wechat}   phones, and the messages they received
  Platform 平台沙箱  {place.platform}   its switch, and what it knows of people
  SMS 短信沙箱       {place.sms}   text messages that arrived

{words}

In another terminal:
  export JIXIANG_CONFIG={config}
  .venv/bin/jixiang --help
  make demo {options}

Logs: {log}    Stop: Ctrl-C""",
    "zh": """
吉祥码已启动。

  两部手机  {place.phones}   申报、扫码、测温：一个窗口中的整个系统
  管理台    {place.web}/console   供卫生工作人员使用；`jixiang-dev officers` 显示如何登录
  接口      {place.web}/openapi/swagger
  微信沙箱  {place.wechat}   手机及其收到的消息
  平台沙箱  {place.platform}   开关，以及平台所知的人员
  短信沙箱  {place.sms}   收到的短信

{words}

在另一终端：
  export JIXIANG_CONFIG={config}
  .venv/bin/jixiang --help
  make demo {options}

日志：{log}    停止：Ctrl-C""",
}
