"""The state file: everything comes back after a restart, and nobody else can read it."""

import json
import stat
from pathlib import Path

from acting import Start


def test_a_restart_keeps_users_quotas_messages_tokens_and_used_codes(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "var" / "wechat.json"
    before = start(state_file=file)
    openid, token, code = before.user(accepts=2), before.stable()["access_token"], before.code()
    before.exchange(code)
    before.send(openid)
    after = start(state_file=file)
    assert after.user() == openid
    assert after.messages() == before.messages() and len(after.messages()) == 1
    assert after.remaining() == 1
    assert after.stable()["access_token"] == token
    assert after.exchange(code)["errcode"] == 40163
    assert after.send(openid)["msgid"] > before.messages()[0]["msgid"]


def test_the_state_file_is_whole_and_for_its_owner_only(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "wechat.json"
    start(state_file=file).user(accepts=1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    json.loads(file.read_text())
    assert [path.name for path in tmp_path.iterdir()] == ["wechat.json"]
