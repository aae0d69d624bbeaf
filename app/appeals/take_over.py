"""What becomes of appeals and doubtful statements when another account claims a code.

The appeals of the earlier holder are theirs: they end, and their words are deleted. A contact that the earlier holder
declared, whose assurance was weaker, may be a lie about the new one, or true of somebody who would like to be rid of
it. The color stays, and an appeal is filed for the new holder, so that an officer answers it like any other.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from app.appeals import appeals, retention
from app.appeals.appeals import NewAppeal
from app.audit import Actor
from app.codes import ledger
from app.codes.models import DecisionRow
from app.core.encryption import FieldEncryption
from app.core.texts import LANGUAGES, text


def take_over(
    session: Session, encryption: FieldEncryption, serial: int, doubtful: Collection[str], now: datetime
) -> None:
    """End the appeals of the earlier holders of a code that has just been claimed, and file one against what binds.

    `doubtful` is the evidence of contacts that others declared with a weaker assurance.
    """
    retention.erase_person(session, serial, actor=Actor("citizen", str(serial)), now=now)
    if not doubtful:  # nothing is read of whom officers know: the work would show that they do
        return
    decision = session.get_one(DecisionRow, ledger.lock_code(session, serial).decision_id)
    if not set(doubtful).isdisjoint(decision.evidence):
        words = "\n".join(text("appeals-by-system", "other-holder", language) for language in LANGUAGES)
        appeals.add(session, encryption, NewAppeal(serial, words, by_system=True), decision, now)
