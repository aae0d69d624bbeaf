"""The service hall's home page: its columns, and the one that leads to the code."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One entry of a column: where a tap leads in the mini-program, and the call behind it."""

    id: str
    zh: str
    en: str
    page: str
    call: str


class Column(NamedTuple):
    """One column of the home page."""

    id: str
    zh: str
    en: str
    entries: tuple[Entry, ...]


HOME: tuple[Column, ...] = (
    Column(
        "jixiang-code",
        "人人有码、码上行动",
        "Everyone has a code",
        (
            Entry("show-code", "查看吉祥码", "Show my Jixiang code", "pages/code/code", "/api/v1/code"),
            Entry("declare", "健康申报", "Declare my health", "pages/declare/declare", "/api/v1/declarations"),
            Entry("history", "变码记录", "Changes of my code", "pages/history/history", "/api/v1/code/history"),
            Entry("notices", "消息", "Messages", "pages/notices/notices", "/api/v1/notices"),
            Entry(
                "subscribe",
                "订阅提醒",
                "Reminders",
                "pages/subscriptions/subscriptions",
                "/api/v1/subscriptions",
            ),
        ),
    ),
    Column(
        "account",
        "我的",
        "Me",
        (
            Entry("register", "注册", "Register", "pages/register/register", "/api/v1/accounts"),
            Entry("log-in", "登录", "Log in", "pages/login/login", "/api/v1/accounts/login"),
            Entry("appeals", "纠错申请", "My appeals", "pages/appeals/appeals", "/api/v1/appeals"),
            Entry("access", "谁看过我的记录", "Who saw my record", "pages/access/access", "/api/v1/record/access"),
        ),
    ),
)
