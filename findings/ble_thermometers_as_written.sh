#!/usr/bin/env bash
# bluetooth-sig 0.6.0 (PyPI)
#
# A Bluetooth thermometer indicates a Temperature Measurement (0x2A1C): 00 6C01 00 FF is 364 with the exponent -1, 36.4 °C, as
# the Health Thermometer Profile has it, in IEEE 11073's FLOAT. An oximeter sends SFLOATs (0x2A5E): 62 00 is 98, with exponent 0.
# Guess: a library that calls itself a pure implementation of the standards reads 36.4 and 98, and what it encodes itself,
#   others read.
# Really: the exponent is a signed number in the standard, and the library takes 128 (for SFLOAT 8) from an unsigned one. Each
#   exponent is wrong, also 0: 36.4 °C is 3.64e+129, and 98 % is 9.8e-07. NaN, "no result" and the infinities are right. It
#   encodes likewise, so that its own round trip is 36.4 again; in the bytes any other reader finds 3.64e+129.
#   A time of which the device does not know the year or the day (0, as the profile allows) is an error, and the temperature
#   beside it is lost.
# Why it matters: nothing is raised, each number is a float, and a rule "above 37.3" finds a fever in everybody whose
#   temperature has a decimal place, and in nobody whose has none. Tests that encode and decode with one library pass. Check
#   bytes of the standard's own examples, and refuse temperatures that no body has.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet bluetooth-sig==0.6.0 2> "$folder/pip.log"
cat > "$folder/read.py" <<'PY'
import logging

import msgspec
from bluetooth_sig import BluetoothSIGTranslator

logging.disable()
translator = BluetoothSIGTranslator()


def read(characteristic, indicated):
    return translator.parse_characteristic(characteristic, bytes.fromhex(indicated))


for words, indicated in {
    "36.4 °C": "00 6C0100 FF",
    "36.40 °C": "00 380E00 FE",
    "37 °C": "00 250000 00",
    "not a number": "00 FFFF7F 00",
    "no result": "00 000080 00",
}.items():
    print(f"{words}: {read('2A1C', indicated).temperature}")
oximeter = read("2A5E", "00 6200 3C00")
print(f"98 %, 60 a minute: {oximeter.spo2}, {oximeter.pulse_rate}")

written = translator.encode_characteristic("2A1C", msgspec.structs.replace(read("2A1C", "00 6C0100 FF"), temperature=36.4))
exponent = int.from_bytes(written[4:], signed=True)
mantissa = int.from_bytes(written[1:4], "little", signed=True)
print(f"36.4 °C, encoded: {read('2A1C', written.hex()).temperature}; by the standard: {float(f'{mantissa}e{exponent}'):.3g}")
try:
    print("with a time whose year is not known:", read("2A1C", "02 6C0100 FF 0000 00 00 08 1E 00").temperature)
except Exception as error:
    print("with a time whose year is not known:", str(error).rpartition(": ")[2])
PY
"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/seen"
diff "$folder/seen" - <<'TEXT'
36.4 °C: 3.64e+129
36.40 °C: 3.64e+129
37 °C: 3.7e-127
not a number: nan
no result: nan
98 %, 60 a minute: 9.8e-07, 6e-07
36.4 °C, encoded: 36.4; by the standard: 3.64e+129
with a time whose year is not known: year 0 is out of range
TEXT
