from __future__ import annotations

import pytest
from fake_pictures import write_png
from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QPainter,
    QPixmap,
    QUndoStack,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QListView, QMenu, QToolTip

from engine.api import (
    Fps,
    FrameSize,
    GenerateRequest,
    PictureRequest,
    PreviewReady,
    Stage,
    StageStarted,
    StepDone,
)
from kvdesk.job_texts import job_state_text, spoken_job
from kvdesk.jobs import Failure, Job, JobQueue, JobState
from kvdesk.run_progress import begun_progress
from kvdesk.ui.queue_view import QueueView

SIZE = FrameSize(width=640, height=384)


def job(name, **changes):
    request = GenerateRequest(prompt=f"a {name}", seed=1, size=SIZE)
    return Job(**{"id": name, "request": request, "model": "demo", "folder": name} | changes)


@pytest.fixture
def stack(qapp):  # noqa: ARG001 - there has to be an application
    stack = QUndoStack()
    yield stack
    stack.clear()


@pytest.fixture
def queue(tmp_path, stack):
    return JobQueue(tmp_path / "queue.json", stack)


@pytest.fixture
def view(qtbot, themed, queue):  # noqa: ARG001 - widgets read the theme
    view = QueueView(queue)
    qtbot.addWidget(view)
    view.resize(320, 420)
    view.show()
    return view


def ids(queue):
    return "".join(each.id for each in queue.jobs)


def row_area(view, row):
    return view.view.visualRect(view.view.model().index(row, 0))


def select(view, *rows):
    chosen = view.view.selectionModel()
    for row in rows:
        chosen.select(view.view.model().index(row, 0), chosen.SelectionFlag.Select)


def right_click(view, row):
    place = row_area(view, row).center()
    port = view.view.viewport()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, port.mapToGlobal(place))
    QApplication.sendEvent(port, event)


def open_menu(view):
    menus = [menu for menu in view.findChildren(QMenu) if menu.isVisible()]
    assert len(menus) == 1
    return menus[0]


def texts(menu):
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def choose(qtbot, view, text):
    menu = open_menu(view)
    action = next(action for action in menu.actions() if action.text() == text)
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def running_progress(queue, name, tmp_path, *events):
    progress = begun_progress(name, tmp_path, queue.job(name).request)
    for event in (StageStarted(stage=Stage.BASE_FRAMES, num_steps=50), *events):
        progress = progress.advanced(event)
    return progress


# What is shown


def test_an_empty_queue_says_what_it_is_for_and_cannot_be_held(view):
    shown = [label.text() for label in view.findChildren(QLabel) if label.isVisible()]
    assert "Queue" in shown
    assert any("next clips wait here" in text for text in shown)
    assert not any(button.isVisible() for button in view.findChildren(QAbstractButton))


def test_the_title_counts_the_jobs(view, queue):
    queue.add([job("a"), job("b")])
    assert "Queue 2" in [label.text() for label in view.findChildren(QLabel) if label.isVisible()]
    assert view.view.isVisible()


def test_the_button_holds_a_queue_and_lets_a_held_one_go_on(qtbot, view, queue):
    queue.add([job("a")])
    button = next(each for each in view.findChildren(QAbstractButton) if each.isVisible())
    assert "Hold" in button.accessibleName()
    with qtbot.waitSignal(view.hold_requested) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == [True]
    queue.hold(True)
    assert "go on" in button.toolTip()
    with qtbot.waitSignal(view.hold_requested) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == [False]


def test_every_state_has_its_words(queue, tmp_path):
    picture = GenerateRequest(prompt="", picture=PictureRequest(path="/x/p.png"), seed=1, size=SIZE)
    smooth = GenerateRequest(prompt="x", seed=1, size=SIZE, fps=Fps.HIGH)
    queue.add([job("a")])
    begun = begun_progress("a", tmp_path, queue.job("a").request)
    step = StepDone(stage=Stage.BASE_FRAMES, step=31, num_steps=50, seconds_left=132.0)
    half = running_progress(queue, "a", tmp_path, step)
    failure = Failure(code="x", message="The disk is full. Make room and try again.")
    expected = {
        job_state_text(job("a", request=smooth), None): "640 × 384 · 32 fps",
        job_state_text(job("a", request=picture), None): "from a picture · 640 × 384 · 2 fps",
        job_state_text(job("a", until=Stage.KEY_FRAME), None): "640 × 384 · key frame only",
        job_state_text(job("a", state=JobState.PAUSED), None): "Paused · 640 × 384 · 2 fps",
        job_state_text(job("a", state=JobState.FAILED, failure=failure), None): failure.message,
        job_state_text(job("a", state=JobState.RUNNING), None): "Starting …",
        job_state_text(job("a", state=JobState.RUNNING), begun): "Starting …",
        job_state_text(job("a", state=JobState.RUNNING), half): "Motion · about 2 min 10 s",
    }
    for said, wanted in expected.items():
        assert said.replace("\N{NO-BREAK SPACE}", " ") == wanted
    words = spoken_job(job("a", state=JobState.RUNNING), half)
    assert words.startswith("a a, Being made, Motion")
    assert spoken_job(job("b"), None).startswith("a b, Waits, 640")


