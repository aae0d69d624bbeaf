#!/usr/bin/env bash
# gmssl 3.2.2 (with gmalg 1.1.2 to compare)
#
# SM2 keys as every other library writes them, in hex: 04 for "not compressed", then the two coordinates. The private keys
# here are 1 to 400, so anybody can see the same.
# Guess: CryptSM2 takes them with 04 as well as without: it looks for 04 at the beginning and takes it away.
# Really: it takes every 0 and 4 at the beginning away (lstrip), so also the first digits of a coordinate that begins so:
#   one key in eight. Where an odd number of digits is left, to sign and to verify raise "Odd-length string", and to
#   encrypt does not: what comes out is addressed to nobody, and not even the owner of the key can read it. Where an even
#   number is left it is the other way round: to encrypt raises, and the signature that is made is false to everybody else.
#   Without 04 a key fares alike if its coordinate begins with 04: one in 256, and these work in neither form.
# Why it matters: a test with one key pair passes seven times in eight. Then one province's key is the eighth, and what was
#   encrypted for it is lost. Set `public_key` to the coordinates after CryptSM2 was made, and the key works in any case.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q gmssl==3.2.2 gmalg==1.1.2
"$folder/venv/bin/python" - <<'PY'
from collections import Counter

import gmalg
from gmssl import sm2

DEFAULT_ID = b"1234567812345678"
MESSAGE = b"220000"


def signing(ours, public):
    try:
        signature = bytes.fromhex(ours.sign_with_sm3(MESSAGE))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    other = gmalg.SM2(pk=public, uid=DEFAULT_ID)
    return "good" if other.verify(MESSAGE, signature[:32], signature[32:]) else "a false signature"


def encrypting(ours, private):
    try:
        return "good" if gmalg.SM2(sk=private).decrypt(b"\x04" + ours.encrypt(MESSAGE)) == MESSAGE else "other text"
    except gmalg.errors.CheckFailedError:
        return "nobody can read it"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def published(number):
    return gmalg.SM2().generate_pk(number.to_bytes(32, "big"))


keys = {number: published(number) for number in range(1, 401)}
special = [number for number, public in keys.items() if public.hex()[2] in "04"]
others = [number for number in keys if number not in special][:10]
print("keys whose coordinate begins with 0 or 4:", len(special), "of", len(keys))
seen = Counter()
for number in special + others:
    private, public = number.to_bytes(32, "big"), keys[number]
    for form, text in (("with 04", public.hex()), ("without", public.hex()[2:]), ("set later", public.hex())):
        ours = sm2.CryptSM2(private_key=private.hex(), public_key=text, mode=1)
        if form == "set later":
            ours.public_key = public.hex()[2:]
        begins = public.hex()[2:4] if public.hex()[2:4] == "04" else "0 or 4" if number in special else "other"
        seen[form, begins, signing(ours, public), encrypting(ours, private)] += 1
for outcome, times in sorted(seen.items()):
    print(times, *outcome, sep=" | ")
odd, even = ("Error: Odd-length string", "nobody can read it"), ("a false signature", "TypeError")
assert Counter({(*outcome[:3], outcome[3].split(":")[0]): times for outcome, times in seen.items()}) == {
    ("with 04", "0 or 4", *odd): 36,
    ("with 04", "0 or 4", *even): 5,
    ("with 04", "04", *even): 3,
    ("with 04", "other", "good", "good"): 10,
    ("without", "0 or 4", "good", "good"): 41,
    ("without", "04", *even): 3,
    ("without", "other", "good", "good"): 10,
    ("set later", "0 or 4", "good", "good"): 41,
    ("set later", "04", "good", "good"): 3,
    ("set later", "other", "good", "good"): 10,
}, "changed"
PY
