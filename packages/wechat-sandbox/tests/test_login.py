"""code2Session over real HTTP: each code once, for five minutes, and who may not log in."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from acting import Start, WeChat


def test_a_login_code_is_exchanged_for_the_openid_and_a_session_key(wechat: WeChat) -> None:
    openid = wechat.user()
    answer = wechat.exchange(wechat.code())
    assert answer["openid"] == openid and len(openid) == 28
    assert len(answer["session_key"]) == 24
    assert set(answer) == {"openid", "session_key"}


def test_the_openid_of_a_user_stays_the_same_over_log_ins(wechat: WeChat) -> None:
    wechat.user()
    first, second = (wechat.exchange(wechat.code()) for _ in range(2))
    assert first["openid"] == second["openid"]
    assert first["session_key"] != second["session_key"]


def test_a_mini_program_bound_to_an_open_platform_gets_the_unionid(start: Start) -> None:
    wechat = start(with_unionid=True)
    wechat.user()
    assert wechat.exchange(wechat.code())["unionid"]


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"appid": "wx9999999999999999"}, 40013),
        ({"appid": ""}, 41002),
        ({"secret": "another"}, 40125),
        ({"secret": ""}, 41004),
        ({"js_code": ""}, 41008),
        ({"js_code": "nobody-was-given-this-code"}, 40029),
        ({"grant_type": "client_credential"}, 40002),
    ],
)
def test_a_wrong_parameter_of_the_log_in_has_its_own_errcode(
    wechat: WeChat, wrong: dict[str, str], errcode: int
) -> None:
    wechat.user()
    code = wechat.code()
    assert wechat.exchange(code, **wrong)["errcode"] == errcode
    assert "openid" in wechat.exchange(code), "a refused call must not use up the code"


def test_a_login_code_works_only_once(wechat: WeChat) -> None:
    wechat.user()
    code = wechat.code()
    assert "openid" in wechat.exchange(code)
    assert wechat.exchange(code)["errcode"] == 40163


def test_a_login_code_is_good_just_under_five_minutes(wechat: WeChat) -> None:
    wechat.user()
    first, second = wechat.code(), wechat.code()
    wechat.clock.advance(minutes=4, seconds=59)
    assert "openid" in wechat.exchange(first)
    wechat.clock.advance(seconds=1)
    assert wechat.exchange(second)["errcode"] == 40029


def test_one_code_exchanged_by_many_at_once_lets_in_exactly_one(wechat: WeChat) -> None:
    wechat.user()
    code = wechat.code()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wechat.exchange(code), range(8)))
    assert sorted(answer.get("errcode", 0) for answer in answers) == [0] + [40163] * 7


def test_a_blocked_user_cannot_log_in_until_unblocked(wechat: WeChat) -> None:
    wechat.user()
    code = wechat.code()
    wechat.control("PATCH", "/users/李小禾", {"blocked": True})
    assert wechat.exchange(code)["errcode"] == 40226
    wechat.control("PATCH", "/users/李小禾", {"blocked": False})
    assert "openid" in wechat.exchange(code)


def test_a_user_who_logs_in_too_often_in_a_minute_is_slowed_down_alone(wechat: WeChat) -> None:
    wechat.user()
    wechat.user("王一朵")
    wechat.control("PATCH", "/users/李小禾", {"logins_per_minute": 2})
    assert "openid" in wechat.exchange(wechat.code())
    assert "openid" in wechat.exchange(wechat.code())
    assert wechat.exchange(wechat.code())["errcode"] == 45011
    assert "openid" in wechat.exchange(wechat.code("王一朵"))
    wechat.clock.advance(minutes=1)
    assert "openid" in wechat.exchange(wechat.code())


def test_answers_are_json_in_utf_8_with_status_200_and_a_request_id(wechat: WeChat) -> None:
    response = requests.get(wechat.url + "/sns/jscode2session", timeout=10)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "rid: " in response.json()["errmsg"]