def test_the_tooltip_has_what_is_cut_off(qtbot, view, queue):
    message = "There is too little memory on the graphics card. " * 3
    queue.add([job("a" * 200)])
    queue.set_state("a" * 200, JobState.FAILED, Failure(code="x", message=message))
    place = row_area(view, 0).center()
    event = QHelpEvent(QEvent.Type.ToolTip, place, view.view.viewport().mapToGlobal(place))
    QApplication.sendEvent(view.view.viewport(), event)
    qtbot.waitUntil(lambda: QToolTip.text() == f"a {'a' * 200}\n{message}")
    QToolTip.hideText()


def colours(view, row):
    """The colours in the place of a row's picture."""
    view.view.viewport().repaint()
    shot = view.view.viewport().grab(row_area(view, row)).toImage()
    return {shot.pixelColor(x, 30).name() for x in range(8, 56)}


def test_the_running_job_shows_its_preview_and_the_others_a_sign(qtbot, view, queue, tmp_path):
    queue.add([job("a"), job("b")])
    queue.set_state("a", JobState.RUNNING)
    assert "#28e07c" not in colours(view, 0)
    strip = tmp_path / "preview.png"
    write_png(strip, [bytes((0x28, 0xE0, 0x7C)) * (12 * 16)] * 16)
    preview = PreviewReady(stage=Stage.BASE_FRAMES, step=1, path=str(strip), num_frames=12)
    queue.set_progress("a", running_progress(queue, "a", tmp_path, preview))
    qtbot.waitUntil(lambda: "#28e07c" in colours(view, 0))
    assert "#28e07c" not in colours(view, 1)
    queue.set_state("a", JobState.PAUSED)
    assert "#28e07c" not in colours(view, 0)


def test_a_bar_shows_how_much_is_done(view, queue, tmp_path):
    queue.add([job("a")])
    queue.set_state("a", JobState.RUNNING)

    def accent_pixels(step):
        done = StepDone(stage=Stage.BASE_FRAMES, step=step, num_steps=50, seconds_left=None)
        queue.set_progress("a", running_progress(queue, "a", tmp_path, done))
        shot = view.view.viewport().grab(row_area(view, 0)).toImage()
        every = (shot.pixelColor(x, y) for x in range(shot.width()) for y in range(shot.height()))
        return sum(colour.name() == "#6d8bff" for colour in every)

    assert accent_pixels(50) > accent_pixels(25) > accent_pixels(1)


@pytest.mark.parametrize("percent", [100, 200])
def test_rows_have_room_for_their_lines_at_any_size_of_text(view, queue, themed, percent):
    from kvdesk.ui.theme import ThemeChoice

    queue.add([job("a")])
    queue.set_state("a", JobState.RUNNING)
    themed.use(ThemeChoice.DARK, text_percent=percent)
    QApplication.processEvents()
    lines = themed.font().pixelSize() + themed.font(px=12).pixelSize()
    assert row_area(view, 0).height() > 1.2 * lines + 12
    shot = QPixmap(view.size())
    painter = QPainter(shot)
    view.render(painter, QPoint())  # paints without a warning of Qt
    painter.end()


# What a person does


def test_a_click_on_the_dots_opens_the_menu_and_one_beside_them_only_selects(qtbot, view, queue):
    queue.add([job("a"), job("b")])
    area = row_area(view, 1)
    port = view.view.viewport()
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=area.center())
    assert not [menu for menu in view.findChildren(QMenu) if menu.isVisible()]
    dots = QPoint(area.right() - 12, area.center().y())
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=dots)
    assert texts(open_menu(view)) == ["Edit", "Move up", "Move down", "Remove"]
    with qtbot.waitSignal(view.edit_requested) as asked:
        choose(qtbot, view, "Edit")
    assert asked.args == ["b"]


def test_a_press_on_the_dots_that_is_released_elsewhere_opens_nothing(qtbot, view, queue):
    queue.add([job("a"), job("b")])
    area = row_area(view, 0)
    port = view.view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=QPoint(area.right() - 12, 20))
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=area.center())
    assert not [menu for menu in view.findChildren(QMenu) if menu.isVisible()]


@pytest.mark.parametrize(
    ("state", "text", "signal"),
    [
        (JobState.RUNNING, "Show", "job_chosen"),
        (JobState.RUNNING, "Pause", "pause_requested"),
        (JobState.RUNNING, "Cancel", "cancel_requested"),
        (JobState.PAUSED, "Go on", "resume_requested"),
        (JobState.PAUSED, "Show", "job_chosen"),
        (JobState.FAILED, "Try again", "retry_requested"),
        (JobState.FAILED, "Edit", "edit_requested"),
    ],
)
def test_the_menu_offers_what_fits_the_state(qtbot, view, queue, state, text, signal):
    queue.add([job("a")])
    queue.set_state("a", state, Failure(code="x", message="x") if state == "failed" else None)
    right_click(view, 0)
    assert ("Remove" in texts(open_menu(view))) == (state is not JobState.RUNNING)
    with qtbot.waitSignal(getattr(view, signal)) as asked:
        choose(qtbot, view, text)
    assert asked.args == ["a"]


