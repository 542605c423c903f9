from dataclasses import replace
from itertools import pairwise

import pytest
from busy_watch import BusyWatch
from drawn_clips import draw, drawn_clip, drawn_strip, progress_at, red_of
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, QSize, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QImage,
    QPainter,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication

from engine.api import MemoryEffect, Stage
from kvdesk.play_clock import PlayMode
from kvdesk.player import Player
from kvdesk.running_picture import RunningPicture
from kvdesk.ui.canvas import Canvas, fitted_rect, paint_picture
from kvdesk.ui.drops import CLIP_MIME_TYPE
from kvdesk.ui.full_screen import FullScreen
from kvdesk.ui.stage_view import Shown, StageView
from kvdesk.ui.theme import ThemeChoice

pytestmark = pytest.mark.usefixtures("themed")

EXAMPLES = ("a red circle growing", "a blue square & a moon", "a green triangle", "a fourth one")


@pytest.fixture
def player():
    player = Player()
    yield player
    player.close()


@pytest.fixture
def stage(qtbot, player):
    stage = StageView(player)
    qtbot.addWidget(stage)
    stage.resize(728, 800)
    stage.show()
    qtbot.waitExposed(stage)
    return stage


def click(qtbot, widget):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def wait_for_clip(qtbot, player):
    qtbot.waitUntil(lambda: player.num_loaded == player.num_frames)


def drop_on(widget, mime):
    enter = QDragEnterEvent(
        QPoint(9, 9),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, enter)
    if not enter.isAccepted():
        return False
    drop = QDropEvent(
        QPointF(9, 9),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, drop)
    return drop.isAccepted()


# Pictures


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("size", [QSize(64, 64), QSize(640, 384), QSize(1024, 2048)])
def test_a_picture_is_fitted_centred_and_not_distorted(size, ratio):
    area = QRectF(0, 0, 701, 533)
    place = fitted_rect(size, area, ratio)
    assert area.contains(place)
    assert place.width() / place.height() == pytest.approx(
        size.width() / size.height(), abs=2 / min(place.width(), place.height())
    )
    assert abs(place.center().x() - area.center().x()) <= 1
    assert abs(place.center().y() - area.center().y()) <= 1
    assert max(place.width() / area.width(), place.height() / area.height()) > 0.99
    for edge in (place.left(), place.top(), place.width(), place.height()):
        assert edge * ratio == pytest.approx(round(edge * ratio))


def edge_width():
    """Pixels that are neither black nor white where 16x16 pixels become 320x320."""
    small = QImage(16, 16, QImage.Format.Format_RGB888)
    small.fill(Qt.GlobalColor.black)
    for x in range(8, 16):
        for y in range(16):
            small.setPixelColor(x, y, QColor("white"))
    large = QImage(320, 320, QImage.Format.Format_RGB32)
    painter = QPainter(large)
    paint_picture(painter, small, QRectF(0, 0, 320, 320))
    painter.end()
    return sum(10 < large.pixelColor(x, 160).red() < 245 for x in range(320))


def test_small_pictures_are_enlarged_without_visible_squares():
    assert edge_width() >= 16


def test_a_picture_can_be_dragged_out_as_its_file(qtbot, tmp_path):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    assert canvas.drag_data() is None
    path = draw(tmp_path / "0001.png", 7)
    canvas.show_picture(QImage(str(path)), path)
    assert [url.toLocalFile() for url in canvas.drag_data().urls()] == [str(path)]
    canvas.show_message("gone")
    assert canvas.drag_data() is None


def test_dragging_far_enough_begins_a_drag_and_a_click_does_not(qtbot, tmp_path, monkeypatch):
    dragged = []
    monkeypatch.setattr(Canvas, "_drag_out", lambda self: dragged.append(self.path))
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(300, 300)
    path = draw(tmp_path / "0001.png", 7)
    canvas.show_picture(QImage(str(path)), path)
    canvas.show()
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    assert dragged == []
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    for x in (52, 90):
        qtbot.mouseMove(canvas, QPoint(x, 50))
    assert dragged == [path]


# Empty


