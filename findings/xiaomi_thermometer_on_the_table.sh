#!/usr/bin/env bash
# xiaomi-ble 1.21.2 (PyPI), Home Assistant's reader of Xiaomi's Bluetooth devices
#
# A thermometer for a baby's skin (MiaoMiaoCe MMC-T201-1) sends what its two sensors measure, in hundredths of a degree
# (MiBeacon, object 0x2000). The library gives one number of it, "temperature".
# Guess: it is one of the two, or lies near them: 20 degrees on a table, 39 on somebody with a fever.
# Really: it is a formula of two exponentials around 36.413, fitted to what the vendor's app showed between 36.5 and 37.8.
#   On a table, at any temperature from -20 to 30 degrees, it is 36.3 to 36.4: a person in good health.
#   With both sensors at 38 it is 38.6, at 38.5 40.4, at 39 43.2 and at 40 53.8. With the outer sensor half a degree cooler
#     38 becomes 40.5, and 36.5 a fever of 37.3.
#   From a cool skin on, it falls while both sensors rise: at 35 it is 36.1, less than at 20.
#   Nothing in the answer says that it was calculated, from what, or that it is outside of the range.
# Why it matters: a station that takes it for a measurement lets in everybody who has laid the thermometer down, and whoever
#   has 38.5 is dead by the numbers. Take no device that sends raw sensors for a measurement of a body, refuse numbers outside
#   of 34 to 42, and test a driver at a temperature that nobody has.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q xiaomi-ble==1.21.2
"$folder/venv/bin/python" - <<'PY'
import struct

from bluetooth_sensor_state_data import BluetoothServiceInfo
from xiaomi_ble.parser import XiaomiBluetoothDeviceData

ADDRESS, SERVICE = "58:2D:34:00:00:01", "0000fe95-0000-1000-8000-00805f9b34fb"
VERSION_5_WITH_ADDRESS_AND_OBJECT = 5 << 12 | 0x10 | 0x40
THERMOMETER, TWO_TEMPERATURES_AND_BATTERY = 0x00DB, 0x2000


def advertisement(skin, outer):
    both = struct.pack("<hhB", round(skin * 100), round(outer * 100), 100)
    head = struct.pack("<HHB", VERSION_5_WITH_ADDRESS_AND_OBJECT, THERMOMETER, 1)
    address = bytes.fromhex(ADDRESS.replace(":", ""))[::-1]
    return head + address + struct.pack("<HB", TWO_TEMPERATURES_AND_BATTERY, len(both)) + both


def temperature(skin, outer):
    info = BluetoothServiceInfo(name="", address=ADDRESS, rssi=-60, manufacturer_data={}, source="", service_uuids=[SERVICE],
                                service_data={SERVICE: advertisement(skin, outer)})
    update = XiaomiBluetoothDeviceData().update(info)
    values = {key.key: value.native_value for key, value in update.entity_values.items()}
    assert set(values) == {"temperature", "battery", "signal_strength"}, f"changed: {values}"
    return values["temperature"]


for skin, outer, seen in [
    (-20, -20, 36.4), (5, 5, 36.4), (20, 20, 36.4), (25, 25, 36.4), (30, 30, 36.3), (35, 35, 36.1),
    (36.5, 36.5, 36.5), (37, 37, 36.9), (38, 38, 38.6), (38.5, 38.5, 40.4), (39, 39, 43.2), (40, 40, 53.8),
    (36.5, 36, 37.3), (38, 37.5, 40.5),
]:
    given = temperature(skin, outer)
    print(f"sensors {skin:5} and {outer:5}: temperature {given:.2f}")
    assert round(given, 1) == seen, f"changed: {given}"
PY
