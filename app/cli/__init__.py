"""`jixiang …`: parse, call, print. Every mistake is one line and a non-zero exit code.

A command holds no rules: it reads its options, calls one function and prints the result. It imports its dependencies
when it runs, so that `jixiang --help` answers at once. `language/` shows every text in Chinese by locale.
"""

from app.cli import audit, backup, cache, clock, erasures, officers, rules, servers, setup, statistics, tokens
from app.cli.base import main
from app.cli.ending import commands
from app.cli.evidence import entries, lists, paper
from app.cli.stations import devices
from app.cli.trust import making, partners, using
from app.cli.wechat import captures, group, poster, replay

__all__ = [
    "audit",
    "backup",
    "cache",
    "captures",
    "clock",
    "commands",
    "devices",
    "entries",
    "erasures",
    "group",
    "lists",
    "main",
    "making",
    "officers",
    "paper",
    "partners",
    "poster",
    "replay",
    "rules",
    "servers",
    "setup",
    "statistics",
    "tokens",
    "using",
]