def test_the_empty_stage_invites_with_three_examples(qtbot, stage):
    stage.show_empty(EXAMPLES)
    assert stage.shown is Shown.EMPTY
    assert not stage.transport.isVisible()
    assert [button.prompt for button in stage.empty.examples] == list(EXAMPLES[:3])
    with qtbot.waitSignal(stage.example_chosen) as chosen:
        click(qtbot, stage.empty.examples[1])
    assert chosen.args == ["a blue square & a moon"]


def test_a_long_example_is_shortened_and_told_whole(stage):
    long = "a purple triangle moving to the left " * 5
    stage.show_empty([long])
    QApplication.processEvents()
    button = stage.empty.examples[0]
    assert button.text().endswith("…")
    assert button.toolTip() == long


def test_files_and_clips_can_be_dropped_and_other_things_not(qtbot, stage):
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile("/a b/one.png"), QUrl.fromLocalFile("/two.txt")])
    with qtbot.waitSignal(stage.files_dropped) as dropped:
        assert drop_on(stage, files)
    assert dropped.args == [["/a b/one.png", "/two.txt"]]
    clip = QMimeData()
    clip.setData(CLIP_MIME_TYPE, b"20261122-a-clip")
    with qtbot.waitSignal(stage.clip_dropped) as named:
        assert drop_on(stage, clip)
    assert named.args == ["20261122-a-clip"]
    words = QMimeData()
    words.setText("words")
    assert not drop_on(stage, words)
    far = QMimeData()
    far.setUrls([QUrl("https://example.org/a.png")])
    assert not drop_on(stage, far)


@pytest.mark.parametrize("is_running", [True, False])
def test_what_is_shown_has_a_frame_while_something_to_drop_is_over_it(
    stage, themed, tmp_path, is_running
):
    if is_running:
        stage.show_progress(progress_at(tmp_path, Stage.TEXT, 0))
    else:
        stage.show_clip(drawn_clip(tmp_path, 3))
    page = stage.running_canvas if is_running else stage.canvas
    assert page.isVisible()

    def edge():
        return page.grab().toImage().pixelColor(page.width() // 2, 2).name()

    accent = themed.color("accent").name()
    assert edge() != accent
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile("/one.png")])
    button, no_keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, files, button, no_keys)
    QApplication.sendEvent(stage, enter)
    assert edge() == accent
    QApplication.sendEvent(stage, QDragLeaveEvent())
    assert edge() != accent
    assert drop_on(stage, files)
    assert edge() != accent


# Clip


def test_a_clip_is_shown_and_plays(qtbot, stage, player, tmp_path):
    stage.show_clip(drawn_clip(tmp_path, 6, fps=50.0))
    assert stage.shown is Shown.CLIP
    qtbot.waitUntil(lambda: red_of(stage.canvas.image) == 4)
    assert player.is_playing
    assert stage.canvas.path.name == "0005.png"
    assert not stage.timeline.isVisible()


def test_keys_drive_the_clip(qtbot, stage, player, tmp_path):
    stage.show_clip(drawn_clip(tmp_path, 6))
    wait_for_clip(qtbot, player)
    stage.setFocus()
    assert stage.canvas.hasFocus()
    canvas = stage.canvas
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert not player.is_playing
    qtbot.keyClick(canvas, Qt.Key.Key_End)
    assert player.index == 5
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert player.index == 1
    assert red_of(canvas.image) == 1
    qtbot.keyClick(canvas, Qt.Key.Key_L)
    assert player.mode is PlayMode.BOOMERANG
    with qtbot.waitSignal(stage.save_frame_requested) as saved:
        qtbot.keyClick(canvas, Qt.Key.Key_S)
    assert saved.args[0].endswith("0002.png")
    assert canvas.accessibleDescription() == "title of clip. Frame 2 of 6."


def test_a_click_on_the_clip_plays_it_or_lets_it_stand_still(qtbot, stage, player, tmp_path):
    stage.show_clip(drawn_clip(tmp_path, 6))
    wait_for_clip(qtbot, player)
    assert player.is_playing
    click(qtbot, stage.canvas)
    assert not player.is_playing
    click(qtbot, stage.canvas)
    assert player.is_playing
    qtbot.mouseClick(stage.canvas, Qt.MouseButton.RightButton)
    assert player.is_playing


