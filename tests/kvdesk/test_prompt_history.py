from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kvdesk.prompt_history import MAX_PROMPTS, PromptHistory

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "prompts.json"


def filled(path: Path, *prompts: str) -> PromptHistory:
    history = PromptHistory(path)
    for prompt in prompts:
        history.add(prompt)
    return history


def test_the_newest_prompt_comes_first(path: Path) -> None:
    assert filled(path, "a cat", "a dog").search("") == ["a dog", "a cat"]


def test_a_prompt_used_again_moves_up_and_is_there_once(path: Path) -> None:
    history = filled(path, "a cat", "a dog", "  a cat\n")

    assert history.search("") == ["a cat", "a dog"]


def test_blanks_are_no_prompt(path: Path) -> None:
    assert filled(path, "", " \n\t").search("") == []


def test_all_words_must_be_in_a_prompt_in_any_order_and_case(path: Path) -> None:
    history = filled(path, "A red Cat on a boat", "a red boat", "红色的圆在移动", "STRASSE")

    assert history.search("BOAT red") == ["a red boat", "A red Cat on a boat"]
    assert history.search("boat ca") == ["A red Cat on a boat"]
    assert history.search("圆") == ["红色的圆在移动"]
    assert history.search("straße") == ["STRASSE"]
    assert history.search("boat horse") == []


def test_beyond_the_limit_the_oldest_is_forgotten(path: Path) -> None:
    history = filled(path, *(f"prompt {i}" for i in range(MAX_PROMPTS + 1)))

    prompts = history.search("")
    assert len(prompts) == MAX_PROMPTS
    assert prompts[0] == f"prompt {MAX_PROMPTS}"
    assert prompts[-1] == "prompt 1"


def test_prompts_survive_a_restart_in_order(path: Path) -> None:
    filled(path, "a cat", "two\nlines", "红色的圆").flush()

    assert PromptHistory(path).search("") == ["红色的圆", "two\nlines", "a cat"]


def test_a_new_prompt_is_soon_written_without_being_asked(path: Path, qtbot: QtBot) -> None:
    history = filled(path, "a cat")

    qtbot.waitUntil(path.exists, timeout=2000)

    assert PromptHistory(path).search("") == history.search("") == ["a cat"]


def test_what_is_removed_is_gone_and_the_others_stay(path: Path) -> None:
    history = filled(path, "a cat", "a dog", "a cow")
    history.remove("a dog")
    history.flush()

    assert PromptHistory(path).search("") == ["a cow", "a cat"]


def test_clearing_clears_the_file_at_once(path: Path) -> None:
    history = filled(path, "a secret")
    history.flush()

    history.clear()

    assert history.search("") == []
    assert "secret" not in path.read_text()


def test_a_change_is_told_and_nothing_else_is(path: Path, qtbot: QtBot) -> None:
    history = PromptHistory(path)
    with qtbot.waitSignal(history.changed, timeout=500):
        history.add("a cat")
    with qtbot.assertNotEmitted(history.changed):
        history.add("a cat")
        history.remove("a dog")
    with qtbot.waitSignal(history.changed, timeout=500):
        history.clear()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", []),
        ('{"prompts": "a cat"}', []),
        ('{"version": 1}', []),
        (json.dumps({"prompts": ["a cat", 3, None, " ", "a cat", ["x"], "a dog"]}), None),
    ],
)
def test_a_damaged_file_gives_what_can_be_read(
    path: Path, content: str, expected: list[str] | None
) -> None:
    path.parent.mkdir()
    path.write_text(content)

    assert PromptHistory(path).search("") == (["a cat", "a dog"] if expected is None else expected)
