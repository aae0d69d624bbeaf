"""`jixiang-verifier --keys FILE < TOKEN`: one line; exit 0 for a valid code, 1 for another, 2 without keys."""

import argparse
import json
import sys
from pathlib import Path

from jixiang_verifier.keys import KeySet, KeySetUnusable
from jixiang_verifier.tokens import Card, Refused, verify


def main() -> int:
    """Read a code from standard input, never from an argument: others on the machine see those."""
    parser = argparse.ArgumentParser(prog="jixiang-verifier", description=__doc__)
    parser.add_argument("--keys", type=Path, required=True, help="saved from /.well-known/jixiang-keys")
    given = parser.parse_args()
    try:
        keys = KeySet.parse(json.loads(given.keys.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        why = (
            str(error)
            if isinstance(error, KeySetUnusable)
            else f"It is no JSON that can be read ({type(error).__name__})."
        )
        print(f"{given.keys}: {why}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        read = verify(sys.stdin.readline().rstrip("\r\n\t"), keys)
    except Refused as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 1
    says = "a card on paper: look at the document" if isinstance(read, Card) else read.state
    print(f"{says}, issued {read.issued_at.isoformat()}, ends {read.ends_at.isoformat()}")  # noqa: T201
    return 0
