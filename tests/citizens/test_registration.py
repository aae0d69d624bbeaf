"""Registration: conditions, validation, and what is stored and displayed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import responses
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.citizens.documents import check_digit
from app.runtime import Services
from tests.support.people import PASSWORD, Phone, id_number


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json["errors"]]


@pytest.fixture
def visitor(phone: Callable[..., Phone]) -> Phone:
    """Somebody inside WeChat who has not registered yet."""
    visitor = phone("示例甲")
    visitor.log_in_with_wechat()
    return visitor


def register(visitor: Phone, **changes: Any) -> Any:
    return visitor.post("/api/v1/accounts", {**visitor.registration(), **changes})


def set_number(wechat_url: str, person: Phone, number: str, country_code: str = "86") -> None:
    """The number that belongs to this person's WeChat."""
    account = {"number": number, "country_code": country_code}
    requests.patch(f"{wechat_url}/sandbox/users/{person.name}", json=account, timeout=5).raise_for_status()


def tap(wechat_url: str, person: Phone) -> str:
    """The code of a tap on the getPhoneNumber button."""
    answer = requests.post(f"{wechat_url}/sandbox/users/{person.name}/phone-code", timeout=5)
    return str(answer.json()["code"])


def register_by_code(visitor: Phone, code: Any, **changes: Any) -> Any:
    form = {**visitor.registration(), "phone_code": code, **changes}
    form.pop("phone")
    return visitor.post("/api/v1/accounts", form)


def fail_phone_numbers(wechat_url: str, **how: Any) -> None:
    failure = {"path": "/wxa/business/getuserphonenumber", **how}
    requests.put(f"{wechat_url}/sandbox/failures", json=failure, timeout=5).raise_for_status()


def kept_phone(services: Services) -> str:
    """The phone of the one citizen, as it is kept."""
    with services.engine.connect() as connection:
        sealed = connection.scalar(text("select phone_ciphertext from citizens"))
    return services.encryption.decrypt("citizens.phone", bytes(sealed))


def rows(services: Services, *tables: str) -> list[int]:
    with services.engine.connect() as connection:
        return [connection.scalar(text(f"select count(*) from {table}")) or 0 for table in tables]


def test_registering_opens_a_session_bound_to_the_account_and_shows_everything_masked(visitor: Phone) -> None:
    answer = register(visitor, name="欧阳示例", phone="13812345678")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    number = visitor.document
    assert answer.json["account"] == {
        "username": visitor.username,
        "name": "欧***",
        "document_type": "id-card",
        "document_number": f"{number[:3]}{'*' * 12}{number[-3:]}",
        "phone": "138****5678",
    }
    assert answer.json["expires_at"] == "2020-04-19T12:00:00+08:00"
    visitor.session = answer.json["session"]
    assert visitor.get("/api/v1/accounts/me").json == answer.json["account"]


def test_names_numbers_phones_and_passwords_are_not_readable_in_the_database(
    visitor: Phone, services: Services
) -> None:
    register(visitor, name="欧阳示例", phone="13812345678")
    with services.engine.connect() as connection:
        tables = ("citizens", "accounts", "wechat_users", "audit", "procrastinate_jobs")
        everything = "\n".join(
            str(connection.scalar(text(f"select string_agg(t::text, ';') from {table} t"))) for table in tables
        )
    for private in ("欧阳示例", visitor.document, "13812345678", PASSWORD):
        assert private not in everything
        assert private.encode().hex() not in everything
    assert "$argon2id$" in everything


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("阿不都·示例", "阿*****"),
        ("  示例   甲 ", "示****"),
        ("Mary-Ann O'Example", "M******* O********"),
        ("Jośe Example", "J***********"),
    ],
)
def test_names_of_all_sorts_are_taken(visitor: Phone, name: str, kept: str) -> None:
    answer = register(visitor, name=name)
    assert answer.status_code == 201, answer.text
    assert answer.json["account"]["name"][0] == kept[0]
    assert "*" in answer.json["account"]["name"]


@pytest.mark.parametrize("name", ["", "12", "示\a例", "🙂🙂", "a<script>", "--", " · "])
def test_what_is_no_name_is_refused(visitor: Phone, name: str) -> None:
    answer = register(visitor, name=name)
    assert answer.status_code == 422, answer.text
    assert pointers(answer) == ["/name"]


@pytest.mark.parametrize("number", ["+49 151 2345 6789", "138 1234 5678", "138-1234-5678", "+85261234567"])
def test_phone_numbers_as_people_write_them_are_taken(visitor: Phone, number: str) -> None:
    assert register(visitor, phone=number).status_code == 201


