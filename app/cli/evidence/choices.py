"""What some options take: literal, so that `--help` loads nothing; a test compares each with the code that it names."""

from typing import Final

import click

ENTRY_KINDS: Final = click.Choice(
    ["contact", "quarantine", "suspected", "confirmed", "ruled-out", "recovered", "release"]
)
DOCUMENT_TYPES: Final = click.Choice(
    [
        "id-card",
        "residence-permit",
        "hong-kong-macau-permit",
        "taiwan-permit",
        "taiwan-one-time-permit",
        "permanent-residence",
        "passport",
        "travel-document",
        "birth-certificate",
    ]
)
ACCESS_REASONS: Final = click.Choice(
    ["contact-tracing", "case-review", "quarantine-care", "appeal", "correction", "citizen-request", "oversight"]
)
