from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from PIL import Image, ImageFile, UnidentifiedImageError

TOUR = Path(__file__).parents[2] / "packaging" / "window_tour"


@pytest.fixture
def tour(monkeypatch):
    """Imports a module of the tour, which is a folder of scripts and no package."""
    monkeypatch.syspath_prepend(str(TOUR))
    return importlib.import_module


def noisy_picture(path: Path, *, side: int) -> None:
    channels = [Image.effect_noise((side, side), 90) for _ in "RGB"]
    Image.merge("RGB", channels).save(path)


def test_a_picture_that_is_small_enough_keeps_its_colours(tour, tmp_path):
    Image.new("RGB", (1440, 900), (28, 31, 38)).save(tmp_path / "seen.png")
    tour("readme_pictures").shrink(tmp_path / "seen.png", tmp_path / "shown.png")
    with Image.open(tmp_path / "shown.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (1440, 900))


def test_a_larger_picture_has_fewer_colours(tour, tmp_path):
    noisy_picture(tmp_path / "seen.png", side=500)
    tour("readme_pictures").shrink(tmp_path / "seen.png", tmp_path / "shown.png")
    assert (tmp_path / "seen.png").stat().st_size > tour("readme_pictures").MAX_BYTES
    assert (tmp_path / "shown.png").stat().st_size <= tour("readme_pictures").MAX_BYTES
    with Image.open(tmp_path / "shown.png") as picture:
        assert picture.mode == "P"


def test_a_picture_that_stays_too_large_is_refused(tour, tmp_path):
    noisy_picture(tmp_path / "seen.png", side=1200)
    with pytest.raises(ValueError, match=r"shown\.png has \d+ bytes"):
        tour("readme_pictures").shrink(tmp_path / "seen.png", tmp_path / "shown.png")


def test_pictures_that_the_tour_did_not_make_are_named(tour, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "25_window_dark.png")
    missing = tour("readme_pictures").choose(["25_window_dark.png"], tmp_path, tmp_path)
    assert "window_dark" not in missing
    assert {"window_light", "compare"} <= set(missing)
    assert (tmp_path / "window_dark.png").is_file()


def test_every_picture_of_the_readme_is_taken_by_a_step(tour):
    steps = "".join(path.read_text(encoding="utf-8") for path in TOUR.glob("steps_*.py"))
    taken = set(re.findall(r"\.picture\(\s*\"(\w+)\"", steps))
    taken |= {"running_motion", "chinese"}  # named by their stage and page
    assert set(tour("readme_pictures").CHOSEN.values()) <= taken


def test_the_broken_picture_cannot_be_decoded(tour, tmp_path):
    drawings = tour("drawings")
    drawings.draw_picture(tmp_path / "good.png")
    drawings.break_picture(tmp_path / "bad.png", source=tmp_path / "good.png")
    with Image.open(tmp_path / "good.png") as good:
        assert good.getpixel((400, 200)) == (240, 220, 50)
        assert good.getpixel((5, 5)) == (15, 20, 85)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    with (
        pytest.raises((OSError, UnidentifiedImageError)),
        Image.open(tmp_path / "bad.png") as bad,
    ):
        bad.load()


def test_programs_that_are_missing_are_named_with_their_package(tour, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = tour("screen").missing_programs()
    assert len(missing) == 3
    assert any("xdotool" in words for words in missing)


def test_what_does_not_become_so_in_time_is_a_fault_with_its_words(tour):
    application = tour("application")
    with pytest.raises(application.TourFault, match="the clip"):
        application.wait_until(lambda: None, "the clip", seconds=0.01)
    looks = iter([0, 0, 7])
    assert application.wait_until(lambda: next(looks), "the clip", busy=True) == 7


def test_a_control_can_be_clicked_where_most_of_it_is_in_sight(tour):
    application = tour("application")

    def place(seen):
        return application.Place(
            kind="QPushButton",
            text="",
            description="",
            value="",
            rect=(0, 100, 80, 30),
            seen=seen,
            is_enabled=True,
            is_checked=False,
            has_focus=False,
            window=1,
        )

    assert place((0, 100, 80, 30)).is_seen
    assert place((0, 100, 80, 20)).can_be_clicked
    assert not place((0, 100, 80, 20)).is_seen
    assert not place((0, 100, 80, 10)).can_be_clicked
    assert not place((0, 100, 0, 0)).can_be_clicked
    assert place((0, 110, 80, 20)).middle == (40, 120)


@pytest.mark.parametrize(
    ("text", "is_english"),
    [
        ("Clips are kept in", True),
        ("素材库", False),
        ("撤销 Add 1 clip", False),  # the name of an action, in the language of its time
        ("8.0 MB", False),
        ("Ctrl+Shift+P", False),
        ("a red circle moving to the right on a dark blue background", False),
        ("/home/somebody/Videos", False),
    ],
)
def test_words_that_were_not_translated_are_found(tour, text, is_english):
    assert tour("steps_looks")._is_english(text) is is_english
