#!/usr/bin/env bash
# cwt 3.3.0
#
# cwt.encode(claims, key) signs a dict of claims as a CBOR Web Token, the format of digital health certificates.
# Guess: the token carries exactly the claims that were passed, or encode() raises.
# Really: names that are not registered are left out without a word, on their own or beside registered ones, so a dict
#   of only such names becomes a token about nobody, with a good signature; with integer keys the same value is kept.
#   And a dict without times gets three: iat and nbf now, exp in one hour, also when it has an iat of its own.
# Why it matters: a certificate signed with {"color": "green", "region": "22"} verifies everywhere and says neither; one
#   that is meant to last until it is revoked is refused after an hour, on paper already printed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q cwt==3.3.0
"$folder/venv/bin/python" -W error - <<'PY'
import cwt

KEY = cwt.COSEKey.generate_symmetric_key(alg="HS256", kid="1")
EXP, NBF, IAT = 4, 5, 6


def carried(claims):
    return cwt.decode(cwt.encode(claims, KEY), KEY)


def without_times(claims):
    return {key: value for key, value in carried(claims).items() if key not in (EXP, NBF, IAT)}


named = without_times({"iss": "220000", "color": "green", "region": "22"})
only_named = without_times({"color": "green", "region": "22"})
numbered = without_times({1: "220000", -70001: "green", -70002: "22"})
as_json = without_times('{"iss": "220000", "color": "green"}')
print("named:     ", named)
print("only named:", only_named)
print("numbered:  ", numbered)
print("as JSON:   ", as_json)
assert (named, only_named, as_json) == ({1: "220000"}, {}, {1: "220000"}), "changed"
assert numbered == {1: "220000", -70001: "green", -70002: "22"}, "changed"

times = carried({1: "220000"})
old = carried({1: "220000", IAT: 1_600_000_000})
print("without times, exp - iat:", times[EXP] - times[IAT], "and nbf - iat:", times[NBF] - times[IAT])
print("with an iat of 2020:", {key: old[key] - old[IAT] for key in (EXP, NBF)}, "seconds after it")
assert (times[EXP] - times[IAT], times[NBF] - times[IAT]) == (3600, 0), "changed"
assert old[EXP] - old[NBF] == 3600 and old[NBF] > old[IAT] == 1_600_000_000, "changed"
PY
