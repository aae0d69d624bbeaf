"""The table with the callers of each route; a route that is not in the table is closed."""

from collections import Counter

from app.api.authorization.callers import Routes
from app.api.authorization.citizens import CITIZENS
from app.api.authorization.console import CONSOLE
from app.api.authorization.service import SERVICE
from app.api.authorization.stations import STATIONS
from app.staff.models import Officer


def one_table(*parts: Routes) -> Routes:
    """Return the parts as one. A route in two of them has no callers that anybody decided on: nothing starts."""
    times = Counter(route for part in parts for route in part)
    twice = [" ".join(route) for route, number in times.items() if number > 1]
    if twice:
        raise ValueError(f"routes with two lines: {', '.join(twice)}")
    return {route: callers for part in parts for route, callers in part.items()}


ROUTE_ROLES = one_table(CITIZENS, STATIONS, SERVICE, CONSOLE)


def can_open(officer: Officer, path: str) -> bool:
    """Return whether an officer may open a page of the console."""
    role = ROUTE_ROLES["GET", path]
    return isinstance(role, frozenset) and bool(role.intersection(officer.roles))