def test_a_drag_out_of_the_clip_is_not_a_click(qtbot, stage, player, tmp_path, monkeypatch):
    monkeypatch.setattr(Canvas, "_drag_out", lambda _self: None)
    stage.show_clip(drawn_clip(tmp_path, 6))
    wait_for_clip(qtbot, player)
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(stage.canvas, left, pos=QPoint(50, 50))
    for x in (52, 120):
        qtbot.mouseMove(stage.canvas, QPoint(x, 50))
    qtbot.mouseRelease(stage.canvas, left, pos=QPoint(120, 50))
    assert player.is_playing


@pytest.mark.parametrize("plays", [True, False])
def test_a_double_click_on_the_clip_leads_to_the_full_screen_and_back(
    qtbot, stage, player, tmp_path, plays
):
    def double_click(canvas):
        for send in (qtbot.mouseClick, qtbot.mouseDClick):
            send(canvas, Qt.MouseButton.LeftButton)

    stage.show_clip(drawn_clip(tmp_path, 6))
    wait_for_clip(qtbot, player)
    if not plays:
        player.pause()
    double_click(stage.canvas)
    assert stage.full_screen is not None
    assert player.is_playing is plays
    double_click(stage.full_screen.canvas)
    assert stage.full_screen is None
    assert player.is_playing is plays


def test_keys_with_ctrl_are_not_taken(qtbot, stage, tmp_path):
    stage.show_clip(drawn_clip(tmp_path, 6))
    with qtbot.assertNotEmitted(stage.save_frame_requested):
        qtbot.keyClick(stage.canvas, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)


