"""Every sentence that the code names is there in both languages, and none is left over."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

import app
from app.audit import AccessReason, RecordPart
from app.codes.evidence import IDENTITY_MISMATCH, OTHER_HOLDER
from app.codes.paper.cards import REVOKED_FOR
from app.codes.states import State
from app.codes.tokens import TokenFault
from app.core.texts import LANGUAGES, citizen_languages, problem_status, slugs, text
from app.follow_ups.transitions import FollowUpAct
from app.rules import load_policy

CODE = Path(app.__file__).parent
SECTIONS = (
    "home-menu", "frame", "subscriptions",
    "states", "notice-color", "notice-advice", "missing", "explain", "verify", "overlaps", "alarms",
    "clearance-reasons", "rejection-reasons", "appeal-outcomes", "appeal-quotes", "evidence-kinds", "withdrawn-for",
    "problems", "next-steps", "fields", "record-roles", "actions", "record-parts", "reasons", "authorities",
)  # fmt: skip
HAN = re.compile("[\u4e00-\u9fff]")
WIDE = re.compile("[\u2e80-\u9fff\uff00-\uffef]")  # letters and punctuation of Chinese
NARROW = re.compile("[\u4e00-\u9fff] ?[:;,?!()]")  # where Chinese has punctuation of its own

# Slugs that are put together while the program runs; each is tested where that happens.
COMPOSED_PROBLEMS = {f"token-{how}" for how in ("malformed", "unknown-key", "forged", "expired", "not-yet-valid")}
COMPOSED_PROBLEMS |= {f"trust-list-{fault}" for fault in ("malformed", "unknown-key", "forged", "broken")}
COMPOSED_FIELDS = {
    f"{kind}-number"
    for kind in (
        "hong-kong-macau-permit",
        "taiwan-permit",
        "taiwan-one-time-permit",
        "passport",
        "travel-document",
        "birth-certificate",
    )
}


@cache
def texts_in_code() -> frozenset[tuple[str, str]]:
    """Every constant text of the code, with the name of the function that it is given to, if any."""
    return frozenset(_texts_in_code())


def _texts_in_code() -> Iterator[tuple[str, str]]:
    for path in CODE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                for place, argument in (*enumerate(node.args), *((one.arg, one.value) for one in node.keywords)):
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield f"{name}:{place}", argument.value
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield "", node.value


def named(*places: str) -> set[str]:
    return {word for place, word in texts_in_code() if place in places}


def test_every_sentence_is_there_in_both_languages_and_differs() -> None:
    for section in SECTIONS:
        for slug in slugs(section):
            zh, en = (text(section, slug, language) for language in LANGUAGES)
            assert HAN.search(zh), (section, slug)
            if section != "notice-color":  # WeChat takes Chinese only
                assert not HAN.search(en), (section, slug)
                assert en.strip() == en != ""


def test_each_language_has_the_letters_and_the_punctuation_of_its_own() -> None:
    files = [*CODE.rglob("texts.toml"), CODE / "rules" / "policy.toml"]
    texts = [text for file in files for text in every_text(tomllib.loads(file.read_text(encoding="utf-8")))]
    assert len(texts) > 1000
    wide_in_english = {place for place, sentence in texts if place.endswith(".en") and WIDE.search(sentence)}
    assert {place.split(".")[0] for place in wide_in_english} == {"notice-color", "console"}, "for WeChat"
    assert "console.other-language.en" in wide_in_english and len(wide_in_english) == 1 + len(slugs("notice-color"))
    assert [place for place, sentence in texts if place.endswith(".zh") and NARROW.search(sentence)] == []


def every_text(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a file, with its place: `problems.busy.zh`."""
    if isinstance(node, str):
        yield place, node
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in inside:
        yield from every_text(inner, f"{place}.{key}" if place else str(key))


# Officers read Chinese or English: what only they, and the command line, can be told is in these two alone.
OWN_NOTICES = ("follow-up", "recovery", "appeal-upheld", "appeal-overturned", "correction", "correction-refused")
OWN_NOTICES += ("venue", "venue-refused", "venue-alarm")
OF_OFFICERS = (
    "appeals",
    "backup",
    "cli",
    "ending",
    "console",
    "entries",
    "follow_ups",
    "review",
    "staff",
    "trust",
    "windows",
    "migrations",
    "audit",
    "statistics",
    "partners",
)
OF_OPERATORS = (
    "app/corrections/review.py",
    "app/venues/review.py",
    "app/visits/exposures.py",
    "app/wechat/miniprogram_codes.py",
    "app/api/wechat/callbacks.py",
    "app/codes/ledger.py",
    "app/devices/registry.py",
    "app/api/partners/interfaces.py",
    "app/api/partners/caller.py",
)


def read_by_citizens(section: str) -> set[str]:
    """The slugs of a section that code beside that of officers names, and those that are put together."""
    own = [
        path.read_text(encoding="utf-8")
        for path in CODE.rglob("*.py")
        if path.relative_to(CODE).parts[0] not in OF_OFFICERS and not str(path).endswith(OF_OPERATORS)
    ]
    named = {slug for slug in slugs(section) if any(f'"{slug}"' in source for source in own)}
    of_tokens = {slug for slug in COMPOSED_PROBLEMS if slug.startswith("token-")}
    return named | (of_tokens if section != "fields" else COMPOSED_FIELDS)


