"""The answer to an appeal: sentences composed of slugs and the record, none of them written by an officer."""

from sqlalchemy.orm import Session

from app.appeals.models import Appeal
from app.appeals.record import EvidenceLine, load_lines
from app.codes.models import DecisionRow
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.texts import reword, slugs, text
from app.rules import Policy


def compose_answer(session: Session, policy: Policy, appeal: Appeal, language: str) -> list[str]:
    """Compose the answer to a resolved appeal, sentence by sentence; nothing while it is open."""
    if appeal.state not in ("upheld", "overturned"):
        return []
    assert appeal.outcome is not None
    said = [text("appeal-outcomes", appeal.outcome, language)]
    decision = session.get_one(DecisionRow, appeal.decision_id)
    if appeal.state == "upheld":
        said += [
            _quote("stands", line, language) for line in load_lines(session, decision, _evidence_of_color(decision))
        ]
        return [*said, _quote_decision("stood", policy, decision, language)]
    said += [_quote("withdrawn", line, language) for line in load_lines(session, decision, appeal.withdrawn_evidence)]
    if appeal.added_evidence is not None:
        said += [_quote("added", line, language) for line in load_lines(session, decision, [appeal.added_evidence])]
    return [*said, _quote_decision("is", policy, session.get_one(DecisionRow, appeal.resulting_decision_id), language)]


def _evidence_of_color(decision: DecisionRow) -> set[str]:
    """Return the evidence of the rules that make the color, without that of milder rules beside them."""
    color = State(decision.state).color
    return {id_ for rule in decision.applied_rules if rule["color"] == color for id_ in rule["evidence"]}


def _quote(how: str, line: EvidenceLine, language: str) -> str:
    reason = line.withdrawn_for if line.withdrawn_for in slugs("withdrawn-for") else "other"
    return text("appeal-quotes", how, language).format(
        kind=text("evidence-kinds", line.kind, language),
        day=_day(line, language),
        source=_source(line, language),
        reason=text("withdrawn-for", reason, language),
    )


def _source(line: EvidenceLine, language: str) -> str:
    """Return the authority of a piece of evidence, with the reference of its document where there is one."""
    authority = reword("authorities", line.authority, language)
    return ("，" if language == "zh" else ", ").join(filter(None, (authority, line.document)))


def _day(line: EvidenceLine, language: str) -> str:
    """Return the day of a piece of evidence; of a contact the day on which it was, which a citizen can compare."""
    contact = line.facts.get("exposed_on") or line.facts.get("contact_on")
    if contact:
        return text("appeal-quotes", "last-contact", language).format(day=contact)
    return str(line.at.astimezone(BEIJING).date())


def _quote_decision(how: str, policy: Policy, decision: DecisionRow, language: str) -> str:
    return text("appeal-quotes", how, language).format(
        minute=f"{decision.decided_at.astimezone(BEIJING):%Y-%m-%d %H:%M}",
        state=text("states", State(decision.state).name, language),
        title=policy.text(decision.rule, language, decision.decided_at).title,
    )
