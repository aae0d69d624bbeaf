"""Make the three sounds that an inspector hears, in the mini-program's sounds: `python -m tools.make_sounds`.

Distinguishable by ear: two notes rising to pass, one note twice to measure, three low notes to stop.
"""

import math
import struct
import wave
from pathlib import Path

SOUNDS = Path(__file__).parents[1] / "miniprogram_stub" / "sounds"
RATE, LOUDNESS, FADE = 16_000, 0.6, 0.012  # samples a second, of full scale, seconds

# frequency in Hz (0 is silence) and length in seconds
TUNES = {
    "pass": [(880, 0.09), (1320, 0.16)],
    "measure": [(740, 0.14), (0, 0.08), (740, 0.14)],
    "stop": [(330, 0.18), (0, 0.06), (330, 0.18), (0, 0.06), (262, 0.34)],
}


def note(frequency: int, seconds: float) -> bytes:
    """Return one note as 16-bit samples, faded in and out so that it does not click."""
    count = round(RATE * seconds)
    samples = []
    for index in range(count):
        fade = min(1.0, index / (FADE * RATE), (count - 1 - index) / (FADE * RATE))
        samples.append(round(32767 * LOUDNESS * fade * math.sin(2 * math.pi * frequency * index / RATE)))
    return struct.pack(f"<{count}h", *samples)


def main() -> None:
    SOUNDS.mkdir(exist_ok=True)
    for name, tune in TUNES.items():
        with wave.open(str(SOUNDS / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(b"".join(note(*part) for part in tune))


if __name__ == "__main__":
    main()