@pytest.mark.parametrize("language", citizen_languages()[len(LANGUAGES) :])
def test_a_language_of_citizens_has_every_text_that_they_read_and_says_who_made_it(language: str) -> None:
    file = CODE / "core" / "languages" / f"{language}.toml"
    sections = tomllib.loads(file.read_text(encoding="utf-8"))
    about = sections.pop("language")
    assert about["name"] and about["made_by"] and about["reviewed"] in (True, False)
    partly = {section: read_by_citizens(section) for section in ("problems", "fields")}
    partly["next-steps"], partly["announced"] = partly["problems"], {"title", "advice"}
    partly |= {f"{name}-notice": {"where", "advice"} for name in OWN_NOTICES}  # a phrase of WeChat takes Chinese alone
    for section, texts in sections.items():
        wanted = partly.get(section, set(slugs(section)))
        assert wanted <= set(texts) <= set(slugs(section)), (section, wanted - set(texts), set(texts) - wanted)
        for slug, sentence in texts.items():
            chinese = text(section, slug, "zh")
            for pattern in (r"\{\w+\}", r"\d{4,}|JSON|PDF|base64|XLSX"):
                assert set(re.findall(pattern, sentence)) == set(re.findall(pattern, chinese)), (section, slug)
            assert text(section, slug, language) == sentence
    assert {"states", "missing", "problems", "fields", "actions", "home-menu", "paper-card"} <= set(sections)


def test_what_a_language_does_not_say_is_said_in_chinese() -> None:
    assert text("problems", "two-persons", "ko") == text("problems", "two-persons", "zh")
    assert text("states", "GREEN", "xx") == "绿码"


def test_every_problem_that_the_code_raises_has_its_words_and_status() -> None:
    raised = named("Problem:0") | COMPOSED_PROBLEMS
    assert raised <= set(slugs("problems"))
    assert all(400 <= problem_status(slug) < 600 for slug in slugs("problems"))


def test_every_refusal_has_a_next_step() -> None:
    assert set(slugs("next-steps")) == set(slugs("problems")) | named("Problem:step")


def test_every_bad_field_that_the_code_tells_has_its_words() -> None:
    told = named("FieldError:1", "bad_field:1") - {"empty", "a control character or a line end"}
    told = {word for word in told if " " not in word}  # WeChat's own FieldError gives its reason in words
    assert told | COMPOSED_FIELDS <= set(slugs("fields"))


def test_no_sentence_is_left_over() -> None:
    every = {word for _, word in texts_in_code()}
    assert set(slugs("problems")) <= every | COMPOSED_PROBLEMS
    assert set(slugs("fields")) <= every | COMPOSED_FIELDS


def test_every_state_has_its_word_its_color_and_its_advice() -> None:
    states = {state.name for state in State} - {"EMPTY"}
    for section in ("states", "notice-color", "notice-advice"):
        assert set(slugs(section)) == states


def test_every_refusal_of_a_token_says_what_to_do() -> None:
    assert set(slugs("verify")) == set(get_args(TokenFault))


def test_everything_that_the_rules_can_miss_has_its_words() -> None:
    wanted = named("append:0") | {word for _, word in texts_in_code()}
    assert set(slugs("missing")) <= wanted


def test_every_deed_that_the_code_enters_about_a_person_has_its_words() -> None:
    summed = {"login-failed", "registration-mismatched"}  # by audit/failed_logins.py
    entered = named("append:2", "append_many:2", "record_act:0") | summed
    # about nobody's record: an account of an officer or inspector, an entry of many, a service window, a question about
    # nobody, the chain; and the empty texts of other calls
    elsewhere = {
        "venue-entrance-added",
        "venue-code-alarm",
        "venue-hours-set",
        "record-sought",
        "chain-verified",
        "keys-adopted",
        "",
    }
    elsewhere |= {"trust-list-imported", "device-revoked", "partner-added", "partner-revoked", "partner-asked"}
    elsewhere |= {one for one in entered if one.startswith(("officer-", "inspector-", "entry-", "window-"))}
    composed = {f"appeal-{act}" for act in ("read", "attachment-read", "upheld", "mended")}
    composed |= {f"follow-up-{act}" for act in (*FollowUpAct, "overdue")}  # by the context of who acts
    # by an officer or the manager of a venue alone, whose context appends it
    composed |= {
        "document-correction-refused",
        "paper-reprint-asked",
        "venue-approved",
        "venue-refused",
        "venue-closed",
    }
    assert entered - elsewhere == set(slugs("actions")) - {"other"} - composed


def test_every_reason_and_every_part_of_a_record_has_its_words() -> None:
    reasons = {*AccessReason, IDENTITY_MISMATCH, OTHER_HOLDER, "entered-in-error", "other", *REVOKED_FOR}
    assert set(slugs("reasons")) == reasons
    assert set(slugs("record-parts")) == {*RecordPart, "other"}


def test_every_rule_speaks_both_languages() -> None:
    policy = load_policy()
    for rule in policy.rules:
        zh, en = policy.text(rule, "zh"), policy.text(rule, "en")
        for part in ("title", "explanation", "advice"):
            assert HAN.search(getattr(zh, part))
            assert not HAN.search(getattr(en, part))
