#!/usr/bin/env bash
# http-message-signatures 3.0.0 (RFC 9421)
#
# A device signs a request; its clock is half a minute off, one way or the other.
# Guess: the verifier has one tolerance for both directions, `max_age`, and None switches the judging of times off.
# Really: by default a signature is accepted for a day and five seconds after its time, and refused from six seconds
#   before it: a clock that runs slow by hours is let in, one that is 30 s fast is not. max_age=None lifts the first
#   bound alone. The tolerance is an attribute of the class (max_clock_skew), and the time is the machine's own.
# Why it matters: gates whose clocks run ahead are refused with an exception of the kind that a forged signature raises,
#   so nobody can answer them what time it is. Override validate_created_and_expires, and judge `created` after the
#   signature has been verified.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q http-message-signatures==3.0.0 http-sf==1.5.0
cat > "$folder/clocks.py" <<'PY'
from datetime import datetime, timedelta, timezone

from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures.algorithms import HMAC_SHA256


class Message:
    method, url = "POST", "https://example.com/checks"

    def __init__(self):
        self.headers = {}


class Keys(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id):
        return b"an invented secret of 32 letters"

    resolve_private_key = resolve_public_key


def is_accepted(ahead, **how):
    message = Message()
    created = datetime.now(timezone.utc) + timedelta(seconds=ahead)
    HTTPMessageSigner(signature_algorithm=HMAC_SHA256, key_resolver=Keys()).sign(message, key_id="7", created=created)
    try:
        HTTPMessageVerifier(signature_algorithm=HMAC_SHA256, key_resolver=Keys()).verify(message, **how)
    except InvalidSignature:
        return False
    return True


found = {ahead: is_accepted(ahead) for ahead in (-25 * 3600, -23 * 3600, -30, 30)}
none = is_accepted(30, max_age=None)
for ahead, accepted in found.items():
    print(f"a clock {abs(ahead):6} s {'fast' if ahead > 0 else 'slow'}: {'accepted' if accepted else 'refused'}")
print(f"a clock     30 s fast, max_age=None: {'accepted' if none else 'refused'}")
raise SystemExit((list(found.values()), none) != ([False, True, True, False], False))
PY
"$folder/venv/bin/python" "$folder/clocks.py"
