"""The list of exposure notices as it is published: JSON, signed as a JWS (RFC 7515) in its flattened form.

The key is the one that signs codes; `typ` says that it is no other signed text. Phones read it and keep to themselves
what it has to do with them.
"""

import base64
import json
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from app.core.clock import rfc3339
from app.core.keys import SigningKey
from app.runtime import Services
from app.visits import exposures
from app.visits.exposures import ShownExposure

TYPE: Final = "jixiang-exposures"
FRESH: Final = timedelta(minutes=5)  # for so long the list of a moment is the same text


class ExposureList:
    """The list of a process, which all phones ask for: made anew where another would be, and read whole no more often.

    Requests at one moment may each make it: the texts are the same.
    """

    def __init__(self) -> None:
        self._made: tuple[Hashable, str] = (None, "")

    def read(self, services: Services, session: Session) -> str:
        """Return the signed list of the notices that are published now, one line."""
        now = services.clock.now()
        as_of = datetime.fromtimestamp(now.timestamp() // FRESH.total_seconds() * FRESH.total_seconds(), now.tzinfo)
        signer = services.venue_tokens.signer_at(now)
        wanted = as_of, signer.kid, exposures.find_edition(session, now)
        made_for, text = self._made
        if made_for != wanted:
            text = _sign(signer, as_of, exposures.list_published(session, now))
            self._made = wanted, text
        return text


def _sign(signer: SigningKey, as_of: datetime, published: Sequence[ShownExposure]) -> str:
    notices = [_notice(one) for one in published]
    protected = _text({"alg": "EdDSA", "kid": signer.kid, "typ": TYPE})
    payload = _text({"as_of": rfc3339(as_of), "notices": notices})
    signature = _base64url(signer.private.sign(f"{protected}.{payload}".encode()))
    return json.dumps({"payload": payload, "protected": protected, "signature": signature})


def _notice(shown: ShownExposure) -> dict[str, Any]:
    notice, venue = shown
    return {
        "id": notice.id,
        "venue": venue.id,
        "name": venue.name,
        "district": venue.district,
        "begins_at": rfc3339(notice.begins_at),
        "ends_at": rfc3339(notice.ends_at),
        "reason": notice.reason,
        "until": rfc3339(notice.expires_at),
    }


def _text(content: dict[str, Any]) -> str:
    return _base64url(json.dumps(content, ensure_ascii=False).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
