"""The endpoint for the counts of a venue by entrance and hour; small numbers are hidden."""

from collections.abc import Sequence
from datetime import date

from flask import Response
from pydantic import BaseModel, Field

from app.api.venues.applications import Id, views
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.venues import counts, management
from app.venues.counts import DayOfVenue, EntranceCounts
from app.web import SESSION, get_services, json_response
from app.web.own_record import own_code
from app.web.problems import problem_responses


class CountsQuery(BaseModel):
    venue: Id
    date: str | None = Field(default=None, max_length=10, pattern=r"^\d{4}-\d{2}-\d{2}$", description="Today without")


class HourCountsOut(BaseModel):
    """The checks of an hour: `<10` for 1 to 9, others rounded down to tens."""

    hour: int
    open: bool = Field(description="In the opening hours")
    passed: str
    measured: str
    stopped: str
    scanned: str = Field(description="How often the code at the entrance was scanned")


class EntranceCountsOut(BaseModel):
    id: int
    name: str
    hours: list[HourCountsOut] = Field(description="Those in which something was checked")
    passed: str
    measured: str
    stopped: str
    scanned: str


class VenueCountsOut(BaseModel):
    date: str
    entrances: list[EntranceCountsOut]


@views.get("/counts", responses={200: VenueCountsOut, **problem_responses(404, 422)}, security=SESSION)
def read_counts(query: CountsQuery) -> Response:
    """Return the counts of a Beijing day of a venue that the caller manages."""
    services = get_services()
    with services.sessions() as database:
        serial, day = own_code(database).serial, _day(query.date)
        venue = next((one for one in management.list_venues(database, serial) if one.id == query.venue), None)
        if venue is None:
            raise Problem("venue-not-found")
        found = counts.read_day(database, venue, day)
        entrances = [_entrance_out(found, one) for one in found.entrances]
    return json_response(VenueCountsOut(date=day.isoformat(), entrances=entrances))


def _day(given: str | None) -> date:
    today = get_services().clock.now().astimezone(BEIJING).date()
    try:
        return today if given is None else date.fromisoformat(given)
    except ValueError:
        raise bad_field("/date", "date-form") from None


def _entrance_out(day: DayOfVenue, counted: EntranceCounts) -> EntranceCountsOut:
    rows = enumerate(counted.table.cells)
    hours = [HourCountsOut(hour=hour, open=day.is_open[hour], **_words(cells)) for hour, cells in rows if any(cells)]
    station = counted.station
    return EntranceCountsOut(
        id=station.id, name=station.entrance or station.name, hours=hours, **_words(counted.table.down)
    )


def _words(cells: Sequence[object]) -> dict[str, str]:
    return dict(zip(("passed", "measured", "stopped", "scanned"), map(str, cells), strict=True))
