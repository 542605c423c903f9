from __future__ import annotations

from dataclasses import replace

import pytest
from clip_folders import clip_info, make_clip
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QDoubleSpinBox, QLabel, QPushButton

from engine.api import FrameSize, Playback
from kvdesk.clip_records import read_clip
from kvdesk.ui.controls import LabelledField, Segments
from kvdesk.ui.export_sheet import ExportSheet


@pytest.fixture
def sheet(qtbot, themed):  # noqa: ARG001 - widgets read the theme
    sheet = ExportSheet()
    qtbot.addWidget(sheet)
    sheet.resize(700, 820)
    sheet.show()
    return sheet


@pytest.fixture
def clip(tmp_path):
    return record(tmp_path, "20261122-193005-red-circle-4f3a", 64, 64)


def record(tmp_path, name, width, height):
    make_clip(tmp_path, name, size=FrameSize(width=width, height=height))
    return read_clip(tmp_path / name, is_binned=False).record(tmp_path)


def field(sheet, title):
    QApplication.processEvents()
    fields = sheet.findChildren(LabelledField)
    return next(f for f in fields if f.findChildren(QLabel)[0].text() == title)


def press(qtbot, sheet, text):
    QApplication.processEvents()
    buttons = [b for b in sheet.findChildren(QPushButton) if b.text() == text and b.isVisible()]
    assert len(buttons) == 1, f"{len(buttons)} buttons say {text}"
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)


def button(sheet, text):
    return next(b for b in sheet.findChildren(QPushButton) if b.text() == text)


def options(sheet, title):
    segments = field(sheet, title).control
    assert isinstance(segments, Segments)
    return [b.text() for b in segments.findChildren(QPushButton) if b.isVisibleTo(sheet)]


def shown(sheet):
    QApplication.processEvents()
    return [label.text() for label in sheet.findChildren(QLabel) if label.isVisible()]


def predicted(qtbot, sheet):
    """The answer to a question that the sheet asks by itself."""
    with qtbot.waitSignal(sheet.prediction_wanted) as asked:
        pass
    return asked.args


def test_a_small_clip_is_offered_larger_and_a_large_one_smaller(sheet, tmp_path):
    sheet.show_clip(record(tmp_path, "a", 64, 64))
    assert options(sheet, "Size") == ["64 × 64", "128 × 128", "256 × 256", "512 × 512"]
    assert sheet.save_request().width == 256
    sheet.show_clip(record(tmp_path, "b", 640, 384))
    assert options(sheet, "Size") == ["320 × 192", "640 × 384", "1280 × 768"]
    assert sheet.save_request().width == 640
    sheet.show_clip(record(tmp_path, "c", 1024, 2048))
    assert options(sheet, "Size") == ["512 × 1024", "1024 × 2048"]


def test_a_clip_has_its_own_size_unless_a_person_chose_another(qtbot, sheet, tmp_path):
    small, large = record(tmp_path, "a", 64, 64), record(tmp_path, "b", 512, 512)
    sheet.show_clip(small)
    sheet.show_clip(large)
    assert sheet.save_request().width == 512
    press(qtbot, sheet, "256 × 256")
    sheet.show_clip(small)
    sheet.show_clip(large)
    assert sheet.save_request().width == 256


def test_the_choices_become_the_request(qtbot, sheet, clip):
    sheet.show_clip(clip)
    for text in ("WebP", "128 × 128", "Boomerang", "2 ×", "Best"):
        press(qtbot, sheet, text)
    with qtbot.waitSignal(sheet.export_requested) as asked:
        press(qtbot, sheet, "Save as WEBP …")
    name, save, ending = asked.args
    assert (name, ending, save.path) == (clip.name, ".webp", "")
    assert (save.width, save.playback, save.speed, save.webp_quality) == (
        128,
        Playback.BOOMERANG,
        2.0,
        95,
    )


def test_better_quality_is_a_lower_number_for_mp4_and_a_higher_one_for_webp(qtbot, sheet, clip):
    sheet.show_clip(clip)
    press(qtbot, sheet, "Small")
    small = sheet.save_request()
    press(qtbot, sheet, "Best")
    best = sheet.save_request()
    assert best.crf < small.crf
    assert best.webp_quality > small.webp_quality


