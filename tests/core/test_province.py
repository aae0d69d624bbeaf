"""Another province: its file alone gives it names, districts, languages, a menu and texts of its own."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import create_app
from app.cli import main
from app.codes import qr
from app.codes.states import State
from app.core import province, texts
from app.core.errors import ConfigError
from app.runtime import Services
from app.staff.totp import provisioning_uri
from app.wechat import poster
from tests.support.codes import write_config
from tests.support.people import Phone
from tools.make_miniprogram import make_miniprogram

JILIN = Path(province.__file__).with_name("province.toml")
SAMPLE = Path(__file__).with_name("sample_province") / "province.toml"
JILINS = re.compile("吉祥|吉林|Jixiang|jixiang code|Jilin|길상|길림")


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[Path]:
    """The file of the invented province, which is that of this process; its pictures stand for those made for it."""
    file = Path(shutil.copy(SAMPLE, tmp_path))
    shutil.copytree(qr.ART, tmp_path / "art" / "codes")
    shutil.copytree(Path(poster.__file__).with_name("art"), tmp_path / "art" / "poster")
    province.choose(file)
    yield file
    province.choose(None)


def check(services: Services, file: Path, monkeypatch: pytest.MonkeyPatch, language: str = "C") -> Result:
    """`jixiang config check` with the file of a province."""
    config = write_config(services.settings, file.with_name("config.toml"), province={"file": str(file)})
    monkeypatch.setenv("JIXIANG_CONFIG", str(config))
    return CliRunner().invoke(main, ["config", "check"], env={"LC_ALL": f"{language}.UTF-8"})


def test_no_text_names_jilin_where_it_is_not(sample: Path) -> None:
    for section in texts.sections():
        for slug in texts.slugs(section):
            for language in texts.LANGUAGES:
                words = texts.text(section, slug, language)
                assert not JILINS.search(words), (section, slug, language, words)
    assert texts.text("frame", "title", "en") == "Sample Code: {state}"
    assert texts.text("notice-advice", "YELLOW", "zh") == "请到就近站点复测体温"


def test_its_people_meet_its_names_and_menu_alone(sample: Path, services: Services, wechat_url: str) -> None:
    here = create_app(services).test_client()
    zh, en, ko = (here.get("/api/v1/home", headers={"Accept-Language": code}).json for code in ("zh", "en", "ko"))
    assert zh and en
    assert zh["title"] == "示例省政务服务"
    assert [(column["title"], len(column["entries"])) for column in en["columns"]] == [("Health", 5), ("Me", 3)]
    assert ko == zh, "Korean is not offered here"
    phone = Phone(here, wechat_url, "示例甲").become_green()
    login, code = here.get("/console/login").text, phone.get("/api/v1/code").text
    picture = phone.get("/api/v1/code.svg").text
    account = provisioning_uri("A" * 32, "officer")
    document = here.get("/openapi/openapi.json").json
    assert document
    assert not JILINS.search(f"{zh}{en}{login}{code}{account}{document['info']}")
    assert "示例码管理台" in login
    assert "<title>示例码：绿码</title>" in picture


def test_its_pictures_are_its_own(sample: Path) -> None:
    frames = sample.parent / "art/codes/frames.toml"
    frames.write_text(frames.read_text(encoding="utf-8").replace("zh = '", "zh = '<g/>"), encoding="utf-8")
    assert "<g/><rect" in qr.svg("A" * 20, State.GREEN, "zh")
    province.choose(None)
    assert "<g/><rect" not in qr.svg("A" * 20, State.GREEN, "zh")


def test_pictures_with_the_names_of_jilin_are_refused(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = check(services, Path(shutil.copy(SAMPLE, tmp_path)), monkeypatch)
    assert refused.exit_code == 1
    assert "make_art --province" in refused.stderr
    assert check(services, Path(shutil.copy(JILIN, tmp_path)), monkeypatch).exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('languages = ["zh", "en"]', 'languages = ["zh"]', ["en must be among the languages"]),
        ('languages = ["zh", "en"]', 'languages = ["zh", "en", "mn"]', ["language mn has no file", "mn.toml"]),
        ('en = "Sample City"', "", ["districts.0", "must be in en too"]),
        ('"样板市"', '"示例市"', ["districts must have different Chinese names"]),
        ("hall-short", "hall-shrt", ["names.hall-short", "names.hall-shrt"]),
        ('"show-code"', '"show-cod"', ["there is no entry show-cod"]),
        ('title = { zh = "健康服务", en = "Health" }', "", ["menu: health needs a title"]),
        ("[texts.notice-advice]", "[texts.notice-advise]", ["texts.notice-advise.YELLOW: there is no such text"]),
        ("请到就近站点复测体温", "请到{place}复测", ["YELLOW.zh: the placeholders must be none"]),
        ("[names]", "[names", ["is not a TOML file; correct it"]),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(
    services: Services, sample: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, words: list[str]
) -> None:
    content = sample.read_text(encoding="utf-8")
    assert old in content
    wrong = sample.with_name("wrong.toml")
    wrong.write_text(content.replace(old, new), encoding="utf-8")
    refused = check(services, wrong, monkeypatch)
    assert refused.exit_code == 1
    assert [word for word in words if word not in refused.stderr] == []
    assert province.current().names.code["zh"] == "示例码", "what runs goes on with what it has"


def test_a_mistake_is_named_in_chinese(services: Services, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = sample.with_name("wrong.toml")
    wrong.write_text(sample.read_text(encoding="utf-8").replace('"show-code"', '"show-cod"'), encoding="utf-8")
    assert "没有名为 show-cod 的入口" in check(services, wrong, monkeypatch, "zh_CN").stderr


def test_the_mini_program_is_made_with_the_names_and_districts_of_the_province(sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    make_miniprogram(sample, folder)
    program = [file for file in folder.rglob("*") if file.suffix in (".js", ".json", ".wxml", ".wxss")]
    left = [file.name for file in program if JILINS.search(file.read_text(encoding="utf-8"))]
    assert left == []
    assert "示例市" in (folder / "utils/districts.js").read_text(encoding="utf-8")
    assert "const ADDED = {  };" in (folder / "utils/languages.js").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="exists; name a new folder"):
        make_miniprogram(sample, folder)


def test_the_mini_program_is_not_made_without_the_words_of_a_language(sample: Path, tmp_path: Path) -> None:
    (sample.parent / "languages").mkdir()
    shutil.copy(JILIN.parents[1] / "languages" / "ko.toml", sample.parent / "languages" / "mn.toml")
    sample.write_text(
        sample.read_text(encoding="utf-8").replace('["zh", "en"]', '["zh", "en", "mn"]'), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"mn\.js is missing"):
        make_miniprogram(sample, tmp_path / "made")
    assert not (tmp_path / "made").exists()
