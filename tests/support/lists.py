"""Lists of the tests: their people, and what an import says."""

import json
from collections.abc import Callable
from typing import Any

from click.testing import Result

from app.runtime import Services
from tests.support.codes import everything
from tests.support.people import id_number

Import = Callable[..., Result]
AUTHORITY, REFERENCE = "长春市疾病预防控制中心", "长疾控〔2020〕9号"
CONTACTS = {"kind": "contact", "authority": AUTHORITY, "reference": REFERENCE, "exposed_on": "2020-03-19"}


def numbers(*people: int) -> str:
    return "\n".join(["document_number", *(id_number(n) for n in people)]) + "\n"


def told(outcome: Result) -> dict[str, Any]:
    assert outcome.exit_code == 0, outcome.output
    answer: dict[str, Any] = json.loads(outcome.stdout)
    return answer


def facts(services: Services) -> dict[str, Any]:
    """Every row, but for the officers, what they did to be let in, and their signatures."""
    of_officers = ("audit", "failed_logins", "officers", "signed_lists")
    return {name: rows for name, rows in everything(services).items() if name not in of_officers}


def counts(services: Services) -> dict[str, int]:
    return {name: len(rows) for name, rows in everything(services).items()}
