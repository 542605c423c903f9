import pytest
from drawn_clips import progress_at
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QAccessible, QHelpEvent
from PySide6.QtWidgets import QToolTip

from engine.api import Stage
from kvdesk.ui import timeline as timeline_module
from kvdesk.ui.theme import ThemeChoice
from kvdesk.ui.timeline import Timeline, shared_widths

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def said(monkeypatch):
    said = []
    monkeypatch.setattr(timeline_module, "announce", lambda _widget, text: said.append(text))
    return said


@pytest.fixture
def timeline(qtbot):
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(728, 40)
    timeline.show()
    return timeline


def test_widths_are_in_proportion_where_there_is_room():
    assert shared_widths([10, 10, 10], [1, 2, 1], 400) == [100, 200, 100]


def test_nobody_gets_less_than_its_text_needs():
    widths = shared_widths([50, 10, 10], [0.0, 1.0, 1.0], 250)
    assert widths == [50, 100, 100]


def test_without_expectations_all_are_the_same():
    assert shared_widths([10, 10], [0.0, 0.0], 100) == [50, 50]


@pytest.mark.parametrize("width", [120, 333, 1001])
def test_no_pixel_is_lost(width):
    assert sum(shared_widths([50, 40, 30], [3.0, 1.0, 7.0], width)) == width


def test_longer_stages_are_wider(timeline, tmp_path):
    timeline.show_progress(progress_at(tmp_path))
    widths = [place.width() for place in timeline.places()]
    assert max(widths) == widths[2]
    assert widths[2] > 1.5 * widths[1]
    assert timeline.places()[-1].right() == timeline.width() - 1


def test_large_text_goes_into_more_rows_and_none_is_cut(timeline, themed, tmp_path):
    themed.use(ThemeChoice.DARK, text_percent=200)
    timeline.show_progress(progress_at(tmp_path))
    timeline.resize(400, timeline.heightForWidth(400))
    places = timeline.places()
    assert len({place.top() for place in places}) > 1
    assert max(place.bottom() for place in places) < timeline.height()
    assert max(place.right() for place in places) < 400
    assert timeline.height() > timeline.sizeHint().height()


@pytest.mark.parametrize("percent", [100, 200])
def test_the_name_of_the_running_stage_is_whole_at_every_step(
    timeline, themed, tmp_path, monkeypatch, percent
):
    themed.use(ThemeChoice.DARK, text_percent=percent)
    shortened = []

    class Metrics(timeline_module.QFontMetrics):
        def elidedText(self, text, mode, width):  # noqa: N802
            elided = super().elidedText(text, mode, width)
            shortened.extend([text] if elided != text else [])
            return elided

    class Painter(timeline_module.QPainter):
        def fontMetrics(self):  # noqa: N802
            return Metrics(super().fontMetrics())

    monkeypatch.setattr(timeline_module, "QPainter", Painter)
    for step in range(50):
        timeline.show_progress(progress_at(tmp_path, Stage.KEY_FRAME, step))
        timeline.resize(timeline.sizeHint())
        timeline.grab()
    assert shortened == []


def test_the_value_is_the_part_of_all_seconds_that_is_done(timeline, tmp_path):
    timeline.show_progress(progress_at(tmp_path, Stage.BASE_FRAMES, 25))
    # 12 s of text, 60 s of key frame and half of 150 s, of 322 s.
    assert timeline.value() == pytest.approx(1000 * (12 + 60 + 75) / 322, abs=1)


def test_screen_readers_get_value_and_words(timeline, tmp_path):
    timeline.show_progress(progress_at(tmp_path))
    interface = QAccessible.queryAccessibleInterface(timeline)
    assert interface.role() is QAccessible.Role.ProgressBar
    assert interface.valueInterface().currentValue() == timeline.value()
    assert interface.text(QAccessible.Text.Name) == "Progress of the clip"
    assert interface.text(QAccessible.Text.Description) == "Motion: step 31 of 50. Stage 3 of 5."


def test_every_stage_is_announced_once_as_it_begins(timeline, said, tmp_path):
    for step in (0, 1, 2):
        timeline.show_progress(progress_at(tmp_path, Stage.KEY_FRAME, step))
    timeline.show_progress(progress_at(tmp_path, Stage.BASE_FRAMES, 0))
    assert [text.split(":")[0] for text in said] == ["Key frame", "Motion"]
    timeline.show_progress(progress_at(tmp_path, Stage.BASE_FRAMES, 0, job_id="next"))
    assert len(said) == 3


def test_a_stage_under_the_pointer_tells_its_state(timeline, tmp_path):
    timeline.show_progress(progress_at(tmp_path))
    for index, words in ((0, "Text: done"), (2, "Motion: step 31 of 50"), (4, "Decode: later")):
        centre = timeline.places()[index].center()
        event = QHelpEvent(QEvent.Type.ToolTip, centre, timeline.mapToGlobal(centre))
        timeline.event(event)
        assert QToolTip.text() == words
    QToolTip.hideText()


def test_finished_stages_are_green_and_the_running_one_fills(timeline, themed, tmp_path):
    timeline.resize(728, timeline.heightForWidth(728))
    timeline.show_progress(progress_at(tmp_path))
    picture = timeline.grab().toImage()
    ratio = picture.devicePixelRatio()

    def colour(place, part):
        at = QPoint(place.left() + round(part * place.width()), place.top() + 3)
        return picture.pixelColor(at * ratio).name()

    done, running, later = (timeline.places()[index] for index in (0, 2, 3))
    assert colour(done, 0.5) == themed.tokens.fits_soft
    assert colour(running, 0.3) == themed.tokens.accent_soft
    assert colour(running, 0.9) == themed.tokens.card
    assert colour(later, 0.5) == themed.tokens.card
