"""Where a run keeps its things: the directory's layout, the four ports, and the configuration that it writes."""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

PORTS = 4  # in a row


class Place(NamedTuple):
    """Where a run keeps its things, and its ports: web, WeChat sandbox, platform sandbox, phones."""

    directory: Path
    port: int

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    @property
    def clock(self) -> Path:
        return self.directory / "clock"

    @property
    def log(self) -> Path:
        return self.directory / "run.log"

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def wechat(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def platform(self) -> str:
        return f"http://127.0.0.1:{self.port + 2}"

    @property
    def phones(self) -> str:
        return f"http://127.0.0.1:{self.port + 3}"


def write_config(place: Place, database: str, redis: str) -> None:
    """The configuration of this run, for its processes and for `jixiang` in another terminal."""
    wechat_secret = _secret(place.directory / "wechat-secret")
    platform_secret = _secret(place.directory / "platform-secret")
    token = _secret(place.directory / "wechat-token")
    aes_key = _secret(place.directory / "wechat-aes-key", length=43)
    text = f'''# Written by `jixiang run` at each start; config.example.toml explains every setting.
environment = "local"

[database]
url = {_quoted(database)}

[redis]
url = {_quoted(redis)}

[keys]
directory = {_quoted(place.directory / "keys")}

[clock]
file = {_quoted(place.clock)}

[limits]
login_per_account = "120 per hour"

[wechat]
appid = "wx0000000000000000"
secret_file = {_quoted(wechat_secret)}
api_base = "{place.wechat}"

[wechat.callbacks]
token_file = {_quoted(token)}
aes_key_file = {_quoted(aes_key)}

[platform]
base_url = "{place.platform}"
app_key = "local"
secret_file = {_quoted(platform_secret)}

[sandbox]
state_directory = {_quoted(place.directory / "sandbox")}
push_to = "{place.web}/wechat/callback"
'''
    place.config.write_text(text, encoding="utf-8")


def _quoted(value: Path | str) -> str:
    """A TOML string; what JSON escapes, TOML escapes alike."""
    return json.dumps(str(value), ensure_ascii=False)


def _secret(file: Path, length: int = 32) -> Path:
    """A file with a secret of hexadecimal digits that both our side and the sandbox read; made once."""
    if not file.exists():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as handle:
            handle.write(secrets.token_hex(length)[:length])
    return file