def test_the_wheel_over_the_clip_does_nothing(stage, player, tmp_path):
    stage.set_reduced_motion(True)
    stage.show_clip(drawn_clip(tmp_path, 6))
    event = QWheelEvent(
        QPointF(9, 9),
        QPointF(9, 9),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(stage.canvas, event)
    assert player.index == 0


def test_a_frame_that_cannot_be_read_is_said_and_the_next_one_shown(qtbot, stage, player, tmp_path):
    clip = drawn_clip(tmp_path, 3)
    clip.frames[1].unlink()
    stage.set_reduced_motion(True)
    stage.show_clip(clip)
    wait_for_clip(qtbot, player)
    player.seek(1)
    assert stage.canvas.message.startswith("Frame 2 cannot be read")
    assert stage.canvas.drag_data() is None
    player.seek(2)
    assert red_of(stage.canvas.image) == 2


def test_the_menu_and_the_buttons_offer_the_frame(qtbot, stage, player, tmp_path):
    stage.set_reduced_motion(True)
    stage.show_clip(drawn_clip(tmp_path, 3))
    player.seek(2)
    with qtbot.waitSignal(stage.frame_to_form_requested) as used:
        click(qtbot, stage.transport.use_frame_button)
    assert used.args[0].endswith("0003.png")
    menu = stage.clip_menu()
    for action, signal in zip(
        [action for action in menu.actions() if not action.isSeparator()],
        (
            stage.frame_to_form_requested,
            stage.save_frame_requested,
            stage.compare_requested,
            stage.export_requested,
        ),
        strict=False,
    ):
        with qtbot.waitSignal(signal):
            action.trigger()
    menu.deleteLater()


def test_a_still_picture_is_shown_and_can_be_dragged(qtbot, stage, player, tmp_path):
    path = draw(tmp_path / "key_frame.png", 99)
    stage.show_still(path, name="clip", title="a cat")
    qtbot.waitUntil(lambda: red_of(stage.canvas.image) == 99)
    assert stage.canvas.drag_data() is not None
    assert not player.is_playing
    assert player.clip.title == "a cat"


def test_reduced_motion_lets_nothing_play_by_itself(qtbot, stage, player, tmp_path):
    stage.show_clip(drawn_clip(tmp_path, 6))
    stage.set_reduced_motion(True)
    assert not player.is_playing
    stage.show_clip(drawn_clip(tmp_path, 6, name="other"))
    assert not player.is_playing
    click(qtbot, stage.transport.play_button)
    assert player.is_playing


def test_a_stage_that_nobody_sees_does_not_play(stage, player, tmp_path):
    stage.show_clip(drawn_clip(tmp_path, 6))
    stage.hide()
    assert not player.is_playing
    stage.show()
    assert player.is_playing


# Running


def test_a_running_job_shows_a_moving_preview_with_its_step(qtbot, stage, tmp_path):
    stage.show_progress(progress_at(tmp_path, Stage.TEXT, 0, seconds_left=None))
    assert stage.shown is Shown.RUNNING
    assert stage.running_canvas.message == "Reading the prompt …"
    assert stage.timeline.isVisible()
    preview = drawn_strip(tmp_path / "preview.png")
    stage.show_progress(progress_at(tmp_path, preview=preview))
    qtbot.waitUntil(lambda: stage.running_canvas.image is not None)
    assert stage.running_canvas.badge == "preview · step 3 of 50"
    assert stage.running_canvas.image.size() == QSize(8, 8)
    qtbot.waitUntil(lambda: red_of(stage.running_canvas.image) == 2, timeout=2000)
    assert stage.running_canvas.drag_data() is None
    assert stage.transport.counter.text() == "3 / 12"
    assert not stage.transport.export_button.isVisible()


def test_a_preview_stands_still_with_reduced_motion(qtbot, stage, tmp_path):
    stage.set_reduced_motion(True)
    preview = drawn_strip(tmp_path / "preview.png")
    stage.show_progress(progress_at(tmp_path, preview=preview))
    qtbot.waitUntil(lambda: stage.running_canvas.image is not None)
    qtbot.wait(400)
    assert red_of(stage.running_canvas.image) == 0


def test_the_key_frame_takes_the_place_of_its_previews(qtbot, stage, tmp_path):
    key_frame = draw(tmp_path / "key_frame.png", 77, width=64, height=64)
    one = replace(drawn_strip(tmp_path / "preview.png", 1), stage=Stage.KEY_FRAME)
    stage.show_progress(progress_at(tmp_path, Stage.KEY_FRAME, 3, preview=one))
    qtbot.waitUntil(lambda: red_of(stage.running_canvas.image) == 0)
    stage.show_progress(
        progress_at(tmp_path, Stage.KEY_FRAME, 50, preview=one, key_frame=str(key_frame))
    )
    qtbot.waitUntil(lambda: red_of(stage.running_canvas.image) == 77)
    assert stage.running_canvas.badge == "key frame"


def test_the_moving_preview_stays_while_the_clip_is_decoded(qtbot, stage, tmp_path):
    key_frame = str(draw(tmp_path / "key_frame.png", 77))
    preview = drawn_strip(tmp_path / "preview.png")
    stage.show_progress(progress_at(tmp_path, preview=preview, key_frame=key_frame))
    qtbot.waitUntil(lambda: stage.running_canvas.image is not None)
    stage.show_progress(progress_at(tmp_path, Stage.DECODE, 1, key_frame=key_frame))
    qtbot.wait(100)
    assert stage.running_canvas.image.size() == QSize(8, 8)
    assert stage.running_canvas.badge == "preview"


def test_a_preview_that_is_gone_is_passed_over(qtbot, tmp_path):
    running = RunningPicture()
    preview = drawn_strip(tmp_path / "preview.png")
    running.follow(progress_at(tmp_path, preview=preview))
    qtbot.waitUntil(lambda: running.num_frames == 12)
    (tmp_path / "preview.png").unlink()
    running.follow(progress_at(tmp_path, preview=replace(preview, step=4)))
    qtbot.wait(50)
    assert running.picture() is not None
    drawn_strip(tmp_path / "preview.png", 6)
    running.follow(progress_at(tmp_path, preview=replace(preview, step=5, num_frames=6)))
    qtbot.waitUntil(lambda: running.num_frames == 6)


def test_a_new_preview_of_the_same_length_does_not_begin_the_loop_anew(qtbot, tmp_path):
    running = RunningPicture()
    running.plays_by_itself = False
    preview = drawn_strip(tmp_path / "preview.png")
    running.follow(progress_at(tmp_path, preview=preview))
    qtbot.waitUntil(lambda: running.num_frames == 12)
    running.seek(5)
    with qtbot.waitSignal(running.frame_changed):
        running.follow(progress_at(tmp_path, preview=replace(preview, step=4)))
    assert running.index == 5
    running.follow(None)
    assert running.picture() is None


def test_a_clip_that_a_person_opens_stays_and_leads_back(qtbot, stage, player, tmp_path):
    stage.show_progress(progress_at(tmp_path))
    stage.show_clip(drawn_clip(tmp_path, 3))
    assert stage.shown is Shown.CLIP
    assert stage.back_button.text() == "Back to the running clip"
    assert stage.timeline.isVisible()
    assert stage.transport.export_button.isVisible()
    assert stage.transport.cancel_button.isVisible()
    stage.show_progress(progress_at(tmp_path, step=32))
    stage.show_progress(progress_at(tmp_path, step=1, job_id="next"))
    assert stage.shown is Shown.CLIP
    click(qtbot, stage.back_button)
    assert stage.shown is Shown.RUNNING
    assert not stage.back_button.isVisible()
    assert not player.is_playing


def test_the_finished_clip_is_shown_as_its_job_ends(stage, player, tmp_path):
    stage.show_progress(progress_at(tmp_path, Stage.DECODE, 44))
    stage.show_progress(None)
    stage.show_finished(drawn_clip(tmp_path, 3))
    assert stage.shown is Shown.CLIP
    assert player.is_playing
    assert not stage.timeline.isVisible()
    assert not stage.transport.cancel_button.isVisible()


def test_the_finished_clip_waits_while_a_person_looks_at_another(qtbot, stage, player, tmp_path):
    stage.show_progress(progress_at(tmp_path))
    stage.show_clip(drawn_clip(tmp_path, 3, name="other"))
    stage.show_progress(None)
    stage.show_finished(drawn_clip(tmp_path, 3, name="made"))
    assert player.clip.name == "other"
    assert stage.back_button.text() == "Show the finished clip"
    click(qtbot, stage.back_button)
    assert player.clip.name == "made"
    assert not stage.back_button.isVisible()


def test_a_finished_clip_stays_until_the_next_one_has_a_picture(stage, tmp_path):
    stage.show_progress(progress_at(tmp_path, Stage.DECODE, 44))
    stage.show_finished(drawn_clip(tmp_path, 3))
    stage.show_progress(progress_at(tmp_path, Stage.TEXT, 0, job_id="next"))
    assert stage.shown is Shown.CLIP
    preview = drawn_strip(tmp_path / "preview.png")
    stage.show_progress(progress_at(tmp_path, job_id="next", preview=preview))
    assert stage.shown is Shown.RUNNING


def test_a_cancelled_job_leads_back_to_what_was_there(stage, tmp_path):
    stage.show_progress(progress_at(tmp_path))
    stage.show_progress(None)
    assert stage.shown is Shown.EMPTY
    stage.show_clip(drawn_clip(tmp_path, 3))
    stage.show_progress(progress_at(tmp_path, job_id="second"))
    assert stage.shown is Shown.RUNNING
    stage.show_progress(None)
    assert stage.shown is Shown.CLIP


def test_the_job_can_be_paused_and_cancelled_from_the_stage(qtbot, stage, tmp_path):
    stage.show_progress(progress_at(tmp_path))
    with qtbot.waitSignal(stage.pause_requested):
        click(qtbot, stage.transport.pause_button)
    with qtbot.waitSignal(stage.cancel_requested):
        click(qtbot, stage.transport.cancel_button)
    stage.show_progress(progress_at(tmp_path, is_cancelling=True))
    assert stage.transport.cancel_button.text() == "Stop now"


# Full screen


def test_the_full_screen_is_left_by_escape_and_by_f(qtbot, stage, player, tmp_path):
    stage.show_clip(drawn_clip(tmp_path, 3))
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_F):
        qtbot.keyClick(stage.canvas, Qt.Key.Key_F)
        full = stage.full_screen
        assert full is not None
        assert full.isFullScreen()
        assert full.canvas.image is not None or player.num_loaded == 0
        qtbot.keyClick(full.canvas, key)
        assert stage.full_screen is None


