"""Where a run keeps its things: the directory's layout, the five ports, and the configuration that it writes."""

import json
import os
import secrets
import socket
from pathlib import Path
from random import sample
from typing import NamedTuple

from app.core.errors import StartError

PORTS = 5  # in a row
APPID = "wx0000000000000000"
OFFICIAL = "wx0000000000000009"  # the official account
APP_KEY = "local"  # of the platform
SMS_KEY = "local"  # the id of the key for text messages

_CONFIG = """# Written by `jixiang-dev run` at each start; config.example.toml explains every setting.
environment = "local"

[web]
swagger = true

[database]
url = {database}

[redis]
url = {redis}

[keys]
directory = {keys}

[clock]
file = {clock}

[limits]
login_per_account = "120 per hour"

[wechat]
appid = "{appid}"
secret_file = {wechat_secret}
api_base = "{place.wechat}"

[wechat.callbacks]
token_file = {wechat_token}
aes_key_file = {wechat_aes_key}

[platform]
base_url = "{place.platform}"
app_key = "{app_key}"
secret_file = {platform_secret}
"""
_SMS_CONFIG = """
[sms]
gateway = "tencent-cloud"
api_base = "{place.sms}"
secret_id = "{key}"
secret_key_file = {file}
sdk_app_id = "1400000000"
sign_name = "吉林政务"

[sms.templates]
zh = "1000001"
en = "1000002"
ko = "1000003"

[sms.news_templates]
zh = "1000004"
en = "1000005"
ko = "1000006"
"""
_OFFICIAL_CONFIG = """
[wechat.official_account]
appid = "{appid}"
secret_file = {secret}

[wechat.official_account.template]
template_id = "demo-official"

[wechat.official_account.callbacks]
token_file = {token}
aes_key_file = {aes_key}
"""
_SANDBOX_CONFIG = """# Written by `jixiang-dev run` at each start; the README of the sandbox explains every key.
appid = "{appid}"
secret = "{secret}"
state_file = {state}
with_unionid = true

[push]
url = "{place.web}/wechat/callback"
token = "{token}"
aes_key = "{aes_key}"
mode = "safe"

[official]
appid = "{official}"
secret = "{official_secret}"

[official.templates.demo-official]
title = "服务进展通知"
kind = "long-term"
fields = {{ thing1 = "事项", time2 = "时间", thing3 = "说明" }}

[official.push]
url = "{place.web}/wechat/official/callback"
token = "{official_token}"
aes_key = "{official_aes_key}"
mode = "safe"
format = "xml"
"""


class Place(NamedTuple):
    """Where a run keeps its things, and its ports: web, WeChat sandbox, platform sandbox, phones, SMS sandbox."""

    directory: Path
    port: int

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    @property
    def wechat_config(self) -> Path:
        return self.directory / "wechat-sandbox.toml"

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

    @property
    def sms(self) -> str:
        return f"http://127.0.0.1:{self.port + 4}"


def find_free_ports(number: int = PORTS, above: int = 0) -> int:
    """The first of as many free ports in a row, by default as a run takes; those `above` them are free too.

    Anywhere, so that two who look at the same time seldom find the same, and below those that a machine gives to its
    connections, one of which could take a port before a server does. Raises StartError.
    """
    places = range(8_100, 30_000 - above, number)
    for first in sample(places, len(places)):
        try:
            for port in (first + offset + each for offset in {0, above} for each in range(number)):
                with socket.socket() as trial:
                    trial.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise StartError("There are no free ports.")


def write_config(place: Place, database: str, redis: str) -> None:
    """The configuration of this run, for its processes and for `jixiang` in another terminal."""
    files = ("wechat-secret", "platform-secret", "wechat-token", "wechat-aes-key")
    lengths = {"wechat-aes-key": 43}
    secrets_of = {name.replace("-", "_"): _secret(place.directory / name, lengths.get(name, 32)) for name in files}
    paths = {**secrets_of, "keys": place.directory / "keys", "clock": place.clock}
    texts = {"database": database, "redis": redis} | {name: str(path) for name, path in paths.items()}
    quoted = {name: _quoted(text) for name, text in texts.items()}
    place.config.write_text(_CONFIG.format(place=place, appid=APPID, app_key=APP_KEY, **quoted), encoding="utf-8")


def add_sms(place: Place) -> None:
    """Add the gateway for text messages to the configuration, for a run that starts its sandbox."""
    file = _quoted(_secret(place.directory / "sms-secret"))
    with place.config.open("a", encoding="utf-8") as config:
        config.write(_SMS_CONFIG.format(place=place, key=SMS_KEY, file=file))


def add_official(place: Place) -> None:
    """Add the official account, which the WeChat sandbox plays, to the configuration."""
    files = {name: _quoted(file) for name, file in _official_files(place).items()}
    with place.config.open("a", encoding="utf-8") as config:
        config.write(_OFFICIAL_CONFIG.format(appid=OFFICIAL, **files))


def _official_files(place: Place) -> dict[str, Path]:
    lengths = {"secret": 32, "token": 32, "aes_key": 43}
    return {name: _secret(place.directory / f"official-{name}", length) for name, length in lengths.items()}


def write_sandbox_config(place: Place) -> None:
    """The configuration of the WeChat sandbox: both accounts, and callbacks in safe mode to the web server."""
    names = {"secret": "wechat-secret", "token": "wechat-token", "aes_key": "wechat-aes-key"}
    files = {name: place.directory / file for name, file in names.items()}
    files |= {f"official_{name}": file for name, file in _official_files(place).items()}
    secrets_of = {name: file.read_text(encoding="utf-8").strip() for name, file in files.items()}
    state = _quoted(place.directory / "sandbox" / "wechat.json")
    text = _SANDBOX_CONFIG.format(place=place, appid=APPID, official=OFFICIAL, state=state, **secrets_of)
    private = os.open(place.wechat_config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(private, "w", encoding="utf-8") as file:
        file.write(text)


def _quoted(value: Path | str) -> str:
    """A TOML string; what JSON escapes, TOML escapes alike."""
    return json.dumps(str(value), ensure_ascii=False)


def _secret(file: Path, length: int = 32) -> Path:
    """A file with a secret of hexadecimal digits that both our side and the sandbox read; made once."""
    if not file.exists():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as handle:
            handle.write(secrets.token_hex(length)[:length])
    return file
