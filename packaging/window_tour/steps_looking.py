"""Steps of the tour in which finished clips are looked at, compared and exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imageio_ffmpeg
from application import wait_until
from visit import check

if TYPE_CHECKING:
    from visit import Visit

_WIPE_TO = 0.7
_SHORTEST, _LONGEST = 5.4, 6.1  # seconds; every clip lasts about as long


def details(visit: Visit) -> None:
    """A click in the library shows the clip and how it differs from the form."""
    app = visit.app
    words = visit.click_item("ClipGrid", 1)
    app.place("PlayerCanvas")
    app.place("ClipDetails")
    check(app.reads(words), "the details do not say the prompt")
    check(visit.is_moving(app.place("PlayerCanvas").seen), "the chosen clip does not play")
    visit.picture("details")
    visit.click("Close the details")
    wait_until(lambda: not app.places("ClipDetails"), "the details to be closed")


def player(visit: Visit) -> None:
    """The keys of the player step through a clip frame by frame."""
    app, screen = visit.app, visit.screen
    visit.click("PlayerCanvas")
    screen.key("Home", "Right", "Right")
    wait_until(lambda: app.reads("3 / 45"), "the third frame")
    check(not visit.is_moving(app.place("PlayerCanvas").seen), "the clip goes on after a step")
    screen.key("space")
    check(visit.is_moving(app.place("PlayerCanvas").seen), "the clip does not go on")


def compare(visit: Visit) -> None:
    """Two clips lie under a wipe that the mouse moves."""
    app, screen = visit.app, visit.screen
    visit.click_item("ClipGrid", 0)
    visit.click("Close the details")
    visit.click_item("ClipGrid", 1, keys="ctrl")
    screen.key("ctrl+d")
    canvas = app.place("CompareCanvas")
    check(visit.is_moving(canvas.seen), "the compared clips do not play")
    visit.picture("compare_side_by_side")
    visit.click("Wipe")
    wait_until(lambda: "50 %" in app.place("CompareCanvas").description, "the wipe in the middle")
    left, top, width, height = app.place("CompareCanvas").rect
    side = min(width, height)
    middle = (left + width // 2, top + height // 2)
    screen.drag(middle, (middle[0] - side // 2 + round(side * _WIPE_TO), middle[1]))
    percent = int(app.place("CompareCanvas").description.split(" %")[0].split()[-1])
    check(abs(percent - 100 * _WIPE_TO) <= 2, f"the wipe is at {percent} %")
    visit.picture("compare_wipe")
    visit.click("Back", within="CompareView")


def export(visit: Visit) -> None:
    """The file's size is foretold, and the saved file has every frame."""
    app, screen = visit.app, visit.screen
    visit.click_item("ClipGrid", 0)
    app.place("PlayerCanvas")
    screen.key("ctrl+e")
    app.place("ExportSheet")
    foretold = "The file will have about"
    wait_until(lambda: app.reads(foretold), "the size of the file to be foretold", seconds=60)
    visit.picture("export_sheet")
    words = next(text for text in app.texts() if foretold in text)
    visit.click("Save as MP4 …")
    dialog = app.place("QFileDialog")
    screen.focus(dialog.window)
    target = visit.home / "Videos" / "my clip.mp4"
    screen.key("ctrl+a")
    screen.type(str(target))
    visit.picture("save_dialog")
    screen.key("Return")
    wait_until(lambda: app.reads("Saved as my clip.mp4."), "the file to be saved", seconds=60)
    screen.focus(visit.window)
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(target))
    clip = visit.clips()[-1]
    check(frames == clip.num_frames, f"the file has {frames} frames, the clip {clip.num_frames}")
    check(_SHORTEST <= (seconds or 0) <= _LONGEST, f"the file lasts {seconds} s")
    size = target.stat().st_size / 1000
    said = float(words.removeprefix(foretold).split()[0].replace(",", "."))
    check(0.5 < size / said < 2, f"{words} It has {size:.1f} kB.")
    visit.picture("exported")
    visit.click("Close this notice")


def help_page(visit: Visit) -> None:
    """F1 shows the help; its table of contents leads to the pictures and the shortcuts."""
    visit.screen.key("F1")
    visit.app.place("HelpPage")
    visit.picture("help")
    _follow(visit, "The settings, in pictures")
    wait_until(lambda: any(strip.is_seen for strip in visit.app.places("Strip")), "pictures")
    visit.picture("help_pictures")
    visit.screen.key("End")
    wait_until(lambda: visit.app.reads("Move a job of the queue"), "the list of shortcuts")
    visit.screen.key("Escape")
    wait_until(lambda: not visit.app.places("HelpPage"), "the help to be closed")


def model_page(visit: Visit) -> None:
    """The way to the real model can be looked at, and fetches nothing by itself."""
    visit.screen.key("F1")
    _follow(visit, "The real model")
    visit.click("Get the model …", within="HelpPage")
    visit.app.place("ModelPage")
    visit.picture("get_the_model")
    models = visit.home / "data" / "kvdesk" / "models"
    check(not models.exists(), "something was written before it was asked for")
    visit.screen.key("Escape")
    wait_until(lambda: not visit.app.places("ModelPage"), "the page to be closed")


def _follow(visit: Visit, title: str) -> None:
    """Click the link to a section of the help, which has its title as well."""
    links = visit.app.places(title, within="HelpPage")
    visit.screen.click(*next(link.middle for link in links if link.kind == "QPushButton"))
