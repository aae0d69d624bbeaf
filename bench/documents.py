"""Warm checks by document against checks by code, both on the event loop: `python -m bench.documents`.

In turns, so that whatever else this machine does is in both alike.
"""

import json
import os
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from app.api.document_path import DOCUMENT_PATH
from app.api.fast_path import CHECK_PATH
from app.citizens.document_checks import identities
from app.citizens.documents import DocumentType
from app.core.session_tokens import SessionKind, UserSession
from app.runtime import Services
from bench import figures
from bench.archetypes import document_number
from bench.figures import Figure
from bench.load_environment import CITIZENS, INSPECTORS, Contender, Run, ground, serving, write_checks, wrk

_NAME: Final = "示例甲"
_WARM_SECONDS: Final = 3600
_CEILINGS: Final = ("JIXIANG_DOCUMENT_CHECKS__CEILING", "JIXIANG_DOCUMENT_CHECKS__CEILING_NOT_FOUND")


def write_documents(services: Services, file: Path) -> None:
    """Write the requests for checks by document, and make everybody warm."""
    ends, issue = services.clock.now() + timedelta(hours=2), services.session_tokens.issue
    sessions = [issue(UserSession(SessionKind.INSPECTOR, number, 0, 1, ends)) for number in range(1, INSPECTORS + 1)]
    lines, values = [], {}
    for serial in range(1, CITIZENS + 1):
        number = document_number(serial)
        fingerprint = identities.fingerprint_of(services.encryption, (DocumentType.ID_CARD, number), _NAME)
        values[identities.key_of(fingerprint)] = str(serial)
        body = json.dumps({"type": "id-card", "number": number, "name": _NAME})
        lines.append(f"{sessions[serial % INSPECTORS]}\t{body}\n")
    services.cache.set_values(values, _WARM_SECONDS)
    file.write_text("".join(lines))


def measure(seconds: float = 4, runs: int = 3) -> tuple[Run, Run]:
    """Return the medians of checks by code and by document, 16 connections at a time."""
    os.environ.update(dict.fromkeys(_CEILINGS, "100000000 per minute"))
    with ground() as (services, directory):
        files = directory / "checks", directory / "documents"
        codes, documents = partial(write_checks, services, files[0]), partial(write_documents, services, files[1])
        both = [
            Contender("checks", "app.server:create_server", CHECK_PATH, files[0], codes),
            Contender("documents", "app.server:create_server", DOCUMENT_PATH, files[1], documents),
        ]
        found: list[list[Run]] = [[], []]
        for _ in range(runs):
            for contender, some in zip(both, found, strict=True):
                with serving(contender) as (address, _):
                    wrk(address, contender, 8, 1)
                    some.append(wrk(address, contender, 16, seconds))
    return _median(found[0]), _median(found[1])


def _median(runs: Sequence[Run]) -> Run:
    return Run(*(median(values) for values in zip(*runs, strict=True)))


def main() -> None:
    by_code, by_document = measure()
    found = [
        Figure("checks by code", by_code.rate, "/s"),
        Figure("warm checks by document", by_document.rate, "/s"),
        Figure("checks by document against checks by code", by_document.rate / by_code.rate, "×"),
        Figure("check by code, p50", by_code.p50_ms, "ms", higher_is_better=False),
        Figure("warm check by document, p50", by_document.p50_ms, "ms", higher_is_better=False),
        Figure("warm check by document, p99", by_document.p99_ms, "ms", higher_is_better=False),
    ]
    figures.show("Checks by document, measured", found)


if __name__ == "__main__":
    main()
