"""Reads pictures with the decoders of Python; run by the Python of the folder where they are installed.

Prints one JSON object a line: {"reader", "version", "file", "text"}; text is null where nothing was read.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image

Reader = Callable[[Any], "str | None"]


def readers() -> Iterator[tuple[str, str, Reader]]:
    """Yield name, package and function of every decoder that is there."""
    with suppress(ImportError):
        from pyzbar.pyzbar import decode

        yield "zbar (pyzbar)", "pyzbar", lambda image: next((one.data.decode() for one in decode(image)), None)
    with suppress(ImportError):
        import zxingcpp

        yield "zxing-cpp", "zxing-cpp", lambda image: next((one.text for one in zxingcpp.read_barcodes(image)), None)
    with suppress(ImportError):
        import cv2
        import numpy

        package = "opencv-contrib-python-headless"
        plain, aruco, wechat = cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco(), cv2.wechat_qrcode.WeChatQRCode()
        yield "OpenCV QRCodeDetector", package, lambda image: plain.detectAndDecode(numpy.array(image))[0] or None
        yield "OpenCV Aruco", package, lambda image: aruco.detectAndDecode(numpy.array(image))[0] or None
        yield (
            "OpenCV WeChat, no models",
            package,
            lambda image: next(iter(wechat.detectAndDecode(numpy.array(image))[0]), None),
        )
    with suppress(ImportError):
        from quirc import decode as decode_by_quirc

        yield "quirc (pyquirc)", "pyquirc", lambda image: _first(decode_by_quirc(image))


def _first(found: Any) -> str | None:
    """Return the text of the first code; its data is missing where it was found and not read."""
    for _, data in found:
        if data is not None:
            return bytes(data.payload).decode()
    return None


def main(directory: Path) -> None:
    files = sorted(directory.glob("*.png"))
    for name, package, read in readers():
        for file in files:
            text = None
            with suppress(Exception):  # a decoder that raises has read nothing
                text = read(Image.open(file))
            print(json.dumps({"reader": name, "version": version(package), "file": file.name, "text": text}))


main(Path(sys.argv[1]))