def test_escape_leaves_the_full_screen_from_its_buttons_too(qtbot, stage, tmp_path):
    stage.show_clip(drawn_clip(tmp_path, 3))
    stage.open_full_screen()
    full = stage.full_screen
    qtbot.keyClick(full.transport.play_button, Qt.Key.Key_Escape)
    assert stage.full_screen is None


def test_the_transport_goes_and_comes_with_the_mouse(qtbot, player, tmp_path):
    player.open(drawn_clip(tmp_path, 3))
    full = FullScreen(player)
    full.show()
    qtbot.waitExposed(full)
    full.activateWindow()
    qtbot.waitUntil(full.canvas.hasFocus)
    assert full.shows_transport
    full._timer.start(30)
    qtbot.waitUntil(lambda: not full.shows_transport)
    for x in (90, 100, 110):
        qtbot.mouseMove(full.canvas, QPoint(x, 90))
        qtbot.wait(20)
    assert full.shows_transport
    with qtbot.waitSignal(full.left):
        full.close()


def test_there_is_no_full_screen_without_a_clip(stage):
    stage.open_full_screen()
    assert stage.full_screen is None


# Manners


def test_opening_a_clip_does_not_hold_the_event_loop_up(qtbot, stage, player, tmp_path):
    clip = drawn_clip(tmp_path, 30, side=512, fps=32.0)
    with BusyWatch() as watch:
        stage.show_clip(clip)
        qtbot.waitUntil(lambda: player.num_loaded == 30 and player.index == 29, timeout=5000)
    assert watch.worked_ms < 50, str(watch)


