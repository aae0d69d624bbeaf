"""`jixiang …`: parse, call, print. Every mistake is one line and a non-zero exit.

Holds no rules: a command reads its options, calls a verb and prints what came of it. A command imports what it needs
when it runs, so that `jixiang --help` answers at once.
"""

from app.cli import (
    audit,
    cache,
    captures,
    clock,
    evidence,
    figures,
    officers,
    poster,
    replay,
    rules,
    running,
    setting_up,
    tokens,
    wechat,
)
from app.cli.base import main

__all__ = [
    "audit",
    "cache",
    "captures",
    "clock",
    "evidence",
    "figures",
    "main",
    "officers",
    "poster",
    "replay",
    "rules",
    "running",
    "setting_up",
    "tokens",
    "wechat",
]