@pytest.mark.parametrize(
    ("kind", "hidden"),
    [
        ("MP4", set()),
        ("GIF", {"Quality"}),
        ("WebP", set()),
        ("PNG pictures", {"Quality", "Plays", "Speed", "Fit under"}),
    ],
)
def test_what_makes_no_sense_for_a_kind_is_not_shown(qtbot, sheet, clip, kind, hidden):
    sheet.show_clip(clip)
    press(qtbot, sheet, "WebP" if kind == "MP4" else "MP4")
    press(qtbot, sheet, kind)
    titles = {"Save as", "Size", "Plays", "Speed", "Quality", "Fit under"}
    assert {title for title in titles if not field(sheet, title).isVisible()} == hidden


def test_pictures_are_neither_fast_nor_shown_twice(qtbot, sheet, clip):
    sheet.show_clip(clip)
    press(qtbot, sheet, "Boomerang")
    press(qtbot, sheet, "2 ×")
    press(qtbot, sheet, "PNG pictures")
    save = sheet.save_request()
    assert (save.playback, save.speed) == (Playback.ONCE, 1.0)
    press(qtbot, sheet, "GIF")
    save = sheet.save_request()
    assert (save.playback, save.speed) == (Playback.BOOMERANG, 2.0)


def test_it_says_that_an_mp4_does_not_loop_by_itself(qtbot, sheet, clip):
    sheet.show_clip(clip)
    assert any("told to loop" in text for text in shown(sheet))
    press(qtbot, sheet, "GIF")
    assert not any("told to loop" in text for text in shown(sheet))


def test_the_size_is_asked_for_once_the_choices_rest(qtbot, sheet, clip):
    asked = []
    sheet.prediction_wanted.connect(lambda *args: asked.append(args))
    sheet.show_clip(clip)
    for text in ("GIF", "WebP", "Best", "128 × 128"):
        press(qtbot, sheet, text)
    assert asked == []
    assert "Working out the file's size …" in shown(sheet)
    qtbot.waitUntil(lambda: len(asked) == 1)
    qtbot.wait(300)
    assert len(asked) == 1
    name, save, limit = asked[0]
    assert (name, limit, save.path, save.width) == (clip.name, None, "clip.webp", 128)


def test_the_foretold_size_is_shown(qtbot, sheet, clip):
    sheet.show_clip(clip)
    _, save, _ = predicted(qtbot, sheet)
    sheet.show_prediction(1_234_567, save, was_fitted=False)
    assert "The file will have about 1.2 MB." in shown(sheet)


def fit(qtbot, sheet):
    with qtbot.waitSignal(sheet.prediction_wanted) as asked:
        press(qtbot, sheet, "Fit")
    return asked.args


def test_fit_asks_for_the_best_file_under_the_limit(qtbot, sheet, clip):
    sheet.show_clip(clip)
    sheet.findChild(QDoubleSpinBox).setValue(2.5)
    _, _, limit = fit(qtbot, sheet)
    assert limit == 2_500_000
    assert any("Looking for" in text for text in shown(sheet))
    assert not button(sheet, "Fit").isEnabled()


def test_enter_in_the_limit_fits_too(qtbot, sheet, clip):
    sheet.show_clip(clip)
    box = sheet.findChild(QDoubleSpinBox)
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "3")
    with qtbot.waitSignal(sheet.prediction_wanted) as asked:
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert asked.args[2] == 3_000_000


def exported(qtbot, sheet):
    with qtbot.waitSignal(sheet.export_requested) as asked:
        press(qtbot, sheet, "Save as MP4 …")
    return asked.args[1]


def test_what_was_made_to_fit_is_exported_until_a_choice_changes(qtbot, sheet, clip):
    sheet.show_clip(clip)
    _, save, _ = fit(qtbot, sheet)
    fitted = replace(save, crf=33, width=128)
    sheet.show_prediction(7_900_000, fitted, was_fitted=True)
    assert any("Fits" in text and "128 pixels wide" in text for text in shown(sheet))
    assert exported(qtbot, sheet) == replace(fitted, path="")
    press(qtbot, sheet, "Small")
    assert exported(qtbot, sheet).crf == 28


def test_another_limit_undoes_a_fit_also_after_an_export(qtbot, sheet, clip):
    sheet.show_clip(clip)
    _, save, _ = fit(qtbot, sheet)
    sheet.show_prediction(7_900_000, replace(save, crf=33), was_fitted=True)
    sheet.show_busy(is_busy=True)
    sheet.show_busy(is_busy=False)
    assert exported(qtbot, sheet).crf == 33
    sheet.findChild(QDoubleSpinBox).setValue(1)
    assert exported(qtbot, sheet).crf == 18
    assert not any("Fits" in text for text in shown(sheet))


