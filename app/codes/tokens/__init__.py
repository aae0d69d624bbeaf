"""The token inside the QR code: minting, reading with our keys, and verifying by the published key set alone."""

from app.codes.tokens.code_tokens import NO_GRACE, CodeTokens, KeyState, RecognisedToken, verify
from app.codes.tokens.key_set import KeySetError, parse_key_set
from app.codes.tokens.layout import PREFIX, STATES_WITH_TOKEN, ReadToken, TokenFault, TokenRefused, trim

__all__ = [
    "NO_GRACE",
    "PREFIX",
    "STATES_WITH_TOKEN",
    "CodeTokens",
    "KeySetError",
    "KeyState",
    "ReadToken",
    "RecognisedToken",
    "TokenFault",
    "TokenRefused",
    "parse_key_set",
    "trim",
    "verify",
]
