"""The check of words finds what is in comments, docstrings and help, and nothing else."""

import pytest

from tools import check_words

SOURCE = '''"""Open a door."""
door = 1  # a door
text = "a door"
option(help="Open a door.")
allowed = 2  # a door, words: ok
'''


def test_words_are_found_in_comments_docstrings_and_help_and_not_in_code() -> None:
    lines = [number for number, text in (*check_words.comments(SOURCE), *check_words.strings(SOURCE)) if "door" in text]

    assert sorted(lines) == [1, 2, 4, 5]


def test_a_word_is_found_whole_in_any_case() -> None:
    found = [word.instead for word in check_words.words() if word.pattern.search("the Door is open, and the floor too")]

    assert found == ["endpoint, route"]


@pytest.mark.slow
def test_the_project_uses_the_words_of_the_glossary() -> None:
    assert check_words.main() == 0


def test_a_chinese_word_is_found_within_others_and_in_every_place_that_people_read() -> None:
    found = [word.instead for word in check_words.words() if word.pattern.search("查验点拦下橙码")]
    places = {line.path.name for line in check_words.chinese()}

    assert found == ["劝返"]
    assert {"texts.toml", "zh.toml", "policy.toml", "texts.js", "story.py", "README.zh.md"} <= places