@pytest.mark.parametrize("number", ["12345678", "23800000000", "1380000000", "+0123456789", "138٠٠٠٠٠٠٠٠", "phone!"])
def test_what_is_no_phone_number_is_refused(visitor: Phone, number: str) -> None:
    answer = register(visitor, phone=number)
    assert (answer.status_code, pointers(answer)) == (422, ["/phone"])


@pytest.mark.parametrize("username", ["abc", "1abc", "ab cd", "用户名用户", "abcé", "a" * 33, "-abcd", "ab\tcd"])
def test_a_user_name_has_a_form(visitor: Phone, username: str) -> None:
    answer = register(visitor, username=username)
    assert (answer.status_code, pointers(answer)) == (422, ["/username"])


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "abababababab", "My-citizen.x-1", "x" * 129])
def test_a_plain_password_is_refused(visitor: Phone, password: str) -> None:
    answer = register(visitor, username="citizen.x", password=password)
    assert (answer.status_code, pointers(answer)) == (422, ["/password"])


@pytest.mark.parametrize(
    ("kind", "number", "status"),
    [
        ("passport", "E12345678", 201),
        ("hong-kong-macau-permit", "h12345678", 201),
        ("taiwan-permit", "12345678", 201),
        ("permanent-residence", "ABC123456789012", 201),
        ("travel-document", "t01234567", 201),
        ("taiwan-one-time-permit", "F290299977", 201),
        ("residence-permit", "E12345678", 422),
        ("hong-kong-macau-permit", "X12345678", 422),
        ("passport", "!!!!!!", 422),
    ],
)
def test_all_kinds_of_documents_are_taken_when_they_can_be_one(
    visitor: Phone, kind: str, number: str, status: int
) -> None:
    answer = register(visitor, document={"type": kind, "number": number})
    assert answer.status_code == status, answer.text
    if status == 422:
        assert pointers(answer) == ["/document/number"]


def test_an_unknown_kind_of_document_is_refused(visitor: Phone) -> None:
    answer = register(visitor, document={"type": "library-card", "number": "12345678"})
    assert (answer.status_code, pointers(answer)) == (422, ["/document/type"])


def test_a_number_is_one_however_it_is_written(visitor: Phone, phone: Callable[..., Phone]) -> None:
    first = "22999919900101000"
    digit = next(n for n in range(1000) if check_digit(f"22999919900101{n:03d}") == "X")
    first = f"22999919900101{digit:03d}"
    assert register(visitor, document={"type": "id-card", "number": f"{first}x"}).status_code == 201
    other = phone("示例乙")
    other.log_in_with_wechat()
    spaced = f" {first[:6]} {first[6:14]} {first[14:]}Ｘ"
    answer = register(other, document={"type": "id-card", "number": spaced})
    assert (answer.status_code, slug(answer)) == (409, "document-registered")


@pytest.mark.parametrize("number", ["H١٢٣٤٥٦٧٨", "H१२३४५६७८", "Н12345678"])
def test_a_permit_in_digits_of_another_script_makes_no_second_person(
    visitor: Phone, services: Services, number: str
) -> None:
    before = rows(services, "codes", "citizens", "accounts")
    answer = register(visitor, document={"type": "hong-kong-macau-permit", "number": number})
    assert (answer.status_code, pointers(answer)) == (422, ["/document/number"])
    assert rows(services, "codes", "citizens", "accounts") == before


def test_a_user_name_is_one_however_it_is_written(visitor: Phone, client: FlaskClient) -> None:
    assert register(visitor, username="Zhang.ＥＸ").json["account"]["username"] == "zhang.ex"
    body = {"username": "ｚｈａｎｇ.ex", "password": PASSWORD}
    assert client.post("/api/v1/accounts/login", json=body).status_code == 200


def test_a_taken_user_name_is_refused_and_nothing_is_half_written(
    visitor: Phone, phone: Callable[..., Phone], services: Services
) -> None:
    register(visitor)
    other = phone("示例乙")
    other.log_in_with_wechat()
    before = rows(services, "codes", "citizens", "accounts", "audit", "procrastinate_jobs")
    answer = register(other, username=f" {visitor.username.upper()} ")
    assert (answer.status_code, slug(answer), pointers(answer)) == (409, "username-taken", ["/username"])
    assert rows(services, "codes", "citizens", "accounts", "audit", "procrastinate_jobs") == before
    assert register(other).status_code == 201


def test_a_document_that_has_an_account_is_refused_without_telling_whose(
    visitor: Phone, phone: Callable[..., Phone]
) -> None:
    register(visitor)
    other = phone("示例乙")
    other.log_in_with_wechat()
    answer = register(other, document={"type": "id-card", "number": visitor.document})
    assert (answer.status_code, slug(answer)) == (409, "document-registered")
    assert visitor.username not in answer.text


