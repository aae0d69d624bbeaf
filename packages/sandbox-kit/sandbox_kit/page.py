"""The page of a sandbox in a browser: plain forms that do what `/sandbox/` does.

Nothing is loaded from elsewhere, everything shown is escaped, and forms of other sites are refused. Its templates
extend `sandbox.html`, which brings the style sheet.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect
from pydantic import ValidationError
from werkzeug.wrappers import Response

from sandbox_kit.guards import load_nothing_from_elsewhere, refuse_other_sites
from sandbox_kit.reading import Impossible, sentence

_BEIJING = ZoneInfo("Asia/Shanghai")


def make_page(package: str, show: Callable[[str], str]) -> Blueprint:
    """The page at `/`; its templates are beside the module of this name.

    `show` renders it, with a mistake to name: a form that cannot be read is answered with the page and 400.
    """
    page = Blueprint("page", package, template_folder="templates")
    page.register_blueprint(Blueprint("kit", __name__, template_folder="templates"))
    page.add_app_template_filter(beijing)
    page.before_request(refuse_other_sites)
    page.after_request(load_nothing_from_elsewhere)

    @page.errorhandler(ValidationError)
    def show_a_bad_value(error: ValidationError) -> tuple[str, int]:
        return show(sentence(error)), 400

    @page.errorhandler(Impossible)
    def show_the_impossible(error: Impossible) -> tuple[str, int]:
        return show(str(error)), 400

    @page.get("/")
    def index() -> str:
        return show("")

    return page


def back() -> Response:
    """To the page, which shows what a form has done."""
    return redirect("/", code=303)


def beijing(moment: datetime | float, shape: str = "%m-%d %H:%M:%S") -> str:
    """A moment, or its seconds since 1970, in the time of Beijing."""
    moment = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    return moment.astimezone(_BEIJING).strftime(shape)