def test_the_menu_key_opens_the_menu_of_the_current_row(view, queue):
    queue.add([job("a"), job("b")])
    view.view.setCurrentIndex(queue.index(1))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(0, 0), QPoint(0, 0))
    QApplication.sendEvent(view.view.viewport(), event)
    menu = open_menu(view)
    assert "Edit" in texts(menu)
    assert row_area(view, 1).contains(view.view.viewport().mapFromGlobal(menu.pos()))


def test_delete_removes_what_is_selected_in_order_but_never_what_runs(qtbot, view, queue):
    queue.add([job("a"), job("b"), job("c")])
    queue.set_state("a", JobState.RUNNING)
    select(view, 2, 0, 1)
    with qtbot.waitSignal(view.remove_requested) as asked:
        qtbot.keyClick(view.view, Qt.Key.Key_Delete)
    assert asked.args == [["b", "c"]]
    view.view.setCurrentIndex(queue.index(0))
    with qtbot.assertNotEmitted(view.remove_requested):
        qtbot.keyClick(view.view, Qt.Key.Key_Delete)


def test_remove_in_the_menu_takes_the_whole_selection_only_if_the_row_is_in_it(qtbot, view, queue):
    queue.add([job("a"), job("b"), job("c")])
    select(view, 0, 1)
    right_click(view, 1)
    with qtbot.waitSignal(view.remove_requested) as asked:
        choose(qtbot, view, "Remove")
    assert asked.args == [["a", "b"]]
    right_click(view, 2)
    with qtbot.waitSignal(view.remove_requested) as asked:
        choose(qtbot, view, "Remove")
    assert asked.args == [["c"]]


def test_enter_chooses_the_current_job(qtbot, view, queue):
    queue.add([job("a"), job("b")])
    view.view.setCurrentIndex(queue.index(1))
    with qtbot.waitSignal(view.job_chosen) as asked:
        qtbot.keyClick(view.view, Qt.Key.Key_Return)
    assert asked.args == ["b"]


def test_alt_and_arrow_keys_move_the_current_job_but_not_before_what_runs(
    qtbot, view, queue, stack
):
    queue.add([job("a"), job("b"), job("c")])
    queue.set_state("a", JobState.RUNNING)
    view.view.setCurrentIndex(queue.index(2))

    def press(key):
        qtbot.keyClick(view.view, key, Qt.KeyboardModifier.AltModifier)
        return ids(queue)

    assert press(Qt.Key.Key_Up) == "acb"
    assert press(Qt.Key.Key_Up) == "acb"
    assert view.view.currentIndex().row() == 1
    assert press(Qt.Key.Key_Down) == "abc"
    assert press(Qt.Key.Key_Down) == "abc"
    stack.undo()
    assert ids(queue) == "acb"


def test_moves_that_cannot_be_are_greyed_in_the_menu(qtbot, view, queue):
    queue.add([job("a"), job("b")])
    right_click(view, 0)
    enabled = {a.text(): a.isEnabled() for a in open_menu(view).actions()}
    assert (enabled["Move up"], enabled["Move down"]) == (False, True)
    choose(qtbot, view, "Move down")
    assert ids(queue) == "ba"


def test_a_job_that_is_dragged_between_two_others_stands_there(view, queue, stack):
    queue.add([job("a"), job("b"), job("c")])
    view.view.setCurrentIndex(queue.index(2))
    assert view.view.dragDropMode() is QListView.DragDropMode.InternalMove
    # What Qt's list does where it is dropped on; the screen of tests knows no dragging.
    assert queue.moveRows(QModelIndex(), 2, 1, QModelIndex(), 1)
    assert ids(queue) == "acb"
    assert view.view.currentIndex().row() == 1
    stack.undo()
    assert ids(queue) == "abc"


def test_rows_can_be_dragged_except_the_running_one(queue):
    queue.add([job("a"), job("b")])
    queue.set_state("a", JobState.RUNNING)
    assert not queue.flags(queue.index(0)) & Qt.ItemFlag.ItemIsDragEnabled
    assert queue.flags(queue.index(1)) & Qt.ItemFlag.ItemIsDragEnabled


def test_a_job_that_leaves_while_its_menu_is_open_does_no_harm(qtbot, view, queue):
    queue.add([job("a")])
    right_click(view, 0)
    queue.take_finished("a")
    with qtbot.assertNotEmitted(view.remove_requested):
        choose(qtbot, view, "Remove")
    assert view.view.indexAt(QPoint(20, 20)) == QModelIndex()
