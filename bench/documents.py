"""A warm check by document against one by code, both as Flask answers them: `python -m bench.documents`.

In turns and in one process, so that whatever else this machine does is in both alike.
"""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient

from app import create_app
from app.citizens.document_checks import identities
from app.citizens.documents import DocumentType
from app.codes.states import State
from app.core.session_tokens import SessionKind, UserSession
from app.core.settings import DocumentCheckSettings
from app.runtime import Services, make_services
from app.web import logs
from bench import figures, load_environment
from bench.archetypes import document_number
from bench.figures import Figure

TURNS = 1_000
_NAME = "示例甲"
_WIDE = DocumentCheckSettings(ceiling="1000000 per minute", ceiling_not_found="1000000 per minute")


def measure(services: Services, turns: int = TURNS) -> tuple[float, float]:
    """Return the medians of a check by code and of one by document, in ms."""
    settings = services.settings.model_copy(update={"document_checks": _WIDE})
    wide = make_services(settings, services.clock)
    wide.lease.start()
    try:
        client = create_app(wide).test_client()
        ends = wide.clock.now() + timedelta(hours=2)
        session = wide.session_tokens.issue(UserSession(SessionKind.INSPECTOR, 1, 0, 1, ends))
        by_code, by_document = _asks(client, wide, {"Authorization": f"Bearer {session}"})
        times: tuple[list[float], list[float]] = ([], [])
        for turn in range(1, turns + 1):
            for ask, seconds in zip((by_code, by_document), times, strict=True):
                begun = time.perf_counter()
                assert ask(turn)
                seconds.append(time.perf_counter() - begun)
        return 1000 * statistics.median(times[0]), 1000 * statistics.median(times[1])
    finally:
        wide.close()


def _asks(
    client: FlaskClient, services: Services, headers: dict[str, str]
) -> tuple[Callable[[int], bool], Callable[[int], bool]]:
    """Return two functions that check the code with a serial, and say whether it is green; each document is warm."""

    def by_code(serial: int) -> bool:
        token = services.tokens.mint(serial, State.GREEN, services.clock.now())
        answer = client.post("/api/v1/checks", json={"token": token}, headers=headers)
        return bool(answer.json and answer.json["color"] == "GREEN")

    def by_document(serial: int) -> bool:
        document = DocumentType.ID_CARD, document_number(serial)
        key = identities.key_of(identities.fingerprint_of(services.encryption, document, _NAME))
        services.cache.set_values({key: str(serial)}, 60)
        body = {"type": "id-card", "number": document[1], "name": _NAME}
        answer = client.post("/api/v1/checks/document", json=body, headers=headers)
        return bool(answer.json and answer.json["outcome"] == "green")

    return by_code, by_document


def main() -> None:
    logs.configure("WARNING")
    with load_environment.ground() as (services, _):
        by_code, by_document = measure(services)
    found = [
        Figure("check by code, in Flask, median", by_code, "ms", higher_is_better=False),
        Figure("warm check by document, in Flask, median", by_document, "ms", higher_is_better=False),
        Figure("a check by document against one by code", by_document / by_code, "×", 2, higher_is_better=False),
    ]
    figures.show("Checks by document, measured", found)


if __name__ == "__main__":
    main()
