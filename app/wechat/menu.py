"""The menu of the mini-program's home page: the entries there are, and the columns in which the province has them.

Its words are in app/core/texts.toml, section `home-menu`; `province.toml` has the columns and titles of its own.
"""

from typing import TYPE_CHECKING, NamedTuple

from app.core import province
from app.core.errors import ConfigError
from app.core.texts import slugs, text

if TYPE_CHECKING:
    from app.core.province.file import Province


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
    own_title: dict[str, str] | None  # by language, of the province

    def title(self, language: str) -> str:
        """Return what people read."""
        if self.own_title is None:
            return text("home-menu", self.id, language)
        return self.own_title.get(language, self.own_title["zh"])


MENU_ITEMS = (
    MenuItem("show-code", "pages/code/code", "/api/v1/code"),
    MenuItem("visit", "pages/visit/visit", "/api/v1/visits/receipts"),
    MenuItem("declare", "pages/declare/declare", "/api/v1/declarations"),
    MenuItem("history", "pages/history/history", "/api/v1/code/history"),
    MenuItem("notices", "pages/notices/notices", "/api/v1/notices"),
    MenuItem("subscribe", "pages/subscriptions/subscriptions", "/api/v1/subscriptions"),
    MenuItem("family", "pages/family/family", "/api/v1/family"),
    MenuItem("register", "pages/register/register", "/api/v1/accounts"),
    MenuItem("log-in", "pages/login/login", "/api/v1/accounts/login"),
    MenuItem("appeals", "pages/appeals/appeals", "/api/v1/appeals"),
    MenuItem("access", "pages/access/access", "/api/v1/record/access"),
    MenuItem("venues", "pages/venues/venues", "/api/v1/venues"),
)


_BY_ID = {item.id: item for item in MENU_ITEMS}


def home_menu() -> tuple[MenuColumn, ...]:
    """Return the columns of this province."""
    return columns_of(province.current())


def columns_of(here: "Province") -> tuple[MenuColumn, ...]:
    """Return the columns of a province. Raises ConfigError for unknown entries, and for columns without a title."""
    names = [name for column in here.menu for name in column.entries]
    mistakes = [f"menu: there is no entry {name}" for name in names if name not in _BY_ID]
    known = slugs("home-menu")
    mistakes += [f"menu: {column.id} needs a title" for column in here.menu if not (column.title or column.id in known)]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return tuple(MenuColumn(c.id, tuple(_BY_ID[name] for name in c.entries), c.title) for c in here.menu)
