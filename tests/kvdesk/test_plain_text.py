"""Nothing that a person or a file says is taken for markup."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QAbstractItemView, QLabel, QWidget

from kvdesk.notice import Notice, Tone
from kvdesk.ui.plain_text import PlainLabel, tip

SOURCES = Path(__file__).parents[2] / "kvdesk"
HOSTILE = '<b>bold</b><img src="file:///etc/hostname"> & %n {0} {}'


MARKUP = {"QTextEdit", "QTextBrowser", "QMessageBox", "setHtml", "insertHtml", "QTextDocument"}


@functools.cache
def nodes() -> list[tuple[str, ast.AST]]:
    """Those of the sources that could show words in one of these ways, with the file's name."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py")}
    return [
        (file, node)
        for file, text in texts.items()
        if any(word in text for word in {"QLabel", "ToolTip", *MARKUP})
        for node in ast.walk(ast.parse(text))
    ]


def is_call(node: ast.AST | None, *names: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return (getattr(node.func, "attr", None) or getattr(node.func, "id", "")) in names


def is_safe(node: ast.AST) -> bool:
    """Whether what a tool tip is set to is a text of ours, or has gone through `tip`."""
    match node:
        case ast.Constant():
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return is_safe(body) and is_safe(orelse)
        case ast.Call(func=ast.Attribute(value=value, attr="format"), keywords=keywords):
            numbers = {"width", "height", "step"}
            return is_safe(value) and {keyword.arg for keyword in keywords} <= numbers
    return is_call(node, "tip", "tr", "toolTip")


@pytest.mark.fault(24)
def test_every_label_is_a_plain_one(qtbot):
    made = {file for file, node in nodes() if is_call(node, "QLabel")}
    derived = {
        file
        for file, node in nodes()
        if isinstance(node, ast.ClassDef)
        and any(getattr(base, "id", "") == "QLabel" for base in node.bases)
    }
    assert made == set()
    assert derived == {"plain_text.py"}
    label = PlainLabel(HOSTILE)
    qtbot.addWidget(label)
    assert label.textFormat() is Qt.TextFormat.PlainText


@pytest.mark.fault(24)
def test_every_tool_tip_is_made_plain():
    set_tips = [(file, node) for file, node in nodes() if is_call(node, "setToolTip")]
    assert len(set_tips) > 20
    unsafe = {file for file, node in set_tips if not is_safe(node.args[0])}
    assert unsafe == {"desktop.py"}  # that of the tray: a sentence of ours
    shown = [node for _, node in nodes() if is_call(node, "showText")]
    assert shown
    for node in shown:
        assert is_call(node.args[1], "tip") or getattr(node.args[1], "id", "") == "words"


@pytest.mark.fault(24)
def test_no_widget_for_markup_is_used():
    assert not {file for file, node in nodes() if is_call(node, *MARKUP)}


@pytest.mark.fault(24)
@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("text", [HOSTILE, "a < b\n & c", "<!-- x", "plain"])
def test_a_tip_shows_the_text_itself(text):
    document = QTextDocument()
    shown = tip(text)
    if "<" not in text:
        assert shown == text
    else:
        document.setHtml(shown)
        assert document.toPlainText() == text


@pytest.mark.fault(24)
def test_a_hostile_prompt_is_plain_wherever_the_window_shows_it(qtbot, desk_of):
    desk = desk_of()
    qtbot.waitUntil(lambda: desk.form.model is not None, timeout=30_000)
    desk.studio.hold(True)
    desk.form.edit("test", prompt=HOSTILE, negative_prompt=HOSTILE)
    desk.studio.submit_prompts([HOSTILE])
    qtbot.waitUntil(lambda: len(desk.queue.jobs) == 1)
    desk.window.notices.show_notice(Notice(text=HOSTILE, tone=Tone.FAILED, detail=HOSTILE))
    qtbot.wait(50)
    labels = desk.window.findChildren(QLabel)
    assert len(labels) > 20
    for label in labels:
        assert label.textFormat() is Qt.TextFormat.PlainText, label.text()
    for widget in desk.window.findChildren(QWidget):
        assert "<img" not in widget.toolTip()
    for view in desk.window.findChildren(QAbstractItemView):
        model = view.model()
        for row in range(model.rowCount()):
            words = model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole)
            assert "<img" not in str(words or "")
