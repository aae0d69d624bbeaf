"""The rules: evidence in, one decision out. Pure; imports nothing else of this project."""

from app.rules.decide import decide
from app.rules.decision import AppliedRule, Color, Decision
from app.rules.evidence import (
    Admission,
    Contact,
    Declaration,
    Diagnosis,
    Evidence,
    Quarantine,
    Release,
    Temperature,
    Transfer,
    Verification,
)
from app.rules.follow_ups import RECIPIENTS, FollowUpRules, Recipient
from app.rules.policy import EntryDays, Parameters, Policy, PolicyError, RuleText, StationInstruction
from app.rules.policy_file import load_policy
from app.rules.venue_codes import VenueCodeRules

__all__ = [
    "RECIPIENTS",
    "Admission",
    "AppliedRule",
    "Color",
    "Contact",
    "Decision",
    "Declaration",
    "Diagnosis",
    "EntryDays",
    "Evidence",
    "FollowUpRules",
    "Parameters",
    "Policy",
    "PolicyError",
    "Quarantine",
    "Recipient",
    "Release",
    "RuleText",
    "StationInstruction",
    "Temperature",
    "Transfer",
    "VenueCodeRules",
    "Verification",
    "decide",
    "load_policy",
]
