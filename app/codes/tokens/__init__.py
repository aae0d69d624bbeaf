"""The token inside the QR code: minting, reading with our keys, and verifying by the published key set alone."""

from app.codes.tokens.code_tokens import NO_GRACE, CodeTokens, KeyState, RecognisedToken, verify
from app.codes.tokens.key_set import KeySetError, parse_key_set
from app.codes.tokens.layout import PREFIX, STATES_WITH_TOKEN, ReadToken, TokenFault, TokenRefused, parse, trim
from app.codes.tokens.paper_tokens import PAPER_PREFIX, Paper, PaperTokens, ReadPaper, verify_paper
from app.codes.tokens.revocation import ListFault, ListUnusable, RevocationList, read_list
from app.codes.tokens.strip_tokens import (
    STRIP_PREFIX,
    ReadStrip,
    StripHolder,
    StripTokens,
    StripWindow,
    kid_of_strip,
    verify_strip,
)
from app.codes.tokens.venue_tokens import (
    RECEIPT_PREFIX,
    VENUE_PREFIX,
    ReadReceipt,
    ReadVenueCode,
    VenuePrint,
    VenueTokens,
)

__all__ = [
    "NO_GRACE",
    "PAPER_PREFIX",
    "PREFIX",
    "RECEIPT_PREFIX",
    "STATES_WITH_TOKEN",
    "STRIP_PREFIX",
    "VENUE_PREFIX",
    "CodeTokens",
    "KeySetError",
    "KeyState",
    "ListFault",
    "ListUnusable",
    "Paper",
    "PaperTokens",
    "ReadPaper",
    "ReadReceipt",
    "ReadStrip",
    "ReadToken",
    "ReadVenueCode",
    "RecognisedToken",
    "RevocationList",
    "StripHolder",
    "StripTokens",
    "StripWindow",
    "TokenFault",
    "TokenRefused",
    "VenuePrint",
    "VenueTokens",
    "kid_of",
    "parse_key_set",
    "read_list",
    "trim",
    "verify",
    "verify_paper",
    "verify_strip",
]


def kid_of(token: str) -> str:
    """Return the kid in a token that has a state, nothing checked but its form. Raises TokenRefused `malformed`."""
    return kid_of_strip(token) if token.startswith(STRIP_PREFIX) else parse(token).kid
