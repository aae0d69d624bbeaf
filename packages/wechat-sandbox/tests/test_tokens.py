"""Access tokens over real HTTP: which one is given out, and which one still counts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from acting import WeChat


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"grant_type": "authorization_code"}, 40002),
        ({"appid": "wx9999999999999999"}, 40013),
        ({"secret": "another"}, 40125),
    ],
)
def test_both_token_calls_refuse_wrong_credentials(wechat: WeChat, wrong: dict[str, str], errcode: int) -> None:
    assert wechat.stable(**wrong)["errcode"] == errcode
    assert wechat.plain(**wrong)["errcode"] == errcode


def test_the_token_calls_insist_on_their_method_and_on_json(wechat: WeChat) -> None:
    assert wechat.get("/cgi-bin/stable_token")["errcode"] == 43002
    assert wechat.post("/cgi-bin/token")["errcode"] == 43001
    bad = requests.post(wechat.url + "/cgi-bin/stable_token", data=b"{", timeout=10).json()
    assert bad["errcode"] == 47001
    assert wechat.post("/cgi-bin/stable_token")["errcode"] == 44002


def test_the_stable_token_stays_until_its_last_five_minutes(wechat: WeChat) -> None:
    first = wechat.stable()
    assert first["expires_in"] == 7200 and len(first["access_token"]) <= 512
    wechat.clock.advance(seconds=6900)
    assert wechat.stable() == {"access_token": first["access_token"], "expires_in": 300}
    wechat.clock.advance(seconds=1)
    second = wechat.stable()
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 7200


def test_after_the_change_old_and_new_stable_token_both_work_for_five_minutes(
    wechat: WeChat,
) -> None:
    openid = wechat.user(accepts=4)
    old = wechat.stable()["access_token"]
    wechat.clock.advance(seconds=6901)
    new = wechat.stable()["access_token"]
    wechat.clock.advance(seconds=299)
    assert wechat.send(openid, old)["errcode"] == 0
    assert wechat.send(openid, new)["errcode"] == 0
    wechat.clock.advance(seconds=1)
    assert wechat.send(openid, old)["errcode"] == 42001
    assert wechat.send(openid, new)["errcode"] == 0


def test_a_stable_token_nobody_renewed_ends_after_two_hours(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    token = wechat.stable()["access_token"]
    wechat.clock.advance(hours=2)
    assert wechat.send(openid, token)["errcode"] == 42001


def test_a_forced_refresh_ends_the_old_token_at_once(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    old = wechat.stable()["access_token"]
    new = wechat.stable(force_refresh=True)["access_token"]
    assert new != old
    assert wechat.send(openid, old)["errcode"] == 40001
    assert wechat.send(openid, new)["errcode"] == 0


def test_a_second_forced_refresh_within_30_seconds_changes_nothing(wechat: WeChat) -> None:
    wechat.stable()
    token = wechat.stable(force_refresh=True)["access_token"]
    wechat.clock.advance(seconds=29)
    assert wechat.stable(force_refresh=True)["access_token"] == token
    wechat.clock.advance(seconds=1)
    assert wechat.stable(force_refresh=True)["access_token"] != token


def test_the_21st_forced_refresh_of_a_day_is_refused_until_tomorrow(wechat: WeChat) -> None:
    wechat.stable()
    for _ in range(20):
        assert "access_token" in wechat.stable(force_refresh=True)
        wechat.clock.advance(seconds=30)
    assert wechat.stable(force_refresh=True)["errcode"] == 45009
    assert "access_token" in wechat.stable()
    wechat.clock.advance(days=1)
    wechat.stable()
    assert "access_token" in wechat.stable(force_refresh=True)


def test_a_plain_token_ends_its_predecessor_and_leaves_the_stable_one_alone(
    wechat: WeChat,
) -> None:
    openid = wechat.user(accepts=2)
    stable, first, second = wechat.stable(), wechat.plain(), wechat.plain()
    assert second["expires_in"] == 7200
    assert wechat.send(openid, first["access_token"])["errcode"] == 40001
    assert wechat.send(openid, second["access_token"])["errcode"] == 0
    assert wechat.send(openid, stable["access_token"])["errcode"] == 0


def test_many_asking_at_once_get_one_and_the_same_stable_token(wechat: WeChat) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: wechat.stable()["access_token"], range(16)))
    assert len(tokens) == 1


def test_all_tokens_can_be_made_to_expire(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    stable, plain = wechat.stable()["access_token"], wechat.plain()["access_token"]
    assert wechat.control("POST", "/tokens/expire") == {"expired": 2}
    assert wechat.send(openid, stable)["errcode"] == 42001
    assert wechat.send(openid, plain)["errcode"] == 42001
    assert wechat.send(openid, wechat.stable()["access_token"])["errcode"] == 0
