"""The setup of a measurement: PostgreSQL (durable), Valkey, a WeChat sandbox and a worker, each a process of its own.

Owns how they are started on this machine and filled with invented citizens. It measures nothing.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import requests
from flask import Flask
from sqlalchemy import insert

from app.codes.models import Code
from app.codes.states import State
from app.core.clock import make_clock
from app.core.keys import create_keys
from app.core.settings import load_settings
from app.migrations.runner import migrate
from app.runtime import Services, make_services
from app.wechat.models import Subscription, WeChatUser
from devstack.embedded import start_postgres, start_valkey
from wechat_sandbox import create_sandbox
from wechat_sandbox.state import Phone

APPID, SECRET, TEMPLATE = "wx0000000000000000", "not-a-real-secret", "demo-color-change"
SEND = "/cgi-bin/message/subscribe/send"
DELAY = 0.05  # seconds that WeChat takes for a message
CREDITS = 100
SANDBOX_THREADS = 192  # more than the worker has in flight, so that only the delay counts


class Ground(NamedTuple):
    """The servers and services of a measurement."""

    services: Services
    wechat: str
    sandbox: psutil.Process
    worker: psutil.Process


# --- the other side -----------------------------------------------------------------------------------------------


def openid(number: int) -> str:
    return f"o{number:027d}"


def sandbox() -> Flask:
    """Return a WeChat sandbox with so many phones, each with many credits; granian calls this in its process."""
    app = create_sandbox(appid=APPID, secret=SECRET)
    with app.extensions["wechat-sandbox"].change() as state:
        for number in range(int(os.environ["BENCH_PHONES"])):
            state.add_phone(
                Phone(name=f"示例{number}", openid=openid(number), unionid="", quota={TEMPLATE: 2 * CREDITS})
            )
    return app


@contextmanager
def _process(*arguments: str, **environment: str) -> Iterator[psutil.Process]:
    process = psutil.Popen([sys.executable, *arguments], env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _start_sandbox(url: str, phones: int) -> Iterator[psutil.Process]:
    port = url.rsplit(":", 1)[1]
    serve = (
        "from app.web.server.serving import serve; "
        f"serve('bench.environment:sandbox', '127.0.0.1', {port}, workers=1, threads={SANDBOX_THREADS})"
    )
    with _process("-c", serve, BENCH_PHONES=str(phones)) as process:
        wait_until(lambda: _answers(url))
        order = {"path": SEND, "delay": DELAY}
        requests.put(f"{url}/sandbox/failures", json=order, timeout=5).raise_for_status()
        yield next(iter(process.children()), process)  # the serving process, not its supervisor


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/sandbox/calls", timeout=1).ok
    except requests.ConnectionError:
        return False


def wait_until(come_true: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not come_true():
        if time.monotonic() > end:
            raise SystemExit("The measurement does not come to its end.")
        time.sleep(0.02)


# --- our side -----------------------------------------------------------------------------------------------------


def write_config(directory: Path, database: str, redis: str, wechat: str) -> Path:
    secret, file = directory / "secret", directory / "config.toml"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    file.write_text(f"""environment = "local"
[database]
url = "{database}"
[redis]
url = "{redis}"
[keys]
directory = "{directory / "keys"}"
[wechat]
appid = "{APPID}"
secret_file = "{secret}"
api_base = "{wechat}"
[platform]
base_url = "http://127.0.0.1:9"
app_key = "bench"
secret_file = "{secret}"
""")
    return file


@contextmanager
def our_services(wechat: str) -> Iterator[Services]:
    """Yield services on an empty PostgreSQL and Valkey."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(start_postgres(directory / "postgres"))
        valkey = stack.enter_context(start_valkey(directory / "valkey"))
        config = write_config(directory, postgres.database("jixiang"), valkey.url, wechat)
        os.environ["JIXIANG_CONFIG"] = str(config)
        settings = load_settings()
        create_keys(settings.keys.directory, make_clock(settings.clock.file).now())
        migrate(settings.database.url)
        services = make_services(settings)
        stack.callback(services.close)
        services.lease.renew()  # without a cache of this generation each change would wait for the end of the lease
        yield services


@contextmanager
def running(phones: int) -> Iterator[Ground]:
    wechat = f"http://127.0.0.1:{free_port()}"
    with our_services(wechat) as services, ExitStack() as stack:
        sandbox = stack.enter_context(_start_sandbox(wechat, phones))
        _add_citizens(services, phones)
        worker = stack.enter_context(_process("-m", "app", "worker"))
        yield Ground(services, wechat, sandbox, worker)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _add_citizens(services: Services, citizens: int) -> None:
    """Add citizens with serials from 1, each bound to a phone of the sandbox and subscribed."""
    now, people = services.clock.now(), range(citizens)
    with services.begin() as session:
        session.execute(insert(Code), [{"state": State.GREEN, "opened_at": now} for _ in people])
        session.execute(insert(WeChatUser), [_user(services, number) for number in people])
        ledger = {"template_id": TEMPLATE, "credits": CREDITS, "last_answer": "accept", "changed_at": now}
        session.execute(insert(Subscription), [{"wechat_user_id": number + 1, **ledger} for number in people])


def _user(services: Services, number: int) -> dict[str, Any]:
    now, encryption = services.clock.now(), services.encryption
    return {
        "openid_hash": encryption.fingerprint("openid", openid(number)),
        "openid_ciphertext": encryption.encrypt("wechat_users.openid", openid(number)),
        "serial": number + 1,
        "created_at": now,
        "last_login_at": now,
    }
