"""From a sentence to a file, with the real worker and the demo model."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from engine.api import Fps, SaveRequest, frame_path
from engine.video_frames import open_video
from kvdesk.ui.stage_view import Shown

PATIENCE = 240_000  # torch is imported, perhaps on a busy machine
STEPS = 6
# The real worker, but for one step of a network that fails in the words of a broken graphics card.
BREAKS_DOWN_ONCE = """
import engine.worker
from pathlib import Path
from engine.models.unet import UNet
calls, denoise = [], UNet.denoise
def breaking_down(self, x, step):
    calls.extend([None] * (not x.is_meta))  # what plans are made from is no work
    if len(calls) == {call} and not Path({once!r}).exists():
        Path({once!r}).touch()
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    return denoise(self, x, step)
UNet.denoise = breaking_down
engine.worker.main()
"""


def test_a_sentence_becomes_a_clip_that_plays_and_a_file_that_decodes(desk_of, qtbot, tmp_path):
    desk = desk_of(real=True)
    qtbot.waitUntil(lambda: desk.form.model is not None, timeout=PATIENCE)
    desk.form.edit("draft", fps=Fps.LOW)
    box = desk.window.compose.prompt.editor
    box.setFocus()
    qtbot.keyClicks(box, "a red circle moving to the right on a black background")
    previews, notices = [], []
    desk.studio.notice.connect(notices.append)
    desk.studio.progress_changed.connect(
        lambda progress: previews.append(progress.preview) if progress else None
    )
    qtbot.keyClick(desk.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(
        lambda: desk.window.stage.shown is Shown.CLIP or bool(notices), timeout=PATIENCE
    )
    assert notices == []
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


@pytest.mark.slow
def test_after_a_card_broke_down_a_new_worker_goes_on_to_the_same_pixels(desk_of, qtbot, tmp_path):
    in_motion = STEPS + 3  # the key frame is done
    program = BREAKS_DOWN_ONCE.format(call=in_motion, once=str(tmp_path / "once"))
    desk = desk_of(program=program)
    qtbot.waitUntil(lambda: desk.form.model is not None, timeout=PATIENCE)
    notices, key_frames, finished = [], set(), []
    desk.studio.notice.connect(notices.append)
    desk.studio.clip_finished.connect(finished.append)
    desk.studio.progress_changed.connect(
        lambda progress: (
            progress
            and progress.key_frame
            and key_frames.add(Path(progress.key_frame).stat().st_mtime_ns)
        )
    )
    desk.form.edit("test", prompt="a red circle", seed=3, fps=Fps.LOW, steps=STEPS)
    desk.studio.submit()
    qtbot.waitUntil(lambda: bool(finished) or len(notices) > 1, timeout=PATIENCE)
    (notice,) = notices
    assert "The graphics card reported a fault" in notice.text
    assert "illegal memory access" in notice.detail
    assert len(key_frames) == 1  # it was not drawn again

    desk.form.edit("test", seed=3)
    desk.studio.submit()
    qtbot.waitUntil(lambda: len(finished) + len(notices) > 2, timeout=PATIENCE)
    assert notices == [notice]
    interrupted, whole = (tmp_path / "clips" / name for name in finished)
    for index in range(12):
        names = [frame_path(folder, 12, index) for folder in (interrupted, whole)]
        assert names[0].read_bytes() == names[1].read_bytes()
