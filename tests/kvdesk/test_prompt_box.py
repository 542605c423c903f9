"""The prompt: its meter, old prompts and examples."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl

from kvdesk.prompt_history import PromptHistory
from kvdesk.ui.controls import ElidedButton
from kvdesk.ui.prompt_box import PromptBox

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def box(qtbot, tmp_path):
    history = PromptHistory(tmp_path / "prompts.json")
    for prompt in ("a red circle", "a blue square"):
        history.add(prompt)
    made = PromptBox(history)
    qtbot.addWidget(made)
    made.resize(340, 400)
    made.show()
    made.heard = []
    made.text_edited.connect(made.heard.append)
    yield made
    history.flush()


def chips(box):
    return [chip for chip in box.findChildren(ElidedButton) if chip.isVisible()]


def meter(box):
    return box.field._value.text()


def test_typing_emits_and_showing_does_not(qtbot, box):
    box.show_text("a cat")
    assert box.heard == []
    box.editor.moveCursor(box.editor.textCursor().MoveOperation.End)
    qtbot.keyClicks(box.editor, "s")
    assert box.heard == ["a cats"]


def test_the_meter_is_amber_when_the_end_is_not_read(box):
    box.show_text("a cat")
    box.show_tokens(31, 128)
    assert meter(box) == "31 of 128 tokens"
    assert box.field._value.property("role") == "value"
    box.show_tokens(141, 128)
    assert meter(box) == "141 of 128 tokens: the end is not read"
    assert box.field._value.property("role") == "careful"


def test_an_empty_prompt_has_no_meter(box):
    box.show_tokens(1, 128)
    assert meter(box) == ""


def test_examples_are_offered_while_the_prompt_is_empty(qtbot, box):
    box.show_examples(("a red boat", "a green tree"))
    assert [chip.whole_text for chip in chips(box)] == ["a red boat", "a green tree"]
    assert "a red boat" in box.editor.placeholderText()
    qtbot.mouseClick(chips(box)[1], Qt.MouseButton.LeftButton)
    assert box.heard == ["a green tree"]
    assert box.editor.text == "a green tree"
    assert box.editor.hasFocus()
    assert chips(box) == []


def test_other_examples_replace_those_of_another_model(qtbot, box):
    box.show_examples(("a red boat",))
    box.show_examples(("a green tree", "a star"))
    qtbot.waitUntil(lambda: len(chips(box)) == 2)
    assert [chip.whole_text for chip in chips(box)] == ["a green tree", "a star"]


def test_an_old_prompt_is_taken_from_the_popup(qtbot, box):
    qtbot.mouseClick(box._old_prompts, Qt.MouseButton.LeftButton)
    assert box._popup.isVisible()
    qtbot.keyClicks(box._popup._words, "red")
    qtbot.keyClick(box._popup._words, Qt.Key.Key_Return)
    assert box.heard == ["a red circle"]
    assert box.editor.text == "a red circle"


def test_a_forgotten_prompt_is_gone_from_the_history_and_the_popup(qtbot, box):
    qtbot.mouseClick(box._old_prompts, Qt.MouseButton.LeftButton)
    qtbot.keyClick(box._popup._words, Qt.Key.Key_Delete)
    assert box._history.search("") == ["a red circle"]
    assert box._popup._texts.stringList() == ["a red circle"]


def test_a_pasted_file_is_handed_on(box):
    handed = []
    box.mime_pasted.connect(handed.append)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/somewhere/a.png")])
    box.editor.insertFromMimeData(mime)
    assert handed == [mime]
    assert box.heard == []


def test_the_prompt_grows_from_three_to_eight_lines(box):
    heights = []
    for num_lines in (1, 3, 4, 8, 20):
        box.show_text("\n".join("x" * num_lines))
        heights.append(box.editor.height())
    assert heights[0] == heights[1] < heights[2] < heights[3] == heights[4]
