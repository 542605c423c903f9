"""Steps of the tour about how the window looks: themes, sizes, languages, and a second visit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from application import wait_until
from steps_making import FIRST_PROMPT, PROMPTS
from visit import check

if TYPE_CHECKING:
    from visit import Visit

_NARROW = (1024, 700)
_SMALLEST = (640, 480)
_WORD = re.compile(r"[A-Za-z][a-z]{3,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SAME_IN_ALL_LANGUAGES = {"English", "kvdesk", "demo", "Solver", "Ctrl", "Shift", "Delete", "Home"}
_DARK_BELOW, _LIGHT_ABOVE = 80, 200


def dark(visit: Visit) -> None:
    """The dark theme, with a clip and what was made before."""
    _open_settings(visit)
    visit.picture("settings")
    visit.click("Dark")
    wait_until(lambda: _brightness(visit) < _DARK_BELOW, "the dark theme")
    _show_clip(visit)
    visit.picture("window_dark")


def light(visit: Visit) -> None:
    """The light theme, on the main view and on the pages."""
    _open_settings(visit)
    visit.click("Light")
    wait_until(lambda: _brightness(visit) > _LIGHT_ABOVE, "the light theme")
    visit.picture("settings_light")
    _show_clip(visit)
    visit.picture("window_light")
    visit.click("More settings")
    visit.picture("more_settings_light")
    visit.click("More settings")
    visit.screen.key("ctrl+e")
    visit.app.place("ExportSheet")
    wait_until(lambda: visit.app.reads("The file will have about"), "the size", seconds=60)
    visit.picture("export_light")
    visit.screen.key("F1")
    visit.app.place("HelpPage")
    visit.picture("help_light")
    visit.screen.key("Escape")


def narrow(visit: Visit) -> None:
    """In small windows columns fold away, and everything can still be reached."""
    app = visit.app
    _resize(visit, *_NARROW)
    column = app.place("Queue and library")
    check(not app.places("LibraryView"), "the library does not fold away")
    visit.picture("narrow", width=_NARROW[0], height=_NARROW[1])
    check(app.place("_GenerateButton").is_seen, "Generate is out of sight")
    visit.screen.click(*column.middle)
    app.place("LibraryView")
    visit.picture("narrow_with_library", width=_NARROW[0], height=_NARROW[1])
    visit.click("Queue and library")
    _resize(visit, *_SMALLEST)
    visit.picture("smallest", width=_SMALLEST[0], height=_SMALLEST[1])
    _resize(visit, visit.screen.width, visit.screen.height)
    app.place("LibraryView")


def large_text(visit: Visit) -> None:
    """At 200 % everything is there and nothing is cut off."""
    app = visit.app
    before = app.place("_GenerateButton").rect
    _open_settings(visit)
    visit.click("200 %")
    wait_until(lambda: app.place("_GenerateButton").rect[3] > 1.5 * before[3], "everything to grow")
    visit.picture("settings_200")
    _show_clip(visit)
    visit.picture("window_200")
    check(app.place("_GenerateButton").is_seen, "Generate is out of sight")
    visit.screen.key("ctrl+e")
    app.place("ExportSheet")
    visit.picture("export_200")
    _resize(visit, *_NARROW)
    visit.screen.key("ctrl+p")
    visit.picture("narrow_200", width=_NARROW[0], height=_NARROW[1])
    _resize(visit, visit.screen.width, visit.screen.height)
    _open_settings(visit)
    visit.click("100 %")
    wait_until(lambda: app.place("_GenerateButton").rect[3] == before[3], "everything to shrink")
    visit.screen.key("ctrl+p")


def chinese(visit: Visit) -> None:
    """In Chinese nothing stays English, on any page; a click brings English back."""
    screen, left_over = visit.screen, set[str]()
    _open_settings(visit)
    visit.click("Dark")
    visit.click("简体中文")
    wait_until(lambda: not visit.app.reads("Settings"), "the other language")
    pages = {"settings": "ctrl+comma", "help": "F1", "export": "ctrl+e", "clip": "ctrl+p"}
    try:
        for page, keys in pages.items():
            screen.key("ctrl+p", keys)
            if page == "clip":
                _show_clip(visit)
            visit.picture("chinese" if page == "clip" else f"chinese_{page}")
            left_over |= {text for text in visit.app.texts() if _is_english(text)}
    finally:
        screen.key("ctrl+comma")
        visit.click("English")
        wait_until(lambda: visit.app.reads("Settings"), "English")
        screen.key("ctrl+p")
    check(not left_over, f"still English: {sorted(left_over)}")


def second_visit(visit: Visit) -> None:
    """What was made and set is there again after a restart."""
    app = visit.app
    num_clips = len(app.items("ClipGrid"))
    visit.quit()
    visit.start()
    app = visit.app
    wait_until(lambda: app.reads("Fits:"), "the answer whether it fits", seconds=60)
    check(len(app.items("ClipGrid")) == num_clips, "the library is not the same")
    check(_brightness(visit) < _DARK_BELOW, "the theme is not the one that was chosen")
    visit.picture("second_visit")
    visit.quit()


def _open_settings(visit: Visit) -> None:
    visit.screen.key("ctrl+comma")
    visit.app.place("SettingsPage")


def _show_clip(visit: Visit) -> None:
    visit.click_item("ClipGrid", 0)
    visit.app.place("PlayerCanvas")
    # By what it is: its words are others in another language.
    closing = visit.click("IconButton", within="ClipDetails")
    visit.screen.move(closing.rect[0] - 400, 30)


def _resize(visit: Visit, width: int, height: int) -> None:
    visit.screen.resize(visit.window, width, height)
    wait_until(lambda: visit.app.place("MainWindow").rect[2:] == (width, height), "the other size")


def _brightness(visit: Visit) -> float:
    """Of the empty end of the top bar, from 0 to 255."""
    left, top, width, height = visit.app.place("TopBar").rect
    pixels = visit.screen.pixels((left + width // 2, top + 4, 20, height // 3))
    return sum(pixels) / len(pixels)


def _is_english(text: str) -> bool:
    """Whether a text is in English and neither a name nor typed by the tour."""
    typed = (FIRST_PROMPT, *PROMPTS, "a yellow triangle", "a blue triangle")
    if any(prompt[:12] in text for prompt in typed) or text.startswith("/"):
        return False
    if _CHINESE.search(text):  # the rest of it is a name, or what was typed
        return False
    return bool(set(_WORD.findall(text)) - _SAME_IN_ALL_LANGUAGES)