def test_a_wechat_user_registers_once(visitor: Phone) -> None:
    before = visitor.session
    visitor.register()
    answer = register(visitor, username="another-name")
    assert (answer.status_code, slug(answer)) == (409, "already-registered")
    visitor.session = before
    assert slug(register(visitor, username="another-name")) == "session-expired", "the session from before the binding"


def test_of_two_registrations_at_the_same_moment_one_wins(app: Flask, visitor: Phone, services: Services) -> None:
    documents = [{"type": "id-card", "number": id_number(900 + n)} for n in range(4)]
    forms = [
        {**visitor.registration(), "username": f"citizen.{n}", "document": document}
        for n, document in enumerate(documents)
    ]
    headers = {"Authorization": f"Bearer {visitor.session}"}

    def post(form: dict[str, Any]) -> int:
        return app.test_client().post("/api/v1/accounts", json=form, headers=headers).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(post, forms))
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {401, 409}
    assert rows(services, "accounts", "citizens") == [1, 1]


def test_two_people_with_one_user_name_at_the_same_moment_are_told_apart(
    app: Flask, phone: Callable[..., Phone], services: Services
) -> None:
    people = [phone(f"示例{n}") for n in "甲乙丙丁"]
    for person in people:
        person.log_in_with_wechat()

    def post(person: Phone) -> int:
        form = {**person.registration(), "username": "wanted.by.all"}
        headers = {"Authorization": f"Bearer {person.session}"}
        return app.test_client().post("/api/v1/accounts", json=form, headers=headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(post, people)) == [201, 409, 409, 409]
    assert rows(services, "accounts") == [1]


def test_everything_that_is_wrong_is_reported_in_one_answer_and_nothing_empty_is_called_short(visitor: Phone) -> None:
    form = {"name": " ", "document": {"type": "id-card", "number": ""}, "phone": "", "username": "", "password": ""}
    answer = visitor.post("/api/v1/accounts", form)
    assert answer.status_code == 422
    assert {error["pointer"]: error["detail"] for error in answer.json["errors"]} == {
        "/name": "请填写姓名",
        "/document/number": "请填写证件号码",
        "/phone": "请填写手机号，或使用微信手机号",
        "/username": "请填写用户名",
        "/password": "请填写密码",
    }
    del form["phone"]
    half = {**form, "username": "citizen.x", "password": None, "document": {"type": "passport", "number": "!!!!!!"}}
    assert sorted(pointers(visitor.post("/api/v1/accounts", half))) == [
        "/document/number",
        "/name",
        "/password",
        "/phone",
    ]


# The phone by WeChat's code

EVERYTHING = ("codes", "citizens", "accounts", "audit", "procrastinate_jobs")


@pytest.mark.parametrize(
    ("number", "country_code", "kept", "shown"),
    [
        ("13912345678", "86", "13912345678", "139****5678"),
        ("61234567", "852", "+85261234567", "+85****4567"),
        ("15123456789", "49", "+4915123456789", "+49****6789"),
        ("01012345678", "82", "+821012345678", "+82****5678"),
    ],
)
def test_the_phone_that_wechat_vouches_for_is_kept_with_its_country(
    visitor: Phone, wechat_url: str, services: Services, number: str, country_code: str, kept: str, shown: str
) -> None:
    set_number(wechat_url, visitor, number, country_code)
    answer = register_by_code(visitor, tap(wechat_url, visitor))
    assert answer.status_code == 201, answer.text
    assert answer.json["account"]["phone"] == shown
    assert kept_phone(services) == kept


def test_a_number_that_can_be_none_is_refused_even_from_wechat(visitor: Phone, wechat_url: str) -> None:
    set_number(wechat_url, visitor, "12345678")
    answer = register_by_code(visitor, tap(wechat_url, visitor))
    assert (answer.status_code, pointers(answer)) == (422, ["/phone_code"])


@pytest.mark.parametrize("absent", [{}, {"phone": None}, {"phone_code": None}, {"phone": None, "phone_code": None}])
def test_without_phone_and_code_the_phone_is_missing(visitor: Phone, absent: dict[str, None]) -> None:
    form = visitor.registration()
    del form["phone"]
    answer = visitor.post("/api/v1/accounts", {**form, **absent})
    assert (answer.status_code, pointers(answer)) == (422, ["/phone"])


def test_a_phone_and_a_code_together_are_refused_and_the_code_stays_good(visitor: Phone, wechat_url: str) -> None:
    set_number(wechat_url, visitor, "13912345678")
    code = tap(wechat_url, visitor)
    answer = register(visitor, phone_code=code)
    assert (answer.status_code, pointers(answer)) == (422, ["/phone_code"])
    assert register_by_code(visitor, code).status_code == 201


