"""Steps of the tour in which clips are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from application import wait_until
from drawings import break_picture, draw_picture
from visit import CLIP_SECONDS, check

if TYPE_CHECKING:
    from visit import Visit

FIRST_PROMPT = "a red circle moving to the right on a dark blue background"
PROMPTS = (
    "a yellow triangle growing on a black background",
    "a green square moving to the left on a gray background",
    "a white circle moving down on a dark blue background",
)
"""What the tour types; nothing else of it is English in another language."""
_MAP_SIZE = 12
_MANY_STEPS = 90
_MUCH_NOISE = 400
_USUAL_NOISE = 20


def first_start(visit: Visit) -> None:
    """A new person chooses a language, sees where things go, and begins with the demo model."""
    app = visit.app
    app.place("FirstStart")
    visit.picture("first_steps_language")
    visit.click("简体中文")
    wait_until(lambda: app.reads("欢迎使用 kvdesk"), "the other language")
    visit.click("English")
    wait_until(lambda: app.reads("Welcome to kvdesk"), "English")
    visit.click("Continue")
    wait_until(lambda: app.reads("GB free"), "what is free on the disk")
    visit.picture("first_steps_folders")
    visit.click("Continue")
    app.place("ModelCard")
    visit.picture("first_steps_model")
    visit.click("Demo now")
    wait_until(lambda: not app.places("FirstStart"), "the first steps to go")
    wait_until(lambda: app.place("_GenerateButton").has_focus, "Generate to have the keyboard")
    wait_until(lambda: app.reads("of 24 tokens"), "the example in the form")


def first_view(visit: Visit) -> None:
    """Then the person sees where to begin, and that it would fit."""
    app = visit.app
    wait_until(lambda: app.reads("Fits:"), "the answer whether it fits", seconds=60)
    check(app.reads("Your clips will be kept here."), "the library does not say that it is empty")
    check(visit.is_idle(), "the queue does not say that it is empty")
    check(len(app.places("ExampleButton")) == 3, "there are no three examples to begin with")
    check(app.children(), "no worker was started")
    visit.picture("first_start")


def first_clip(visit: Visit) -> None:
    """A prompt is typed, Ctrl+Return makes the clip, and it plays."""
    app, screen = visit.app, visit.screen
    visit.write_prompt(FIRST_PROMPT)
    wait_until(lambda: app.reads("of 24 tokens"), "the count of tokens")
    visit.picture("prompt_typed")
    screen.key("ctrl+Return")
    wait_until(lambda: app.places("Timeline"), "the timeline of the stages")
    (clip,) = visit.wait_for_clips(1)
    check(clip.num_frames == 45, f"8 frames a second are 45, not {clip.num_frames}")
    check(clip.info["request"]["prompt"] == FIRST_PROMPT, "it is not the prompt that was typed")
    canvas = app.place("PlayerCanvas")
    check(visit.is_moving(canvas.seen), "the finished clip does not play")
    check(len(app.items("ClipGrid")) == 1, "the library does not show the clip")
    visit.picture("first_clip")


def hover(visit: Visit) -> None:
    """A clip in the library plays under the pointer."""
    tile = visit.app.items("ClipGrid")[0][1]
    left, top, width, height = tile
    visit.screen.move(left + width // 2, top + height + 60)
    check(not visit.is_moving(tile), "a clip plays that is not under the pointer")
    visit.screen.move(left + width // 2, top + height // 2)
    check(visit.is_moving(tile), "the clip under the pointer does not play")
    visit.picture("library_hover")


def cousins(visit: Visit) -> None:
    """Four seeds of the same request appear side by side."""
    app = visit.app
    before = len(visit.clips())
    visit.click("Quick look")
    visit.click("Make several at once")
    visit.picture("generate_menu")
    entries = app.places("ChoiceButton", within="ChoiceMenu")
    visit.screen.click(*min(entries, key=lambda place: place.rect[1]).middle)
    app.place("BatchView")
    made = visit.wait_for_clips(before + 4)[before:]
    seeds = [clip.info["request"]["seed"] for clip in made]
    check(seeds == list(range(seeds[0], seeds[0] + 4)), f"they are not four in a row: {seeds}")
    tiles = [place for place in app.places("BatchTile", within="BatchView") if place.is_enabled]
    check(len(tiles) == 4, f"{len(tiles)} of four cousins can be chosen")
    visit.picture("cousins")
    visit.click("BatchTile", within="BatchView")
    app.place("PlayerCanvas")
    visit.click("Close the details")


def motion_map(visit: Visit) -> None:
    """Drafts of every motion; a click takes the values, and undo gives the old ones back."""
    app, screen = visit.app, visit.screen
    before = len(visit.clips())
    visit.click("Make several at once")
    entries = app.places("ChoiceButton", within="ChoiceMenu")
    screen.click(*max(entries, key=lambda place: place.rect[1]).middle)
    app.place("BatchView")
    visit.wait_for_clips(before + _MAP_SIZE)
    visit.picture("motion_map")
    visit.click("low motion, noise augmentation 100", within="BatchView")
    wait_until(lambda: app.place("low", within="Motion").is_checked, "the motion to be taken")
    screen.key("ctrl+z")
    wait_until(lambda: app.place("high", within="Motion").is_checked, "undo")
    screen.key("ctrl+p")


def more_settings(visit: Visit) -> None:
    """An unusual value is allowed, with the reason for the caution; undo takes it back."""
    app, screen = visit.app, visit.screen
    caution = "leaves its first picture behind"
    visit.click("Standard")
    visit.click("More settings")
    visit.type_number("noise_augmentation", _MUCH_NOISE)
    wait_until(lambda: app.reads(caution), "the caution")
    visit.picture("more_settings_caution")
    screen.key("ctrl+z")
    wait_until(lambda: not app.reads(caution), "undo")
    value = float(app.place("_Box", within="noise_augmentation").value)
    check(value == _USUAL_NOISE, f"undo gives {value:g}")


def running(visit: Visit) -> None:
    """While a clip is made, its stages, a preview and the time left can be seen."""
    app, screen = visit.app, visit.screen
    before = len(visit.clips())
    visit.type_number("steps", _MANY_STEPS)
    visit.click("Back to the model’s defaults")
    visit.type_number("steps", _MANY_STEPS)
    visit.click("More settings")
    visit.write_prompt(PROMPTS[0])
    screen.key("ctrl+Return")
    for stage, step in (("Key frame", 20), ("Motion", 40)):
        wait_until(
            lambda stage=stage, step=step: _step(visit, stage) >= step,
            f"step {step} of “{stage}”",
            seconds=CLIP_SECONDS,
            busy=True,
        )
        visit.picture(f"running_{stage.split()[0].lower()}")
    check(visit.is_moving(app.place("Canvas").seen), "the preview of the motion does not move")
    visit.wait_for_clips(before + 1)
    visit.click("Standard")


def _step(visit: Visit, stage: str) -> int:
    """How many steps of a stage are done, as the timeline says; 0 in another stage."""
    for timeline in visit.app.places("Timeline"):
        words = timeline.description.removeprefix(f"{stage}: step ")
        if words != timeline.description:
            return int(words.split()[0])
    return 0


def queue(visit: Visit) -> None:
    """Jobs wait for their turn; one is removed, and comes back by undo."""
    app, screen = visit.app, visit.screen
    before = len(visit.clips())
    for prompt in PROMPTS:
        visit.write_prompt(prompt)
        screen.key("ctrl+Return")
        wait_until(lambda prompt=prompt: _is_queued(visit, prompt), "the job to be in the queue")
    visit.picture("queue")
    row = len(app.items("_JobList")) - 1
    visit.click_item("_JobList", row)
    screen.key("Delete")
    wait_until(lambda: len(app.items("_JobList")) == row, "the job to be removed")
    screen.key("ctrl+z")
    wait_until(lambda: len(app.items("_JobList")) >= row, "undo")
    made = visit.wait_for_clips(before + len(PROMPTS))[before:]
    prompts = [clip.info["request"]["prompt"] for clip in made]
    check(prompts == list(PROMPTS), f"they were made in another order: {prompts}")


def _is_queued(visit: Visit, prompt: str) -> bool:
    return any(prompt in words for words, _ in visit.app.items("_JobList"))


def dropped_picture(visit: Visit) -> None:
    """A picture is dropped, its crop frame moved, and the clip begins with it."""
    app, screen = visit.app, visit.screen
    before = len(visit.clips())
    picture = visit.home / "Pictures" / "yellow triangle.png"
    picture.parent.mkdir(exist_ok=True)
    draw_picture(picture)
    with visit.dragged(picture, app.place("ComposePanel")):
        visit.picture("dropping")
    frame = app.place("CropFrame")
    wait_until(lambda: app.reads("from 640 × 400"), "the size of the picture")
    left, top = frame.middle
    screen.drag((left, top), (left + 40, top))
    visit.picture("crop_frame")
    visit.write_prompt("a yellow triangle moving to the left on a dark blue background")
    screen.key("ctrl+Return")
    clip = visit.wait_for_clips(before + 1)[-1]
    check((clip.path / "picture.png").is_file(), "the clip does not keep its picture")
    crop = clip.info["request"]["picture"]["crop"]
    check(crop and crop["left"] > (640 - 400) / 2, f"the frame was not moved: {crop}")
    visit.picture("clip_from_picture")
    visit.click("Start without a picture")
    wait_until(lambda: not app.places("CropFrame"), "the picture to be gone")


def broken_picture(visit: Visit) -> None:
    """A broken file is refused where it was dropped, in words, and nothing else happens."""
    app = visit.app
    good = visit.home / "Pictures" / "yellow triangle.png"
    broken = good.with_name("cut off.png")
    break_picture(broken, source=good)
    jobs = len(visit.clips())
    with visit.dragged(broken, app.place("StageView")):
        visit.picture("dropping_on_stage")
    app.place("NoticeCard")
    visit.picture("broken_picture")
    check(not app.places("CropFrame"), "a broken picture was taken")
    check(visit.is_idle() and len(visit.clips()) == jobs, "a broken picture became a job")
    visit.click("Close this notice")
    wait_until(lambda: not app.places("NoticeCard"), "the notice to be closed")
