"""The fast path: showing a code, checking one, and checking a document, answered by the event loop.

It answers only the common case: a valid session, a fresh cache record, Redis reachable, and to show, a green code.
Everything else passes to Flask unchanged; nothing is refused here except under overload
(`web/server/load_shedding.py`). Both paths use the same functions, and a test compares their responses byte for byte.
"""

from app.api.fast_path.checks import CHECK_PATH
from app.api.fast_path.documents import DOCUMENT_PATH
from app.api.fast_path.entrance import FastPath
from app.api.fast_path.shows import SHOW_PATH

__all__ = ["CHECK_PATH", "DOCUMENT_PATH", "SHOW_PATH", "FastPath"]
