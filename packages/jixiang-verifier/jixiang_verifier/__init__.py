"""Verify what a Jixiang code says, by the published keys alone; written from docs/reference/ and nothing else.

A token from a phone (`JX1:`) and one of a strip (`JX3:`) have a state; a card on paper (`JX2:`) has none, and may be in
the list of cards that were reported lost. A code of another province is read by a trust list of issuers.
"""

from jixiang_verifier.issuers import ForeignCode, Issuer, TrustList, read_trust_list, verify_foreign
from jixiang_verifier.keys import KeySet, KeySetUnusable
from jixiang_verifier.revocations import RevocationList, read_revocation_list
from jixiang_verifier.tokens import Card, Code, Refused, verify

__all__ = [
    "Card",
    "Code",
    "ForeignCode",
    "Issuer",
    "KeySet",
    "KeySetUnusable",
    "Refused",
    "RevocationList",
    "TrustList",
    "read_revocation_list",
    "read_trust_list",
    "verify",
    "verify_foreign",
]
