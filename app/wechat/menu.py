"""The menu of the mini-program's home page, by columns. Its words are in app/core/texts.toml, section `home-menu`."""

from typing import NamedTuple

from app.core.texts import text


class MenuItem(NamedTuple):
    """One entry of a column: the page of the mini-program that a tap opens, and the API route behind it."""

    id: str
    page: str
    call: str

    def title(self, language: str) -> str:
        """Return what people read."""
        return text("home-menu", self.id, language)


class MenuColumn(NamedTuple):
    """One column of the home page."""

    id: str
    entries: tuple[MenuItem, ...]

    def title(self, language: str) -> str:
        """Return what people read."""
        return text("home-menu", self.id, language)


HOME_MENU: tuple[MenuColumn, ...] = (
    MenuColumn(
        "jixiang-code",
        (
            MenuItem("show-code", "pages/code/code", "/api/v1/code"),
            MenuItem("declare", "pages/declare/declare", "/api/v1/declarations"),
            MenuItem("history", "pages/history/history", "/api/v1/code/history"),
            MenuItem("notices", "pages/notices/notices", "/api/v1/notices"),
            MenuItem("subscribe", "pages/subscriptions/subscriptions", "/api/v1/subscriptions"),
            MenuItem("family", "pages/family/family", "/api/v1/family"),
        ),
    ),
    MenuColumn(
        "account",
        (
            MenuItem("register", "pages/register/register", "/api/v1/accounts"),
            MenuItem("log-in", "pages/login/login", "/api/v1/accounts/login"),
            MenuItem("appeals", "pages/appeals/appeals", "/api/v1/appeals"),
            MenuItem("access", "pages/access/access", "/api/v1/record/access"),
        ),
    ),
)
