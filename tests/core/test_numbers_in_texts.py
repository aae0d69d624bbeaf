"""A number of a setting or of the policy is filled into a text; one that a text has itself is that of a constant.

A new text with a number in it fails here, until it takes the number, or is named beside the constant that it quotes.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import app as package
from app import create_app
from app.appeals import appeals, retention
from app.audit import monitoring, verification
from app.citizens.declarations import CONTACT_WINDOW
from app.codes.paper import cards
from app.console.audit.oversight import CHECKPOINT_PERIOD
from app.core.settings.sections.access import PasswordSettings
from app.core.settings.sections.codes import PaperSettings, TokenSettings
from app.core.texts import sections, slugs, text
from app.corrections import requests as corrections
from app.devices.lanes import WINDOW_SECONDS
from app.ending.deciding import NOTICE_DAYS
from app.entries import queries, validation, workflow
from app.entries.signing import remarks
from app.families import invitations
from app.families import retention as families
from app.privacy import retention as privacy
from app.review import oversight
from app.rules import VenueCodeRules
from app.rules.follow_ups import FollowUpRules
from app.runtime import Services
from app.statistics import figures
from app.trust.content import LONGEST
from app.venues import applications, handovers
from app.web import kept_forms
from app.windows import recoveries, statements

PHONE = Path(package.__file__).parents[1] / "miniprogram_stub"
DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
UNITS = {
    "天": DAY, "日": DAY, "小时": HOUR, "分钟": MINUTE, "秒": SECOND, "day": DAY, "hour": HOUR, "minute": MINUTE,
    "second": SECOND, "일": DAY, "시간": HOUR, "분": MINUTE, "초": SECOND,
}  # fmt: skip
WORDS = {
    "二": 2,
    "两": 2,
    "三": 3,
    "七": 7,
    "十": 10,
    "十四": 14,
    "two": 2,
    "three": 3,
    "seven": 7,
    "ten": 10,
    "fourteen": 14,
}
SPAN = re.compile(rf"(?<![月월\d])(\d+|{'|'.join(sorted(WORDS, key=len, reverse=True))}) ?({'|'.join(UNITS)})")

# what each constant is quoted by: sections and slugs of the server
FIXED = (
    (recoveries.OBJECTION_PERIOD, "recovery-notice.advice problems.recovery-open problems.objection-late "
     "done.account-recovered window.recover-hint window.recovered"),
    (corrections.OBJECTION_PERIOD, "correction-notice.advice done.correction-done"),
    (corrections.LASTS, "next-steps.correction-open corrections.hint"),
    (corrections.MOST_PERIOD, "problems.corrections-too-many"),
    (timedelta(seconds=WINDOW_SECONDS), "readings.waiting readings.ambiguous problems.reading-too-old"),
    (remarks.OLD_CONTACT, "remarks.old-contact"), (remarks.APART, "remarks.other-day"),
    (remarks.LONG_QUARANTINE, "remarks.long-quarantine"), (remarks.FAR_AWAY, "remarks.far-away"),
    (workflow.APPROVAL_DEADLINE, "rejection-reasons.not-approved done.entry-urgent entry.urgent-hint"),
    (validation.URGENT_BLOCK_PERIOD, "fields.urgent-before"), (queries.RETURNED_PERIOD, "tasks.returned"),
    (DAY, "problems.list-needs-auditor"),  # restricted_by_lists_in_a_day of alarms.toml
    (timedelta(days=NOTICE_DAYS), "problems.end-too-soon"),
    (appeals.ANSWER_DEADLINE, "figure-hints.appeals appeals.rule"), (figures.DUE_SOON, "appeal-times.soon"),
    (appeals.MAX_APPEALS_PERIOD, "problems.appeals-too-many"),
    (applications.MOST_PERIOD, "problems.venue-applications-too-many"),
    (invitations.LASTS, "next-steps.invitation-not-found"),
    (statements.WAITS, "next-steps.statement-waits statements.hint"), (CONTACT_WINDOW, "fields.date-too-old"),
    (kept_forms.KEPT_FOR, "done.session-ended-form-kept"),
    (timedelta(minutes=10), "figure.not-counted"),  # of the worker's schedule
    (oversight.LAPSED_PERIOD, "audit.of-lapsed audit.of-lists audit.of-ended audit.of-lowered audit.of-released "
     "audit.rejected-hint"),
    (oversight.ALONE_PERIOD, "audit.of-alone"),
    (oversight.ACCESS_PERIOD, "audit.log-ins-hint audit.document-checks-hint audit.accesses-hint"),
    (MINUTE, "next-steps.not-declared"),  # decided by nobody
    (cards.NUMBERS_KEPT, "audit-cards.intro"), (CHECKPOINT_PERIOD, "audit-chain.heads"),
    (verification.MAX_UNSEALED_AGE, "chain-faults.unsealed"), (monitoring.LATE_AFTER, "chain-faults.late"),
)  # fmt: skip
# too short in English for a number, or with one only in Korean
SHORT = {"recovery-notice.advice", "correction-notice.advice", "next-steps.not-declared"}
# and how often the mini-program quotes it, in each language
FIXED_ON_PHONES = (
    (handovers.LASTS, 1), (invitations.LASTS, 2), (corrections.LASTS, 2), (appeals.ANSWER_DEADLINE, 2),
    (retention.RETENTION, 2), (privacy.VISITORS, 1), (privacy.FOLLOW_UPS, 1), (families.ENDED_TIES, 1),
    (DAY, 1),  # OLDEST in utils/duty.js
)  # fmt: skip
FIXED_AT_THE_COMMAND_LINE = (
    (workflow.APPROVAL_DEADLINE, 2), (timedelta(days=NOTICE_DAYS), 1), (LONGEST, 1),
    (timedelta(days=3), 1), (timedelta(seconds=10), 2),  # of the worker's schedule
)  # fmt: skip


def spans(words: str) -> Iterator[timedelta]:
    for number, unit in SPAN.findall(words):
        yield (WORDS.get(number) or int(number)) * UNITS[unit]


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_a_number_of_days_or_hours_in_a_text_of_the_server_is_that_of_a_constant(language: str) -> None:
    named = {place: constant for constant, places in FIXED for place in places.split()}
    found = {f"{section}.{slug}": text(section, slug, language) for section in sections() for slug in slugs(section)}
    quoted = {place: set(spans(words)) for place, words in found.items() if set(spans(words))}
    wrong = {place: those for place, those in quoted.items() if those != {named.get(place)}}
    assert wrong == {}, "fill it in from the setting, or name the constant above"
    assert language == "ko" or set(named) - set(quoted) <= SHORT


def of_phones(language: str) -> str:
    if language == "ko":
        return (PHONE / "languages/ko.js").read_text(encoding="utf-8")
    files = ("texts.js", "texts_privacy.js", "problems.js")
    return "\n".join((PHONE / "utils" / name).read_text(encoding="utf-8") for name in files)


def test_a_number_of_days_or_hours_on_phones_and_at_the_command_line_is_that_of_a_constant() -> None:
    expected: Counter[timedelta] = Counter()
    for constant, times in FIXED_ON_PHONES:
        expected[constant] += times
    of_own = Counter(spans(of_phones("zh and en")))
    assert of_own == Counter({one: 2 * times for one, times in expected.items()})
    assert Counter(spans(of_phones("ko"))) == expected
    catalog = tomllib.loads((Path(package.__file__).parent / "cli/language/zh.toml").read_text(encoding="utf-8"))
    for words in zip(*((en, str(zh)) for part in catalog.values() for en, zh in part.items()), strict=True):
        assert Counter(spans("\n".join(words))) == Counter(dict(FIXED_AT_THE_COMMAND_LINE))


def test_phones_are_told_the_numbers_that_their_words_take(services: Services) -> None:
    usual = dict(re.findall(r"^  (\w+): (\d+),$", (PHONE / "utils/numbers.js").read_text(), re.M))
    defaults = {
        "alerts_kept_days": FollowUpRules().alerts_kept_days,
        "overlap_hours": VenueCodeRules().overlap_hours,
        "paper_days": PaperSettings().days,
        "password_days": PasswordSettings().given_days,
        "strip_hours": TokenSettings().strip_hours,
        "token_seconds": TokenSettings().lifetime_seconds,
        "visits_kept_days": VenueCodeRules().visits_kept_days,
    }
    assert {name: int(number) for name, number in usual.items()} == defaults
    quoted = set(re.findall(r"\{(\w+_(?:days|hours|seconds))\}", of_phones("zh") + of_phones("ko")))
    assert quoted == set(defaults)
    since, _ = services.policy.venue_codes[0]
    rules = VenueCodeRules(visits_kept_days=21, overlap_hours=48)
    policy = replace(services.policy, venue_codes=((since, rules),))
    settings = services.settings.model_copy(update={"paper": PaperSettings(days=90)})
    home = create_app(replace(services, policy=policy, settings=settings)).test_client().get("/api/v1/home").json
    changed = {"visits_kept_days": 21, "overlap_hours": 48, "paper_days": 90}
    assert home and home["numbers"] == {**defaults, **changed}
