"""From nothing to a clip of the released model, through the window, with the real worker.

The model is the toy of the goldens; a server on this computer plays the Hub, for the real client.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_server import HubServer, repositories_of
from official_layout import write_official_layout
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton

from engine.api import RELEASED_MODEL, Fps, FrameSize, SaveRequest, models_folder
from engine.video_frames import open_video
from kvdesk.getting import Phase

PATIENCE = 240_000  # torch is imported, perhaps on a busy machine
# The real worker, but for a smaller test clip: the toy has the sizes of the released model's clips,
# and takes long for how little it computes.
SMALL_TEST = """
import engine.self_test
engine.self_test._PARTS_OF_SIZE = (8,)
engine.self_test._STEPS = (2,)
import engine.worker
engine.worker.main()
"""


@pytest.fixture
def server(tmp_path):
    write_official_layout(tmp_path / "official")
    with HubServer(repositories_of(tmp_path / "official")) as running:
        yield running


def press(desk, qtbot, start):
    buttons = desk.window.model_page.findChildren(QPushButton)
    (button,) = [each for each in buttons if each.isVisible() and each.text().startswith(start)]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_from_nothing_to_a_clip_of_the_released_model_and_its_file(
    desk_of, qtbot, tmp_path, server
):
    def until(what):
        qtbot.waitUntil(lambda: bool(what()) or bool(failed), timeout=PATIENCE)
        assert failed == []

    desk = desk_of(program=SMALL_TEST)
    failed, finished, described = [], [], []
    desk.studio.notice.connect(
        lambda notice: failed.append(notice) if notice.tone == "failed" else None
    )
    desk.studio.clip_finished.connect(finished.append)
    state = desk.studio.getting.store
    desk.studio.getting.choices.described.connect(described.append)

    # The way of a person with a mirror: the address first, then what there is to fetch.
    page = desk.window.model_page
    desk.settings.change(mirror=server.endpoint)
    desk.window.show_model_page()
    (mirror,) = [each for each in page.findChildren(QLineEdit) if each.text() == server.endpoint]
    assert mirror is not None
    until(lambda: described and described[-1])
    assert described[-1].missing_bytes == described[-1].total_bytes > 0
    assert described[-1].peak_bytes_deleting < described[-1].peak_bytes
    press(desk, qtbot, "Get the model (")
    until(lambda: state.state.phase is Phase.PREPARING)
    until(lambda: state.state.phase is Phase.READY)
    until(lambda: desk.form.model is not None and desk.form.model.name == RELEASED_MODEL)

    fetched = {asked.path for asked in server.asked}
    assert {"t2v.pt", "movq.pt", "model.safetensors"} <= fetched
    assert "flax_model.msgpack" not in fetched
    assert not list(state.state.originals.rglob("*.pt"))  # deleted as they were prepared
    assert (models_folder() / RELEASED_MODEL / "model.json").is_file()
    assert state.state.tested.seconds > 0
    assert Path(state.state.tested.key_frame).is_file()

    desk.form.edit(
        "test", prompt="a cat", seed=3, fps=Fps.LOW, size=FrameSize(width=64, height=64), steps=2
    )
    qtbot.keyClick(desk.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    until(lambda: finished)
    (name,) = finished
    assert desk.library.record(name).info.model == RELEASED_MODEL
    events = []
    desk.studio.export(name, SaveRequest(path=str(tmp_path / "clip.mp4")), events.append)
    until(lambda: events)
    opened = open_video(tmp_path / "clip.mp4", tmp_path / "frames", is_cancelled=lambda: False)
    assert (opened.num_frames, opened.width, opened.height) == (12, 64, 64)
