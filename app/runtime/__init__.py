"""The process-wide dependencies, created once from the settings.

Nothing else in the project opens a connection, reads a key or asks for the time.
"""

from app.runtime.clients import connect_redis, make_code_tokens, make_sms_client, make_wechat_client
from app.runtime.making import make_services
from app.runtime.services import Services

__all__ = [
    "Services",
    "connect_redis",
    "make_code_tokens",
    "make_services",
    "make_sms_client",
    "make_wechat_client",
]
