"""What came of the requests of a campaign, counted by what ought to have come of them."""

import threading
from collections import Counter
from typing import Final
from urllib.parse import urlsplit

from attack.sending import Answer

COLUMNS: Final = ("tried", "refused", "allowed", "shed", "let in", "5xx", "unmet")
BAD: Final = ("let in", "5xx", "unmet")
_REFUSALS: Final = frozenset({400, 401, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415, 417, 421, 422, 429, 431, 501})
_WAYS_BACK: Final = ("/console/login", "/console/account/password")  # where a page sends who may not see it
# what no answer may contain: the inside of the program, or of the database
_INSIDE: Final = (b"Traceback (most recent", b"$argon2", b"psycopg", b"sqlalchemy", b"site-packages", b"postgresql://")


def is_refused(answer: Answer, path: str) -> bool:
    """Return whether an answer gives nothing: a refusal, the way to the log-in, or the same address with its slash."""
    if answer.status in _REFUSALS:
        return True
    if not 300 <= answer.status < 400:
        return False
    to, asked = urlsplit(answer.location).path, path.partition("?")[0]
    return to in _WAYS_BACK or (answer.status in (301, 308) and to.rstrip("/") == asked.rstrip("/"))


class Tally:
    """The counts of one campaign, and a line for everything that must not be. For several threads."""

    def __init__(self, campaign: str, most: int) -> None:
        self.campaign, self.most = campaign, most
        self.counts: Counter[str] = Counter()
        self.findings: Counter[tuple[str, str]] = Counter()  # column and words
        self.figures: dict[str, float] = {}  # what was measured beside the counts
        self.secrets: tuple[bytes, ...] = ()  # what no answer may contain
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        return self.counts["tried"] >= self.most

    @property
    def is_good(self) -> bool:
        return self.counts["tried"] > 0 and not any(self.counts[column] for column in BAD)

    def judge(self, answer: Answer, path: str, may: bool | None, words: str) -> str:
        """Count an answer by whether the caller may have it (None: either); return its column."""
        column = self._column(answer, path, may)
        with self._lock:
            self.counts["tried"] += 1
            self.counts[column] += 1
            if column in BAD:
                self.findings[column, f"{words}: {answer.status} {answer.slug or answer.location}".rstrip()] += 1
        return column

    def _column(self, answer: Answer, path: str, may: bool | None) -> str:
        if answer.status == 503 and "retry-after" in answer.headers:
            return "shed"
        if answer.status == 0 or (answer.status >= 500 and answer.status != 501):
            return "5xx"
        if _sends_elsewhere(answer) or any(secret in answer.body for secret in (*_INSIDE, *self.secrets)):
            return "let in"
        refused = is_refused(answer, path)
        if may and answer.status in (401, 403):
            return "unmet"
        if refused:
            return "refused"
        return "allowed" if may is None or may else "let in"

    def hold(self, is_so: bool, words: str, number: int = 1) -> None:
        """Count something that was reached and must not be, unless it is so that it was not."""
        if not is_so:
            self._find("let in", words, number)

    def miss(self, words: str) -> None:
        """Count something that the campaign needed and did not get: its zeros would be worth nothing."""
        self._find("unmet", words, 1)

    def _find(self, column: str, words: str, number: int) -> None:
        with self._lock:
            self.counts[column] += number
            self.findings[column, words] += number

    def ran(self, is_refused: bool) -> None:
        """Count a command of the command line."""
        with self._lock:
            self.counts["tried"] += 1
            self.counts["refused" if is_refused else "allowed"] += 1


def _sends_elsewhere(answer: Answer) -> bool:
    """Return whether a redirect names another host than the one on this machine that was asked."""
    host = urlsplit(answer.location).hostname
    return host is not None and host != "127.0.0.1"
