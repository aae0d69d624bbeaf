"""The ceilings of clerks: how many people one of them looks up in an hour and in a day, by district."""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError, field_validator

from app.core.errors import ConfigError
from app.core.province import districts as all_districts


class Ceiling(BaseModel):
    """What one clerk may look up in 60 minutes and in 24 hours."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    in_an_hour: PositiveInt
    in_a_day: PositiveInt


class Ceilings(Ceiling):
    """The ceiling of the province, and those of districts with one of their own."""

    districts: dict[str, Ceiling] = {}

    @field_validator("districts")
    @classmethod
    def are_districts(cls, districts: dict[str, Ceiling]) -> dict[str, Ceiling]:
        """Refuse a name that is no district: its numbers would never apply."""
        if not set(districts) <= set(all_districts()):
            raise ValueError("a name is no district")
        return districts

    def of(self, district: str) -> Ceiling:
        """Return the ceiling of a district."""
        return self.districts.get(district, self)


@cache
def load_ceilings(file: Path | None) -> Ceilings:
    """Load the ceilings of a file, or those that come with the system. Raises ConfigError."""
    file = file or Path(__file__).with_name("ceilings.toml")
    try:
        return Ceilings(**tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError, ValidationError) as error:
        raise ConfigError(f"{file} has no usable ceilings ({type(error).__name__}); correct the file.") from None
