"""The export of a citizen's data as a PDF to read: A4, in the caller's language, one line or two for each fact."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.api.citizens.export.document import ExportOut
from app.citizens.paper.pdf import require_font
from app.core.clock import BEIJING
from app.core.texts import slugs, text

if TYPE_CHECKING:
    from fpdf import FPDF

_FONT: Final = "words"
_MARGIN: Final = 18.0  # millimetres
_LINE: Final = 1.5  # of the height of the letters
_POINT: Final = 25.4 / 72
_END = " · "


def render(made: ExportOut, language: str, font_file: Path) -> bytes:
    """Return an export as PDF. Raises Problem `paper-font-missing`."""
    pdf = _begin(font_file, _word("title", language))
    pdf.set_lang("zh-CN" if language == "zh" else language)
    _write(pdf, _word("title", language), 20)
    _write(pdf, f"{_word('made-at', language)} {_minute(made.made_at)}", 9)
    _write(pdf, made.notice, 9)
    for part, lines in _Lines(made, language).parts():
        pdf.ln(4)
        _write(pdf, _word(part, language), 13)
        shown = list(lines)
        for line in shown or [_word("none", language)]:
            _write(pdf, line, 9)
    return bytes(pdf.output())


class _Lines:
    """The lines of each part of an export, in words."""

    def __init__(self, made: ExportOut, language: str) -> None:
        self._made = made
        self._language = language

    def parts(self) -> Iterator[tuple[str, Iterable[str]]]:
        yield "account", self._account()
        yield "decisions", self._decisions()
        yield "evidence", self._evidence()
        yield "declarations", self._declarations()
        yield "notices", (self._joined(_minute(one.at), one.word, one.title) for one in self._made.notices)
        yield "messages", self._messages()
        yield "appeals", self._appeals()
        yield "corrections", self._corrections()
        yield "accesses", self._accesses()
        yield (
            "document-checks",
            (
                self._joined(_minute(one.at), one.who.authority or "", one.who.district or "")
                for one in self._made.document_checks
            ),
        )
        yield "follow-ups", (self._joined(one.title, one.text) for one in self._made.follow_ups)
        yield "checked-days", (f"{one.day} {one.hour:02}:00–{one.hour + 1:02}:00" for one in self._made.checked_days)
        yield "paper-card", self._paper_card()
        yield "family", self._family()
        yield "venues", self._venues()
        yield "bindings", (_minute(one.bound_at) for one in self._made.bindings)
        yield "subscriptions", (f"{one.template_id}{_END}{one.credits}" for one in self._made.subscriptions)

    def _account(self) -> Iterator[str]:
        account = self._made.account
        kind = text("paper-documents", account.document_type, self._language)
        for slug, value in (
            ("name", account.name),
            ("document", f"{kind} {account.document_number}"),
            ("phone", account.phone),
            ("username", account.username),
            ("registered-at", _minute(account.registered_at)),
            ("text-messages", _word("on" if account.text_messages else "off", self._language)),
            ("official-account", _word("on" if self._made.official_account else "off", self._language)),
        ):
            yield f"{_word(slug, self._language)}　{value or _word('none', self._language)}"

    def _decisions(self) -> Iterator[str]:
        for one in self._made.decisions:
            before, after = (text("states", state, self._language) for state in (one.previous, one.state))
            until = one.until and f"{_word('until', self._language)} {_end(one.until)}"
            title = one.rule.title[self._language]
            yield self._joined(_minute(one.decided_at), f"{before} → {after}", title, until)

    def _evidence(self) -> Iterator[str]:
        for one in self._made.evidence:
            facts = [self._fact(name, one.facts[name]) for name in slugs("facts") if one.facts.get(name)]
            withdrawn = one.withdrawn_at and f"{_word('withdrawn', self._language)} {_minute(one.withdrawn_at)}"
            kind = text("evidence-kinds", one.kind, self._language)
            yield self._joined(_minute(one.at), kind, *facts, one.authority, one.reference, withdrawn)

    def _fact(self, name: str, value: Any) -> str:
        if name == "symptoms":
            comma = "、" if self._language == "zh" else ", "
            value = comma.join(text("symptoms", symptom, self._language) for symptom in value)
        elif name == "status":
            value = text("kinds", value.replace("_", "-"), self._language)
        return f"{text('facts', name, self._language)} {value}"

    def _declarations(self) -> Iterator[str]:
        for one in self._made.declarations:
            symptoms = self._fact("symptoms", one.symptoms) if one.symptoms else _word("no-symptoms", self._language)
            contact = one.contact_on and self._fact("contact_on", one.contact_on)
            known = one.outcome if one.outcome in slugs("declaration-outcomes") else "withdrawn"
            yield self._joined(
                _minute(one.declared_at), symptoms, contact, text("declaration-outcomes", known, self._language)
            )

    def _appeals(self) -> Iterator[str]:
        for one in self._made.appeals:
            yield self._joined(_minute(one.filed_at), one.text, *one.answer)

    def _corrections(self) -> Iterator[str]:
        for one in self._made.corrections:
            reason = text("correction-reasons", one.reason, self._language)
            yield self._joined(_minute(one.asked_at), reason, text("correction-states", one.state, self._language))

    def _paper_card(self) -> Iterator[str]:
        if card := self._made.paper_card:
            yield f"{_minute(card.issued_at)} – {_minute(card.ends_at)}"

    def _family(self) -> Iterator[str]:
        for one in self._made.family:
            yield self._joined(_word(f"family-{one.shows}", self._language), one.name, _minute(one.since))

    def _messages(self) -> Iterator[str]:
        for one in self._made.messages:
            yield self._joined(_minute(one.at), text("message-subjects", one.about, self._language))

    def _venues(self) -> Iterator[str]:
        for one in self._made.venues:
            yield self._joined(one.name, text("venue-states", one.state, self._language), _minute(one.since))

    def _accesses(self) -> Iterator[str]:
        for one in self._made.accesses:
            place = one.who.authority or one.who.district
            yield self._joined(
                _minute(one.at), one.who.words, place, one.what.words, one.why.words if one.why else None
            )

    @staticmethod
    def _joined(*words: str | None) -> str:
        return _END.join(word for word in words if word)


def _word(slug: str, language: str) -> str:
    return text("export-words", slug, language)


def _minute(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _end(moment: str) -> str:
    """Return the moment at which something ends: midnight is the end of its day."""
    at = datetime.fromisoformat(moment).astimezone(BEIJING)
    return f"{at - timedelta(days=1):%Y-%m-%d} 24:00" if (at.hour, at.minute) == (0, 0) else _minute(moment)


def _begin(font_file: Path, title: str) -> "FPDF":
    from fpdf import FPDF

    number = require_font(font_file)

    class Pages(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font(_FONT, size=8)
            self.cell(0, 5, f"{title}　{self.page_no()} / {{nb}}", align="C")

    pdf = Pages(orientation="portrait", unit="mm", format="A4")
    pdf.set_margins(_MARGIN, _MARGIN, _MARGIN)
    pdf.set_auto_page_break(auto=True, margin=_MARGIN)
    pdf.set_title(title)
    pdf.add_font(_FONT, fname=font_file, collection_font_number=number)
    pdf.add_page()
    return pdf


def _write(pdf: "FPDF", words: str, size: float) -> None:
    pdf.set_font(_FONT, size=size)
    pdf.multi_cell(0, size * _POINT * _LINE, words, align="L", new_x="LMARGIN", new_y="NEXT")
