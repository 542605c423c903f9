"""From a sentence to a file, with the real worker and the demo model."""

from __future__ import annotations

from PySide6.QtCore import Qt

from engine.api import Fps, SaveRequest
from engine.video_frames import open_video
from kvdesk.ui.stage_view import Shown

PATIENCE = 240_000  # torch is imported, perhaps on a busy machine


def test_a_sentence_becomes_a_clip_that_plays_and_a_file_that_decodes(desk_of, qtbot, tmp_path):
    desk = desk_of(real=True)
    qtbot.waitUntil(lambda: desk.form.model is not None, timeout=PATIENCE)
    desk.form.edit("draft", fps=Fps.LOW)
    box = desk.window.compose.prompt.editor
    box.setFocus()
    qtbot.keyClicks(box, "a red circle moving to the right on a black background")
    previews = []
    desk.studio.progress_changed.connect(
        lambda progress: previews.append(progress.preview) if progress else None
    )
    qtbot.keyClick(desk.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: desk.window.stage.shown is Shown.CLIP, timeout=PATIENCE)
    assert {preview.num_frames for preview in previews if preview} == {1, 12}
    qtbot.waitUntil(lambda: desk.player.num_loaded == 12, timeout=PATIENCE)
    assert all(desk.player.image(index).width() == 64 for index in range(12))
    qtbot.waitUntil(lambda: desk.player.index > 0, timeout=PATIENCE)

    (name,) = desk.library.records
    events = []
    file = tmp_path / "clip.mp4"
    desk.studio.export(name, SaveRequest(path=str(file), width=256), events.append)
    qtbot.waitUntil(lambda: bool(events), timeout=PATIENCE)
    assert events[0].output == str(file)
    opened = open_video(file, tmp_path / "frames", is_cancelled=lambda: False)
    assert (opened.num_frames, opened.width, opened.height) == (12, 256, 256)
    assert opened.request.prompt.startswith("a red circle")
