"""The menu of the mini-program's home page, by columns."""

from typing import NamedTuple


class MenuItem(NamedTuple):
    """One entry of a column: the page of the mini-program that a tap opens, and the API route behind it."""

    id: str
    zh: str
    en: str
    page: str
    call: str


class MenuColumn(NamedTuple):
    """One column of the home page."""

    id: str
    zh: str
    en: str
    entries: tuple[MenuItem, ...]


HOME_MENU: tuple[MenuColumn, ...] = (
    MenuColumn(
        "jixiang-code",
        "人人有码、码上行动",
        "Everyone has a code",
        (
            MenuItem("show-code", "查看吉祥码", "Show my Jixiang code", "pages/code/code", "/api/v1/code"),
            MenuItem("declare", "健康申报", "Declare my health", "pages/declare/declare", "/api/v1/declarations"),
            MenuItem("history", "变码记录", "Changes of my code", "pages/history/history", "/api/v1/code/history"),
            MenuItem("notices", "消息", "Messages", "pages/notices/notices", "/api/v1/notices"),
            MenuItem(
                "subscribe",
                "订阅提醒",
                "Reminders",
                "pages/subscriptions/subscriptions",
                "/api/v1/subscriptions",
            ),
            MenuItem("family", "家人", "Family", "pages/family/family", "/api/v1/family"),
        ),
    ),
    MenuColumn(
        "account",
        "我的",
        "Me",
        (
            MenuItem("register", "注册", "Register", "pages/register/register", "/api/v1/accounts"),
            MenuItem("log-in", "登录", "Log in", "pages/login/login", "/api/v1/accounts/login"),
            MenuItem("appeals", "纠错申请", "My appeals", "pages/appeals/appeals", "/api/v1/appeals"),
            MenuItem("access", "谁看过我的记录", "Who saw my record", "pages/access/access", "/api/v1/record/access"),
        ),
    ),
)
