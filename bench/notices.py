"""The rate at which one worker process sends notices, against wechatpy alone, where WeChat takes 50 ms for each.

Everything is real and on this machine, and the worker is started as `jixiang worker` does. Both sides send the same
messages in the same run to the same sandbox.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import psutil
import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, insert, select
from wechatpy import WeChatClient

from app.codes.models import DecisionRow, Notice
from app.codes.states import State
from app.core.queue import defer_notices
from app.runtime import Services
from bench.environment import APPID, DELAY, SECRET, SEND, TEMPLATE, Ground, openid, running, wait_until
from bench.figures import Figure

DATA = {
    "phrase1": {"value": "黄码"},
    "thing2": {"value": "体温异常"},
    "time3": {"value": "2020年3月20日 12:00"},
    "thing4": {"value": "请再次测量体温"},
}


class Sending(NamedTuple):
    """The result: messages and seconds, and the CPU seconds of the sender and of the sandbox."""

    name: str
    messages: int
    seconds: float
    sender_cpu: float
    sandbox_cpu: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


def measure(ground: Ground, name: str, messages: int, sender: psutil.Process, act: Callable[[], None]) -> Sending:
    """Measure an action that sends so many messages."""
    cpu, start = (_cpu(sender), _cpu(ground.sandbox)), time.perf_counter()
    act()
    seconds = time.perf_counter() - start
    return Sending(name, messages, seconds, _cpu(sender) - cpu[0], _cpu(ground.sandbox) - cpu[1])


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def change(services: Services, serials: range, version: int, *, bulk: bool) -> None:
    """Turn each of these codes yellow: decision, notice and job in one transaction."""
    now = services.clock.now()
    decision = {
        "version": version, "previous_state": State.GREEN, "state": State.YELLOW, "rule": "YELLOW-FEVER", "rules": [],
        "evidence": [], "missing": [], "policy_version": "bench", "since": now, "decided_at": now, "actor": "clock",
    }  # fmt: skip
    with services.begin() as session:
        rows = insert(DecisionRow).returning(DecisionRow.id, DecisionRow.serial)
        made = session.execute(rows, [{"serial": serial, **decision} for serial in serials]).all()
        notices = [{"serial": row.serial, "decision_id": row.id, "created_at": now} for row in made]
        session.execute(insert(Notice), notices)
        defer_notices(session, serials, bulk=bulk)


def _count(services: Services, *conditions: Any) -> int:
    with services.sessions() as session:
        return session.scalars(select(func.count()).select_from(Notice).where(*conditions)).one()


def _all_settled(services: Services) -> bool:
    return _count(services, Notice.delivery.in_(("waiting", "sending"))) == 0


# --- the measurement ----------------------------------------------------------------------------------------------


def one_by_one(ground: Ground, messages: int) -> None:
    """Send with wechatpy as its documentation does: in a loop."""
    client = WeChatClient(APPID, SECRET, access_token=_token(ground.wechat))
    client.wxa.API_BASE_URL = f"{ground.wechat}/"
    for number in range(messages):
        client.wxa.send_subscribe_message(openid(number), TEMPLATE, DATA, page="pages/code/code")


def _token(wechat: str) -> str:
    query = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
    body = {**query, "force_refresh": False}
    return str(requests.post(f"{wechat}/cgi-bin/stable_token", json=body, timeout=5).json()["access_token"])


def alone(ground: Ground, messages: int, version: int) -> None:
    """Change so many codes one by one, each with a job."""
    change(ground.services, range(1, messages + 1), version, bulk=False)
    wait_until(lambda: _all_settled(ground.services))


def at_once(ground: Ground, messages: int, version: int) -> None:
    """Make a batch change."""
    change(ground.services, range(1, messages + 1), version, bulk=True)
    wait_until(lambda: _all_settled(ground.services))


def one_among_many(ground: Ground, messages: int, version: int) -> tuple[float, int]:
    """Return the seconds until one change is notified during a batch change, and the number that still waited."""
    change(ground.services, range(1, messages + 1), version, bulk=True)
    wait_until(lambda: _count(ground.services, Notice.delivery == "waiting") < messages * 0.9)
    start = time.perf_counter()
    change(ground.services, range(messages + 1, messages + 2), version, bulk=False)
    wait_until(lambda: _count(ground.services, Notice.serial == messages + 1, Notice.delivery == "sent") > 0)
    seconds = time.perf_counter() - start
    left = _count(ground.services, Notice.delivery == "waiting")
    wait_until(lambda: _all_settled(ground.services))
    return seconds, left


def _check(ground: Ground, sent: int) -> None:
    """Assert that WeChat received each message once that the worker counts as sent, and no other."""
    calls = requests.get(f"{ground.wechat}/sandbox/calls", timeout=5).json()[SEND]
    ours = _count(ground.services, Notice.delivery == "sent")
    if (ours, calls) != (_count(ground.services), sent + ours):
        raise SystemExit(f"{calls - sent} messages reached WeChat, and {ours} notices are called sent.")


def _show(figures: list[Sending], waited: tuple[float, int]) -> None:
    table = Table(title=f"Notices to a WeChat that takes {DELAY * 1000:.0f} ms, one process, {os.cpu_count()} cores")
    for column in ("", "messages", "per second", "against one by one", "CPU ms a message", "of the sandbox"):
        table.add_column(column, justify="right" if column else "left")
    for figure in figures:
        cpu = [f"{seconds / figure.messages * 1000:.1f}" for seconds in (figure.sender_cpu, figure.sandbox_cpu)]
        ratio = f"{figure.rate / figures[0].rate:.1f} ×"
        table.add_row(figure.name, str(figure.messages), f"{figure.rate:.0f}", ratio, *cpu)
    Console(width=120).print(table)
    print(f"One citizen's own change amid a mass change: told after {waited[0]:.2f} s, while {waited[1]} still waited.")


def measure_all(messages: int) -> tuple[list[Sending], tuple[float, int]]:
    """Measure wechatpy one by one, single changes, a batch change, and one change during it."""
    few = max(messages // 40, 20)
    with running(messages + 1) as ground:
        at_once(ground, few, version=1)  # to warm up
        us = psutil.Process()
        sendings = [
            measure(ground, "wechatpy, one by one", few, us, lambda: one_by_one(ground, few)),
            measure(ground, "each change alone", 5 * few, ground.worker, lambda: alone(ground, 5 * few, version=2)),
            measure(ground, "a mass change", messages, ground.worker, lambda: at_once(ground, messages, version=3)),
        ]
        waited = one_among_many(ground, messages, version=4)
        _check(ground, sent=few)
    return sendings, waited


def figures(messages: int) -> list[Figure]:
    (wechatpy, alone, mass), waited = measure_all(messages)
    return [
        Figure("notices of a mass change, a worker process", mass.rate, "/s"),
        Figure("the same against wechatpy one by one", mass.rate / wechatpy.rate, "×", 10),
        Figure("notices of changes each alone against wechatpy", alone.rate / wechatpy.rate, "×"),
        Figure("one change told amid a mass change", waited[0], "s", higher_is_better=False),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000)
    _show(*measure_all(parser.parse_args().messages))


if __name__ == "__main__":
    main()