def test_scarce_memory_is_said_calmly_under_the_stages(qtbot, stage, tmp_path):
    progress = progress_at(tmp_path, Stage.BASE_FRAMES, 3)
    stage.show_progress(progress)
    assert not stage.memory_line.isVisible()
    stage.show_progress(replace(progress, memory_effect=MemoryEffect.EXACT))
    assert "the pixels stay the same" in stage.memory_line.text()
    qtbot.waitUntil(lambda: stage.memory_line.y() > stage.timeline.geometry().bottom())
    stage.show_progress(replace(progress, memory_effect=MemoryEffect.ROUNDING))
    assert "may differ in the last digits" in stage.memory_line.text()
    stage.show_progress(replace(progress, memory_effect=MemoryEffect.LOSSY))
    assert "as you allowed" in stage.memory_line.text()
    stage.show_progress(None)
    assert not stage.memory_line.isVisible()


def test_other_words_are_taken_at_run_time(stage, tmp_path):
    stage.show_progress(progress_at(tmp_path, Stage.TEXT, 0))
    stage.running_canvas.show_message("")
    QApplication.sendEvent(stage, QEvent(QEvent.Type.LanguageChange))
    assert stage.running_canvas.message == "Reading the prompt …"


@pytest.mark.parametrize("effect", MemoryEffect)
@pytest.mark.parametrize("choice", [ThemeChoice.DARK, ThemeChoice.LIGHT])
def test_large_text_fits_into_a_small_window(qtbot, stage, themed, tmp_path, choice, effect):
    themed.use(choice, text_percent=200)
    stage.resize(560, 640)
    progress = progress_at(tmp_path, is_cancelling=True)
    stage.show_progress(replace(progress, memory_effect=effect))
    stage.show_clip(drawn_clip(tmp_path, 3))
    qtbot.wait(30)
    assert stage.size() == QSize(560, 640)
    parts = (
        *(stage.back_button, stage.canvas, stage.timeline),
        *(stage.memory_line, stage.transport),
    )
    for above, below in pairwise(parts):
        assert (
            above.mapTo(stage, above.rect().bottomLeft()).y() < below.mapTo(stage, QPoint(0, 0)).y()
        )
    for part in (stage.timeline, stage.memory_line, stage.transport):
        assert part.height() >= part.heightForWidth(part.width())
        assert part.geometry().bottom() < stage.height()
    assert stage.canvas.height() >= 100
