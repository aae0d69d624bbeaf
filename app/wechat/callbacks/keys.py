"""The keys of callbacks, read from the files that the settings name."""

from app.core.settings import CallbackKeySettings, read_secret
from app.wechat.callbacks.crypto import CallbackKeys


def read_keys(callbacks: CallbackKeySettings, section: str, appid: str) -> CallbackKeys | None:
    """Return the keys of one account's callbacks; None where the settings name no token. Raises ConfigError."""
    if callbacks.token_file is None:
        return None
    token = read_secret(callbacks.token_file, f"{section}.token_file")
    aes_key = read_secret(callbacks.aes_key_file, f"{section}.aes_key_file") if callbacks.aes_key_file else None
    return CallbackKeys(token, appid, aes_key)
