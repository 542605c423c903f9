"""A picture file gives the right pixels or one `PictureError`; its size is another test's."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from picture_makers import Sample, blend, encode, exif, mild, profile, scene, turned
from picture_samples import good_pictures
from picture_wrecks import bombs, damaged, not_pictures, one_of_each, refusal, write
from PIL import Image, PngImagePlugin

from engine.errors import PictureError
from engine.picture_files import supported_kinds
from engine.pictures import open_picture, to_upright_rgb

KINDS = one_of_each()
BOMBS = bombs()
NOT_PICTURES = not_pictures()
DAMAGED = damaged()


def distance(picture: Image.Image, expected: np.ndarray) -> int:
    assert picture.mode == "RGB"
    assert (picture.height, picture.width, 3) == expected.shape
    return int(np.abs(np.asarray(picture).astype(int) - expected.astype(int)).max())


@pytest.mark.fault(21)
@pytest.mark.parametrize("sample", good_pictures(), ids=lambda sample: sample.name)
def test_a_picture_opens_with_the_pixels_a_person_expects(sample: Sample, tmp_path):
    data, expected = sample.build()
    picture = open_picture(write(tmp_path, data))
    assert distance(picture, expected) <= sample.tolerance
    assert type(picture) is Image.Image  # nothing of the file is kept
    assert not picture.info
    assert not picture.getexif()


def test_there_are_at_least_two_hundred_odd_pictures_and_their_names_differ():
    names = [sample.name for sample in good_pictures()]
    assert len(names) >= 200
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("background", [(0, 0, 0), (200, 30, 90)])
def test_transparent_parts_show_the_background(kind, background, tmp_path):
    colours = scene(20, 10)
    alpha = np.arange(200, dtype=np.uint8).reshape(10, 20)
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    path = write(tmp_path, encode(np.dstack([colours, alpha]), kind, **options))
    picture = open_picture(path, background=background)
    assert distance(picture, blend(colours, alpha, background)) <= 1


def test_the_name_says_nothing_about_the_kind(tmp_path):
    pixels = mild(40, 24)
    jpeg = encode(pixels, "JPEG", quality=100, subsampling=0)
    for name in ("a.png", "b.tiff", "c.txt", "d", "e.jpg.exe"):
        assert distance(open_picture(write(tmp_path, jpeg, name)), pixels) <= 3


# Large pictures.


@pytest.mark.parametrize(
    ("size", "kind", "options"),
    [
        ((12000, 12000), "PNG", {}),
        ((9000, 10000), "TIFF", {"compression": "group4"}),
        ((32768, 1000), "GIF", {}),
    ],
)
def test_large_pictures_open_without_a_warning_or_a_lasting_change(size, kind, options, tmp_path):
    data = encode(Image.new("1", size, 1), kind, **options)
    before = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))
    picture = open_picture(write(tmp_path, data))
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before
    assert picture.size == size
    assert picture.getextrema() == ((255, 255),) * 3


@pytest.mark.fault(20)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_its_header_with_the_limit_in_numbers(name, tmp_path):
    path = write(tmp_path, BOMBS[name])
    start = time.perf_counter()
    error = refusal(path)
    assert time.perf_counter() - start < 1
    assert "too large" in error.message
    assert re.search(r"(150,000,000|5,000,000)", error.message)


def test_a_refused_size_is_named(tmp_path):
    error = refusal(write(tmp_path, BOMBS["png"]))
    assert "60,000 x 60,000" in error.message


# What is not a picture.


@pytest.mark.parametrize("name", NOT_PICTURES)
def test_something_else_named_like_a_picture_is_refused_with_the_kinds_that_work(name, tmp_path):
    error = refusal(write(tmp_path, NOT_PICTURES[name]))
    assert "not a picture" in error.message
    for kind in supported_kinds():
        assert kind in error.message


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_inside_is_one_clear_error(name, tmp_path):
    error = refusal(write(tmp_path, DAMAGED[name]))
    assert "damaged" in error.message or "cut short" in error.message
    assert error.detail


CUTS = (0.02, 0.1, 0.3, 0.5, 0.75, 0.9, 0.95)


@pytest.mark.fault(22)
@pytest.mark.parametrize("share", CUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_cut_short_is_refused(kind, share, tmp_path):
    data = KINDS[kind]
    refusal(write(tmp_path, data[: max(1, int(len(data) * share))]))


@pytest.mark.fault(22)
@pytest.mark.parametrize("kind", KINDS)
def test_no_cut_changes_a_pixel(kind, tmp_path):
    """Near the end a cut may take nothing that is needed; then every pixel must be there."""
    data = KINDS[kind]
    whole = open_picture(write(tmp_path, data)).tobytes()
    for missing in (1, 2, 3, 4, 8, 16, 24):
        with contextlib.suppress(PictureError):
            assert open_picture(write(tmp_path, data[:-missing])).tobytes() == whole


# Mutants.


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    first = int(rng.integers(0, min(len(data), rng.choice([40, 200, len(data)]))))
    match int(rng.integers(4)):
        case 0:
            for _ in range(int(rng.integers(1, 9))):
                near = min(len(data) - 1, first + int(rng.integers(0, 30)))
                changed[near] = int(rng.integers(256))
        case 1:
            changed[first] ^= 1 << int(rng.integers(8))
        case 2:
            del changed[first : first + int(rng.integers(1, 50))]
        case _:
            changed[first:first] = changed[first : first + int(rng.integers(1, 50))]
    return bytes(changed)


def with_right_sums(data: bytes) -> bytes:
    """A PNG whose check sums are made right again, so that damage gets past them."""
    fixed, start = bytearray(data), 8
    while start + 12 <= len(fixed):
        (length,) = struct.unpack_from(">I", fixed, start)
        end = start + 8 + length
        if end + 4 > len(fixed):
            break
        struct.pack_into(">I", fixed, end, zlib.crc32(fixed[start + 4 : end]))
        start = end + 4
    return bytes(fixed)


@pytest.mark.fault(22)
@pytest.mark.parametrize("kind", KINDS)
def test_a_mutant_opens_as_a_picture_or_is_refused(kind, tmp_path):
    rng = np.random.default_rng(sorted(KINDS).index(kind))
    for number in range(24):
        data = mutant(KINDS[kind], rng)
        if kind.startswith("png") and number % 2:
            data = with_right_sums(data)
        path = write(tmp_path, data)
        with contextlib.suppress(PictureError):
            picture = open_picture(path)
            assert picture.mode == "RGB"
            assert len(picture.tobytes()) == 3 * picture.width * picture.height


@pytest.mark.parametrize(
    "error",
    [
        OSError("x"),
        SyntaxError("x"),
        RuntimeError("x"),
        ValueError("x"),
        struct.error("x"),
        EOFError(),
        OverflowError(),
        IndexError(),
        KeyError("x"),
        zlib.error("x"),
        RecursionError(),
        AssertionError(),
        ZeroDivisionError(),
        AttributeError(),
        Image.DecompressionBombError("x"),
        Image.UnidentifiedImageError("x"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_decoder_raises_is_a_picture_error(error, tmp_path, monkeypatch):
    def fail(_: object) -> None:
        raise error

    path = write(tmp_path, KINDS["png"])
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", fail)
    assert refusal(path).__cause__ is error


def test_a_keyboard_interrupt_is_not_swallowed(tmp_path, monkeypatch):
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    path = write(tmp_path, KINDS["png"])
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        open_picture(path)
    monkeypatch.undo()
    assert open_picture(path).size == (55, 45)  # and the next picture is not locked out


# Pictures from Python.

MODES = (
    *("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX"),
    *("CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16", "I;16B", "I;16L"),
)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_pillow_becomes_rgb_and_the_given_picture_stays(mode):
    picture = Image.new(mode, (9, 5))
    picture.info["transparency"] = 0
    before = (picture.mode, picture.size, picture.tobytes(), dict(picture.info))
    made = to_upright_rgb(picture, background=(1, 2, 3))
    assert (made.mode, made.size, made.info) == ("RGB", (9, 5), {})
    assert (picture.mode, picture.size, picture.tobytes(), dict(picture.info)) == before


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L"])
def test_16_bit_pictures_are_scaled_and_not_clipped(mode):
    levels = np.array([[0, 128, 129, 257, 32768, 65406, 65407, 65535]])
    order = ">u2" if mode == "I;16B" else "<u2"
    picture = Image.frombytes(mode, (8, 1), levels.astype(order).tobytes())
    grey = np.asarray(to_upright_rgb(picture))[0, :, 0]
    assert grey.tolist() == [0, 0, 1, 1, 128, 254, 255, 255]


def test_no_pixels_are_a_picture_error():
    with pytest.raises(PictureError, match="no pixels"):
        to_upright_rgb(Image.new("RGB", (0, 7)))


def test_a_picture_that_pillow_cannot_finish_is_a_picture_error(tmp_path):
    path = write(tmp_path, KINDS["jpeg"][:-200])
    with Image.open(path) as lazy, pytest.raises(PictureError, match="cut short"):
        to_upright_rgb(lazy)


def test_turning_and_colour_profile_are_applied_once():
    upright = mild(40, 24)
    options = {"exif": exif(6), "icc_profile": profile(swapped=True)}
    data = encode(turned(upright, 6), "PNG", **options)
    with Image.open(io.BytesIO(data)) as given:
        once = to_upright_rgb(given)
    assert distance(once, upright[..., ::-1]) <= 2
    assert to_upright_rgb(once).tobytes() == once.tobytes()


def test_many_threads_get_the_same_answers(tmp_path):
    paths = [write(tmp_path, data, f"{name}.png") for name, data in KINDS.items()]
    paths += [write(tmp_path, data, f"{name}.png") for name, data in DAMAGED.items()]

    def answers() -> list[object]:
        found: list[object] = []
        for path in paths:
            try:
                found.append(open_picture(path).tobytes())
            except PictureError as error:
                found.append(error.message)
        return found

    expected, results = answers(), []
    threads = [threading.Thread(target=lambda: results.append(answers())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_importing_pictures_does_not_import_torch():
    program = "import sys, engine.pictures; sys.exit('torch' in sys.modules)"
    folder = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=folder, check=False).returncode == 0