def test_another_limit_does_not_ask_for_a_size_that_is_known(qtbot, sheet, clip):
    sheet.show_clip(clip)
    _, save, _ = predicted(qtbot, sheet)
    sheet.show_prediction(1_000_000, save, was_fitted=False)
    with qtbot.assertNotEmitted(sheet.prediction_wanted, wait=350):
        sheet.findChild(QDoubleSpinBox).setValue(1)
    assert any("about 1.0 MB" in text for text in shown(sheet))


def test_why_it_cannot_fit_stands_beside_the_limit(qtbot, sheet, clip):
    sheet.show_clip(clip)
    fit(qtbot, sheet)
    sheet.show_problem("Even the smallest file is larger. Allow more.")
    assert field(sheet, "Fit under").problem == "Even the smallest file is larger. Allow more."
    assert button(sheet, "Fit").isEnabled()
    press(qtbot, sheet, "GIF")
    assert field(sheet, "Fit under").problem == ""


@pytest.mark.parametrize("kind", ["MP4", "PNG pictures"])
def test_why_an_export_failed_is_always_in_sight(qtbot, sheet, clip, kind):
    sheet.show_clip(clip)
    press(qtbot, sheet, "GIF")
    press(qtbot, sheet, kind)
    sheet.show_busy(is_busy=True)
    sheet.show_busy(is_busy=False)
    sheet.show_problem("The disk is full. Make room and try again.")
    assert "The disk is full. Make room and try again." in shown(sheet)
    assert field(sheet, "Fit under").problem == ""


def test_nothing_is_exported_twice_at_once(qtbot, sheet, clip):
    sheet.show_clip(clip)
    sheet.show_busy(is_busy=True)
    assert not button(sheet, "Exporting …").isEnabled()
    assert not button(sheet, "Fit").isEnabled()
    press_is_free = button(sheet, "GIF")
    qtbot.mouseClick(press_is_free, Qt.MouseButton.LeftButton)
    assert not button(sheet, "Exporting …").isEnabled()
    sheet.show_busy(is_busy=False)
    assert button(sheet, "Save as GIF …").isEnabled()


def test_the_choices_stay_for_the_next_clip(qtbot, sheet, clip, tmp_path):
    sheet.show_clip(clip)
    for text in ("GIF", "Once", "0.5 ×", "128 × 128"):
        press(qtbot, sheet, text)
    sheet.show_clip(record(tmp_path, "other", 64, 64))
    save = sheet.save_request()
    assert (save.width, save.playback, save.speed) == (128, Playback.ONCE, 0.5)
    assert button(sheet, "Save as GIF …").isEnabled()


def test_a_prompt_is_shown_as_it_was_typed(sheet, tmp_path):
    make_clip(tmp_path, "x", request=replace(clip_info().request, prompt="<b>not bold</b>"))
    sheet.show_clip(read_clip(tmp_path / "x", is_binned=False).record(tmp_path))
    label = next(each for each in sheet.findChildren(QLabel) if "not bold" in each.text())
    assert label.textFormat() is Qt.TextFormat.PlainText


def test_another_language_keeps_what_was_chosen_and_found(qtbot, sheet, clip):
    sheet.show_clip(clip)
    press(qtbot, sheet, "Best")
    _, save, _ = fit(qtbot, sheet)
    sheet.show_prediction(7_900_000, replace(save, crf=33), was_fitted=True)
    QApplication.sendEvent(sheet, QEvent(QEvent.Type.LanguageChange))
    assert exported(qtbot, sheet).crf == 33
    with qtbot.assertNotEmitted(sheet.prediction_wanted, wait=350):
        pass


def test_tab_goes_from_top_to_bottom(qtbot, sheet, clip):
    sheet.show_clip(clip)
    QApplication.processEvents()
    sheet.focus()
    seen = []
    while len(seen) < 9:
        control = QApplication.focusWidget()
        seen.append(control.text())
        qtbot.keyClick(control, Qt.Key.Key_Tab)
    assert seen == [
        *("Back", "MP4", "256 × 256", "Loop", "1 ×", "Good"),
        *("8.0 MB", "Fit", "Save as MP4 …"),
    ]
