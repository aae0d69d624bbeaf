"""The settings of the tests: cheap password hashes, wide limits, invented secrets."""

from pathlib import Path

from app.core.keys import create_keys
from app.core.settings import PasswordSettings, Settings
from tests.support.clock import START

APPID, SECRET, APP_KEY = "wx0000000000000000", "not-a-real-secret", "demo-app"
TOKEN, AES_KEY = "jixiangtoken", "kEy" * 14 + "0"
CHEAP = PasswordSettings(time_cost=1, memory_kib=8)
# the same for a system of its own, which a test starts as everybody does
CHEAP_ENVIRONMENT = {
    "JIXIANG_PASSWORDS__TIME_COST": str(CHEAP.time_cost),
    "JIXIANG_PASSWORDS__MEMORY_KIB": str(CHEAP.memory_kib),
}
_WIDE = "1000 per minute"
_LIMITED = (
    "wechat_login",
    "login",
    "registration",
    "identity_mismatches",
    "declaration",
    "appeal",
    "family_invitations",
    "family_children",
)
_DELAYED = ("login_per_account", "login_per_account_global")  # by less than a millisecond


def make_settings(
    directory: Path, *, database: str, redis: str, wechat: str, platform: str, lease_seconds: float = 1
) -> Settings:
    """The settings for these servers, with every file that they name in the directory."""
    secret = _secret_file(directory / "secret", SECRET)
    callbacks = {
        "token_file": _secret_file(directory / "token", TOKEN),
        "aes_key_file": _secret_file(directory / "aes-key", AES_KEY),
    }
    create_keys(directory / "keys", START)
    limits = dict.fromkeys(_LIMITED, _WIDE) | dict.fromkeys(_DELAYED, "100000 per minute")
    return Settings.model_validate(
        {
            "environment": "test",
            "database": {"url": database},
            "redis": {"url": redis, "lease_seconds": lease_seconds},
            "keys": {"directory": directory / "keys"},
            "passwords": CHEAP,
            "web": {"swagger": True},
            "partners": {"enabled": True},
            "limits": limits,
            "document_checks": dict.fromkeys(("ceiling", "ceiling_not_found"), "100000 per minute"),
            "wechat": {
                "appid": APPID,
                "secret_file": secret,
                "api_base": wechat,
                "read_timeout_seconds": 1,
                "callbacks": callbacks,
            },
            "platform": {
                "base_url": platform,
                "app_key": APP_KEY,
                "secret_file": secret,
                "timeout_seconds": 1,
                "circuit_open_seconds": 1,
            },
        }
    )


def _secret_file(path: Path, secret: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(secret)
    return path
