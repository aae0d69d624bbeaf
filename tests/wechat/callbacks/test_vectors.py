"""The vectors of WeChat's own pages: token AAAAA, key of 43 A, each at its moment."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import CallbackReader, Stamp, encrypt_reply
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import read_event
from app.wechat.callbacks.message import Format, read_message

APPID = "wxba5fad812f8e6fb9"
KEYS, PLAIN_KEYS = CallbackKeys("AAAAA", APPID, "A" * 43), CallbackKeys("AAAAA", APPID)
WINDOW = timedelta(minutes=5)
URL_CHECK = {
    "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
    "timestamp": "1714036504",
    "nonce": "1514711492",
    "echostr": "4375120948345356249",
}
PLAIN = {
    "signature": "899cf89e464efb63f54ddac96b0a0a235f53aa78",
    "timestamp": "1714037059",
    "nonce": "486452656",
}
SAFE = {
    "signature": "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
    "timestamp": "1714112445",
    "nonce": "415670741",
    "openid": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
    "encrypt_type": "aes",
    "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
}
ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv"
    "6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNq"
    "J4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
DEBUG = (
    b'{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,'
    b'"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
)
ENVELOPE = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": ENCRYPTED}).encode()
REPLY = {
    "Encrypt": "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
    "MsgSignature": "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
    "TimeStamp": "1713424427",
    "Nonce": "415670741",
}


def moment(query: dict[str, str]) -> datetime:
    return datetime.fromtimestamp(int(query["timestamp"]), UTC)


def test_the_url_check_is_answered_with_its_own_text() -> None:
    assert CallbackReader(KEYS, moment(URL_CHECK), WINDOW).verify_url(URL_CHECK) == "4375120948345356249"


def test_a_plain_callback_is_opened() -> None:
    opened = CallbackReader(PLAIN_KEYS, moment(PLAIN), WINDOW).read(PLAIN, DEBUG)
    assert (opened.mode, opened.format, opened.plaintext) == ("plain", "json", DEBUG)


def test_a_safe_callback_is_opened() -> None:
    opened = CallbackReader(KEYS, moment(SAFE), WINDOW).read(SAFE, ENVELOPE)
    assert (opened.mode, opened.format, opened.plaintext) == ("safe", "json", DEBUG)
    event = read_event(opened.message)
    assert (event.name, event.openid, event.debug_text) == ("debug_demo", SAFE["openid"], "hello world")
    assert event.at == datetime(2024, 4, 26, 6, 20, 45, tzinfo=UTC)


@pytest.mark.parametrize("name", ["timestamp", "nonce", "msg_signature"])
def test_a_safe_callback_with_one_other_digit_in_the_query_is_refused(name: str) -> None:
    changed = SAFE[name][:-1] + ("4" if SAFE[name][-1] != "4" else "5")
    with pytest.raises(CallbackRefused, match=r"^signature$"):
        CallbackReader(KEYS, moment(SAFE), WINDOW).read({**SAFE, name: changed}, ENVELOPE)


def test_in_safe_mode_the_plain_signature_counts_for_nothing() -> None:
    CallbackReader(KEYS, moment(SAFE), WINDOW).read({**SAFE, "signature": "0" * 40}, ENVELOPE)
    with pytest.raises(CallbackRefused, match=r"^signature$"):
        CallbackReader(KEYS, moment(SAFE), WINDOW).read({**SAFE, "msg_signature": SAFE["signature"]}, ENVELOPE)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_reply_is_encrypted_as_wechat_does(form: Format) -> None:
    random = b"707722b803182950"
    text = encrypt_reply(KEYS, '{"demo_resp":"good luck"}', form, Stamp(1713424427, "415670741", random))
    assert read_message(text.encode()) == (form, REPLY)


def test_an_encrypted_json_reply_has_its_time_as_a_number() -> None:
    text = encrypt_reply(KEYS, "{}", "json", Stamp(1713424427, "415670741", bytes(16)))
    assert json.loads(text)["TimeStamp"] == 1713424427
    assert json.loads(text)["Nonce"] == "415670741"
