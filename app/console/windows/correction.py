"""What a clerk proposes for the person at the window whose document has another number or kind."""

from dataclasses import replace

from flask import Response
from pydantic import Field

from app.citizens.documents import DocumentType
from app.console.forms import parse_form
from app.console.pages import redirect_to, views
from app.console.windows.clerk import visit_page
from app.core.errors import Problem, bad_field
from app.web import RequestBody, current_officer, get_services
from app.windows import corrections
from app.windows.lookups import Document


class NewDocumentForm(RequestBody):
    """The document in the clerk's hand."""

    new_type: str = Field(max_length=40)
    new_number: str = Field(max_length=100, repr=False)
    reason: str = Field(max_length=20)


@views.post("/window/visits/<int:id_>/document")
def propose_document(id_: int) -> Response:
    """Propose another document for the person at the window to a second officer."""
    filled = None
    try:
        filled = parse_form(NewDocumentForm)
        if filled.new_type not in set(DocumentType):
            raise bad_field("/new_type", "not-a-choice")
        document = Document(DocumentType(filled.new_type), filled.new_number, "")
        corrections.propose(get_services(), current_officer(), id_, document, filled.reason)
    except Problem as problem:
        return visit_page(id_, _renamed(problem), document=filled)
    return redirect_to("console.show_visit", id_=id_, done="correction-proposed")


def _renamed(problem: Problem) -> Problem:
    """Return the problem with the field of this form, whose page has another number."""
    here = {"/number": "/new_number", "/document/number": "/new_number"}
    problem.fields = tuple(replace(one, pointer=here.get(one.pointer, one.pointer)) for one in problem.fields)
    return problem
