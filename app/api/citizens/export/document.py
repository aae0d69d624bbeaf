"""What an export has: everything that is kept about a citizen, each part in the shape of the endpoint that shows it."""

from pydantic import BaseModel, Field

from app.api.citizens.access import AccessOut
from app.api.citizens.appeals import AppealOut
from app.api.citizens.bindings import BindingOut
from app.api.citizens.paper_cards import PaperCardOut
from app.api.codes.history import ChangeOut, EvidenceOut, MessageOut, NoticeOut
from app.api.responses import FollowUpOut


class OwnAccountOut(BaseModel):
    """The account, unmasked. `username` is empty until one is chosen; `phone` null where there is none."""

    username: str
    name: str
    document_type: str
    document_number: str
    phone: str | None
    registered_at: str
    text_messages: bool = Field(description="Whether text messages about changes are switched on")


class ExportedDeclarationOut(BaseModel):
    declared_at: str
    symptoms: list[str]
    contact_on: str | None
    consent_version: str
    outcome: str = Field(description="Of its verification: waiting, verified, mismatched, withdrawn …")


class CreditsOut(BaseModel):
    template_id: str
    credits: int
    last_answer: str
    changed_at: str


class FamilyTieOut(BaseModel):
    """A tie of the caller's family; `name` is masked, as the caller sees it elsewhere."""

    shows: str = Field(description="Whose code is shown: `theirs`, by the caller, or the caller's `own`")
    name: str
    consent: str
    may_declare: bool
    since: str
    ends_at: str | None


class CorrectionMadeOut(BaseModel):
    """A request for another document; its numbers are not kept."""

    asked_at: str
    reason: str
    state: str
    resolved_at: str | None


class CheckedDayOut(BaseModel):
    """That the caller's red or orange code was checked on a day, first in this hour of Beijing."""

    day: str
    hour: int


class VenueAskedOut(BaseModel):
    """An application for a venue, or a venue that the caller manages or is offered."""

    name: str
    state: str = Field(description="waiting, approved, refused, withdrawn; managed, or offered")
    since: str


class ExportOut(BaseModel):
    """Everything that is kept about the caller, newest first in each list; texts in the caller's language."""

    made_at: str
    notice: str = Field(description="What this document is, and whom it may be given")
    account: OwnAccountOut
    declarations: list[ExportedDeclarationOut]
    evidence: list[EvidenceOut]
    decisions: list[ChangeOut]
    notices: list[NoticeOut]
    messages: list[MessageOut] = Field(description="About the account, of the last 30 days")
    official_account: bool = Field(description="Whether the WeChat user who asks is known to follow it")
    subscriptions: list[CreditsOut] = Field(description="Of the WeChat user who asks")
    bindings: list[BindingOut]
    appeals: list[AppealOut]
    corrections: list[CorrectionMadeOut] = Field(description="Requests for another document")
    accesses: list[AccessOut]
    document_checks: list[AccessOut]
    family: list[FamilyTieOut] = Field(description="Whose codes the caller shows, and who shows the caller's")
    venues: list[VenueAskedOut] = Field(description="Applied for, managed by the caller, and offered to them")
    paper_card: PaperCardOut | None
    follow_ups: list[FollowUpOut]
    checked_days: list[CheckedDayOut]
