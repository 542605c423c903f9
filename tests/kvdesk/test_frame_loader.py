import gc
import subprocess
import sys
from pathlib import Path

from busy_watch import BusyWatch
from drawn_clips import draw, drawn_clip, red_of
from PySide6.QtCore import QThreadPool

from kvdesk.frame_loader import FrameLoader

ROOT = Path(__file__).parents[2]
GENEROUS_MS = 80  # other programs take the machine's time too


def test_every_frame_is_decoded_once_and_stays(qtbot, tmp_path):
    clip = drawn_clip(tmp_path, 30)
    loader = FrameLoader()
    loaded = []
    loader.frame_loaded.connect(loaded.append)
    loader.load(clip.frames)
    qtbot.waitUntil(lambda: loader.num_loaded == 30)
    assert sorted(loaded) == list(range(30))
    assert [red_of(loader.image(index)) for index in range(30)] == list(range(30))


def test_the_first_frames_come_first(qtbot, tmp_path):
    clip = drawn_clip(tmp_path, 40)
    loader = FrameLoader()
    loaded = []
    loader.frame_loaded.connect(loaded.append)
    loader.load(clip.frames)
    qtbot.waitUntil(lambda: loader.num_loaded == 40)
    for done in range(1, 41):
        # Only what the other thread is busy with may still be missing.
        assert len(set(range(max(loaded[:done]))) - set(loaded[:done])) <= 1


def test_a_preferred_frame_comes_before_those_in_front_of_it(qtbot, tmp_path):
    clip = drawn_clip(tmp_path, 60, side=256)
    loader = FrameLoader()
    loaded = []
    loader.frame_loaded.connect(loaded.append)
    loader.load(clip.frames)
    loader.prefer(50)
    qtbot.waitUntil(lambda: loader.num_loaded == 60)
    assert loaded.index(50) < loaded.index(30)


def test_another_clip_cancels_the_one_that_is_loading(qtbot, tmp_path):
    first = drawn_clip(tmp_path, 60, name="first", side=256)
    second = [draw(tmp_path / "one.png", 201), draw(tmp_path / "two.png", 202)]
    loader = FrameLoader()
    loader.load(first.frames)
    loader.load(second)
    qtbot.waitUntil(lambda: loader.num_loaded == 2)
    assert QThreadPool.globalInstance().waitForDone(3000)
    qtbot.wait(20)
    assert loader.num_loaded == loader.num_frames == 2
    assert [red_of(loader.image(index)) for index in range(2)] == [201, 202]


def test_an_unreadable_file_is_told_and_the_others_are_there(qtbot, tmp_path):
    good = draw(tmp_path / "good.png", 9)
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    loader = FrameLoader()
    loader.load([good, bad, tmp_path / "gone.png"])
    qtbot.waitUntil(lambda: loader.num_loaded == 3)
    assert red_of(loader.image(0)) == 9
    assert loader.failure(0) is None
    assert loader.failure(1)
    assert loader.failure(2)
    assert loader.image(1) is None
    assert loader.is_settled(1)


def test_closing_gives_the_memory_back(qtbot, tmp_path):
    clip = drawn_clip(tmp_path, 5)
    loader = FrameLoader()
    loader.load(clip.frames)
    qtbot.waitUntil(lambda: loader.num_loaded == 5)
    loader.close()
    assert loader.num_frames == loader.num_loaded == 0
    assert loader.image(0) is None


def test_a_loader_that_goes_while_it_loads_leaves_no_thread_at_work(qtbot, tmp_path):
    clip = drawn_clip(tmp_path, 60, side=256)
    loader = FrameLoader()
    loader.load(clip.frames)
    qtbot.wait(5)
    loader.deleteLater()
    del loader
    gc.collect()
    qtbot.wait(1)
    assert QThreadPool.globalInstance().waitForDone(300)


def test_loading_large_frames_does_not_hold_the_event_loop_up(qtbot, tmp_path):
    clip = drawn_clip(tmp_path, 40, side=512)
    loader = FrameLoader()
    with BusyWatch() as watch:
        loader.load(clip.frames)
        qtbot.waitUntil(lambda: loader.num_loaded == 40)
    assert watch.worked_ms < 50, str(watch)
    assert watch.passed_ms < GENEROUS_MS, str(watch)


def test_an_application_that_ends_while_frames_load_ends_well(tmp_path):
    clip = drawn_clip(tmp_path, 60, side=256)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from PySide6.QtGui import QGuiApplication\n"
        "from kvdesk.frame_loader import FrameLoader\n"
        "app = QGuiApplication([])\n"
        "loader = FrameLoader()\n"
        "loader.load([Path(name) for name in sys.argv[1:]])\n"
    )
    command = [sys.executable, "-c", program, *map(str, clip.frames)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (ended.returncode, ended.stderr) == (0, "")
