"""What is said of callbacks has its Chinese: every outcome, answer, place and heading that the code can write."""

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest

from app.cli.language import translate_callback
from tests.support.cli_texts import ROOT

CHINESE = tomllib.loads((ROOT / "app/cli/language/zh.toml").read_text(encoding="utf-8"))["callbacks"]
# functions that write such words; an effect is every function of these modules that returns words
EFFECTS = ("app/worker/callback_effects.py", "app/worker/official_effects.py")
OTHERS = {
    "app/wechat/callbacks/replay_client.py": ("_post", "_acknowledgement"),
    "app/wechat/callbacks/replay_report.py": ("changes", "_milliseconds"),
    "app/wechat/callbacks/replay_file.py": ("_pieces",),
    "app/cli/wechat/replay_output.py": ("_print_grouped",),
    "app/cli/wechat/group.py": ("show_callbacks",),
}
CONSTANTS = {
    "app/worker/callback_effects.py": ("UNKNOWN_USER", "OUTDATED"),
    "app/wechat/callbacks/receipts.py": ("NOTHING_TO_DO",),
    "app/wechat/callbacks/replay_client.py": ("NO_ANSWER",),
    "app/wechat/callbacks/replay_report.py": ("_WAITING",),
}
DELIVERIES = {"sent", "failed", "waiting"}  # of a message on which WeChat has reported
_WORDS = re.compile(r"[a-z]{2}")
_OF_MACHINES = re.compile(r"^(success|Content-Type|\.\w+|; )$|cannot be read")


def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def literals(node: ast.AST) -> Iterator[str]:
    """Yield the texts below a node, their values numbered, but for docstrings, exceptions and imports."""
    if isinstance(node, ast.JoinedStr):
        parts = ["{}" if isinstance(part, ast.FormattedValue) else ast.literal_eval(part) for part in node.values]
        first, *rest = "".join(parts).split("{}")
        yield first + "".join(f"{{{place}}}{literal}" for place, literal in enumerate(rest))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif not isinstance(node, ast.Raise | ast.arguments | ast.keyword) and not _is_docstring(node):
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def said() -> set[str]:
    found = [*DELIVERIES]
    for file in {*EFFECTS, *OTHERS}:
        for node in tree(file).body:
            if isinstance(node, ast.FunctionDef) and _says(node, file):
                found += [text for one in node.body for text in literals(one)]
    for file, names in CONSTANTS.items():
        found += [text for node in tree(file).body if _names(node, names) for text in literals(node)]
    parts = {part for text in found if not _OF_MACHINES.search(text) for part in text.split("; ")}
    return {part for part in parts | mistakes() if _WORDS.search(part)}


def _says(node: ast.FunctionDef, file: str) -> bool:
    if file in EFFECTS:
        return node.returns is not None and ast.unparse(node.returns) == "str"
    return node.name in OTHERS[file]


def _names(node: ast.stmt, names: tuple[str, ...]) -> bool:
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return isinstance(node, ast.Assign | ast.AnnAssign) and getattr(targets[0], "id", "") in names


def mistakes() -> set[str]:
    """What is wrong with a piece of a file."""
    found = {"is not JSON"}
    file = tree("app/wechat/callbacks/replay_file.py")
    for node in ast.walk(file):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ValueError":
            found |= {text for one in node.args for text in literals(one)}
        if isinstance(node, ast.AnnAssign) and _names(node, ("_REASONS", "_OF_ANOTHER", "_NOT_DECRYPTED")):
            values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
            found |= {text for one in values if one is not None for text in literals(one)}
    return {"{0} " + text.replace("{0}", "{1}") for text in found}


def test_all_that_is_said_of_callbacks_has_its_chinese_and_nothing_is_left_over() -> None:
    assert sorted(said() - set(CHINESE)) == [], "add these to [callbacks] of app/cli/language/zh.toml"
    assert sorted(set(CHINESE) - said()) == [], "remove these from [callbacks] of app/cli/language/zh.toml"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("credits given: 1", "增加订阅额度 1 条"),
        (
            "notice 5 sent; notice 6 had failed; no such notice",
            "变码通知 5：已发送；变码通知 6 此前已失败；没有这条变码通知",
        ),
        ("phone deleted; nothing is stored of 1, 2", "手机号已删除；没有保存所撤回的第 1, 2 类信息"),
        ("erased; evidence stays under code 17", "账号已注销；依据仍保留在码 17 之下"),
        ("message 3 waiting", "消息 3：等待中"),
        ("403 callback-refused", "403 callback-refused"),
        ("success", "success"),
        ("—", "—"),
        ("what a release to come writes", "what a release to come writes"),
        ("day 1.jsonl line 3 is not JSON", "day 1.jsonl 第 3 行 不是 JSON"),
    ],
)
def test_an_outcome_is_in_the_language_of_the_locale(
    english: str, chinese: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LANGUAGE", raising=False)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert translate_callback(english) == chinese
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert translate_callback(english) == english