@pytest.mark.parametrize("code", ["0" * 64, "x", "&access_token=1", "代码", "\x00"])
def test_a_code_that_wechat_did_not_give_is_refused_at_its_field(visitor: Phone, services: Services, code: str) -> None:
    before = rows(services, *EVERYTHING)
    answer = register_by_code(visitor, code)
    assert (answer.status_code, pointers(answer)) == (422, ["/phone_code"])
    assert rows(services, *EVERYTHING) == before


@pytest.mark.parametrize("code", ["", "x" * 129, 7, ["x"], {}])
def test_what_can_be_no_code_is_refused_without_asking_wechat(visitor: Phone, wechat_url: str, code: Any) -> None:
    fail_phone_numbers(wechat_url, status=500)
    answer = register_by_code(visitor, code)
    assert answer.status_code == 422
    assert pointers(answer)[0].startswith("/phone_code")


def test_a_code_is_spent_by_registering(visitor: Phone, phone: Callable[..., Phone], wechat_url: str) -> None:
    set_number(wechat_url, visitor, "13912345678")
    code = tap(wechat_url, visitor)
    assert register_by_code(visitor, code).status_code == 201
    other = phone("示例乙")
    other.log_in_with_wechat()
    assert pointers(register_by_code(other, code)) == ["/phone_code"]


@pytest.mark.parametrize(
    ("mistake", "pointer"),
    [
        ({"username": "1abc"}, "/username"),
        ({"username": "taken.name"}, "/username"),
        ({"name": "12"}, "/name"),
        ({"password": "aaaaaaaaaaaa"}, "/password"),
        ({"document": {"type": "passport", "number": "!!!!!!"}}, "/document/number"),
    ],
)
def test_another_mistake_does_not_spend_the_code(
    visitor: Phone, phone: Callable[..., Phone], wechat_url: str, mistake: dict[str, Any], pointer: str
) -> None:
    other = phone("示例乙", username="taken.name")
    other.register()
    set_number(wechat_url, visitor, "13912345678")
    code = tap(wechat_url, visitor)
    assert pointers(register_by_code(visitor, code, **mistake)) == [pointer]
    assert register_by_code(visitor, code).status_code == 201


@pytest.mark.parametrize(
    "how",
    [
        {"errcode": -1},
        {"errcode": 45009},
        {"errcode": 40013},
        {"errcode": 48001},
        {"status": 500},
        {"drop": "before"},
        {"drop": "after"},
    ],
)
def test_a_wechat_that_gives_no_number_is_out_of_reach_and_nothing_is_half_written(
    visitor: Phone, services: Services, wechat_url: str, how: dict[str, Any]
) -> None:
    set_number(wechat_url, visitor, "13912345678")
    code = tap(wechat_url, visitor)
    before = rows(services, *EVERYTHING)
    fail_phone_numbers(wechat_url, **how)
    answer = register_by_code(visitor, code)
    assert (answer.status_code, slug(answer)) == (503, "wechat-unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert rows(services, *EVERYTHING) == before
    assert register(visitor).status_code == 201, "the phone can still be typed in"


def test_a_busy_wechat_is_asked_once_more(visitor: Phone, wechat_url: str) -> None:
    set_number(wechat_url, visitor, "13912345678")
    fail_phone_numbers(wechat_url, errcode=-1, times=1)
    assert register_by_code(visitor, tap(wechat_url, visitor)).status_code == 201


def test_no_transaction_is_open_while_wechat_is_asked(visitor: Phone, services: Services, wechat_url: str) -> None:
    set_number(wechat_url, visitor, "13912345678")
    code = tap(wechat_url, visitor)
    held: list[int] = []

    def look(call: Any) -> tuple[int, dict[str, str], str]:
        held.append(services.engine.pool.checkedout())  # type: ignore[attr-defined]
        return 200, {}, '{"errcode": 40029, "errmsg": "invalid code"}'

    with responses.RequestsMock() as mock:
        mock.add_passthru(f"{wechat_url}/cgi-bin")
        mock.add_callback("POST", f"{wechat_url}/wxa/business/getuserphonenumber", look)
        assert pointers(register_by_code(visitor, code)) == ["/phone_code"]
    assert held == [0]


def test_neither_code_nor_number_reaches_the_logs_or_the_answer(
    visitor: Phone, wechat_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    set_number(wechat_url, visitor, "13912345678")
    code = tap(wechat_url, visitor)
    fail_phone_numbers(wechat_url, errcode=48001)
    answer = register_by_code(visitor, code)
    said = answer.text + "".join(capfd.readouterr())
    assert "48001" in said, "the operator learns why"
    assert code not in said
    assert "13912345678" not in said
