"""`jixiang …`: parse, call, print. Every mistake is one line and a non-zero exit.

Holds no rules: a command reads its options, calls a verb and prints what came of it. A command imports what it needs
when it runs, so that `jixiang --help` answers at once.
"""

from app.cli import audit, cache, clock, evidence, officers, rules, servers, setup, statistics, tokens
from app.cli.base import main
from app.cli.wechat import captures, group, poster, replay

__all__ = [
    "audit",
    "cache",
    "captures",
    "clock",
    "evidence",
    "group",
    "main",
    "officers",
    "poster",
    "replay",
    "rules",
    "servers",
    "setup",
    "statistics",
    "tokens",
]
