"""The pages of the console by role, for the pictures in docs/screens."""

from typing import Final

from tools.screens.console.administration import CONSOLE, VENUES, console, venues
from tools.screens.console.auditing import AUDIT, audit
from tools.screens.console.ended import ENDED, ended
from tools.screens.console.people import APPEALS, CORRECTIONS, WINDOW, appeals, corrections, window
from tools.screens.console.recording import CONTACTS, EXPOSURES, FOLLOW_UPS, contacts, exposures, follow_ups
from tools.screens.studio import Studio

NAMES: Final = frozenset(
    {*CONSOLE, *APPEALS, *AUDIT, *CONTACTS, *CORRECTIONS, *FOLLOW_UPS, *VENUES, *EXPOSURES, *WINDOW, *ENDED}
)
# the alarms of the audit hold what the same officer records afterwards
_SCENES: Final = (console, contacts, window, corrections, venues, exposures, follow_ups, audit, appeals, ended)


def everything(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield every page of the console."""
    return {name: picture for scene in _SCENES for name, picture in scene(studio, language, width).items()}
