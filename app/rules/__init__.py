"""The rules: evidence in, one decision out. Pure; imports nothing else of this project."""

from app.rules.decide import decide
from app.rules.decision import AppliedRule, Color, Decision
from app.rules.evidence import Contact, Declaration, Diagnosis, Evidence, Quarantine, Release, Temperature, Verification
from app.rules.policy import EntryDays, Parameters, Policy, PolicyError, RuleText, StationInstruction
from app.rules.policy_file import load_policy

__all__ = [
    "AppliedRule",
    "Color",
    "Contact",
    "Decision",
    "Declaration",
    "Diagnosis",
    "EntryDays",
    "Evidence",
    "Parameters",
    "Policy",
    "PolicyError",
    "Quarantine",
    "Release",
    "RuleText",
    "StationInstruction",
    "Temperature",
    "Verification",
    "decide",
    "load_policy",
]
