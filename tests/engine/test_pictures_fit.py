"""A picture fitted to the clip is the official one where it can be, and never has a border."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_makers import scene
from PIL import Image

from engine.api import CropBox, FrameSize
from engine.errors import InvalidRequest, WrongNumbers
from engine.pictures import array_to_pictures, fit_picture, picture_to_array

CLIP = FrameSize(width=64, height=64)
CLIPS = [(64, 64), (96, 64), (64, 96), (512, 512), (8, 512), (512, 8), (672, 384), (384, 672)]
RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 9, 9)


def size_of(clip: tuple[int, int]) -> FrameSize:
    return FrameSize(width=clip[0], height=clip[1])


def picture_of(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(width * height).integers(0, 30, (height, width, 3), np.uint8)
    return Image.fromarray(scene(width, height) // 2 + noise)


def official(picture: Image.Image, clip: tuple[int, int]) -> Image.Image:
    """The specification: shrink by the smaller ratio, never enlarge, cut out the middle."""
    width, height = clip
    reduce = max(1, min(picture.width / width, picture.height / height))
    shrunk = picture.resize((round(picture.width / reduce), round(picture.height / reduce)))
    x, y = shrunk.size
    return shrunk.crop(((x - width) / 2, (y - height) / 2, (x + width) / 2, (y + height) / 2))


# Parity.


@pytest.mark.parametrize("clip", CLIPS[:5])
def test_a_picture_that_covers_the_clip_is_fitted_exactly_like_the_official_code(clip):
    rng = np.random.default_rng(sum(clip))
    extras = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 300), (301, 0)]
    extras += [(int(a), int(b)) for a, b in rng.integers(0, 500, (25, 2))]
    for extra in extras:
        picture = picture_of(clip[0] + extra[0], clip[1] + extra[1])
        fitted = fit_picture(picture, size_of(clip))
        assert fitted.size == clip
        assert fitted.tobytes() == official(picture, clip).tobytes()


@pytest.mark.parametrize("clip", CLIPS)
def test_rounding_never_makes_a_covering_picture_smaller_than_the_clip(clip):
    """All sizes up to 1,500 pixels more than the clip, in the floats that Python uses."""
    width = clip[0] + np.arange(1501, dtype=np.float64)[:, None]
    height = clip[1] + np.arange(1501, dtype=np.float64)[None, :]
    factor = np.minimum(width / clip[0], height / clip[1])
    scaled_width, scaled_height = np.rint(width / factor), np.rint(height / factor)
    assert (scaled_width >= clip[0]).all()
    assert (scaled_height >= clip[1]).all()
    assert ((scaled_width == clip[0]) | (scaled_height == clip[1])).all()


sides = st.integers(1, 1024).map(lambda number: 8 * number)


@given(sides, sides, st.integers(0, 32768), st.integers(0, 32768))
@settings(max_examples=500, deadline=None)
def test_rounding_never_makes_an_enormous_picture_smaller_than_the_clip(width, height, more, rest):
    picture = (width + more, height + rest)
    factor = min(picture[0] / width, picture[1] / height)
    assert round(picture[0] / factor) >= width
    assert round(picture[1] / factor) >= height


# Small pictures.


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (63, 64), (64, 63), (30, 500), (500, 30)])
@pytest.mark.parametrize("clip", CLIPS[:4])
def test_a_small_picture_fills_the_clip_without_a_border(size, clip):
    fitted = fit_picture(Image.new("RGB", size, (250, 240, 230)), size_of(clip))
    assert fitted.size == clip
    assert fitted.getcolors() == [(clip[0] * clip[1], (250, 240, 230))]


def test_a_small_wide_picture_shows_its_middle():
    picture = Image.new("RGB", (30, 10), RED)
    picture.paste(GREEN, (10, 0, 20, 10))
    picture.paste(BLUE, (20, 0, 30, 10))
    fitted = np.asarray(fit_picture(picture, CLIP)).astype(int)
    assert (fitted[:, 16:48] == GREEN).all()
    # The bicubic edge of the neighbours is the same on both sides.
    assert np.array_equal(fitted[:, :16, 0], fitted[:, ::-1][:, :16, 2])


def test_a_small_picture_keeps_its_proportions():
    picture = Image.new("RGB", (20, 40), GREY)
    picture.paste(RED, (5, 15, 15, 25))
    red = np.asarray(fit_picture(picture, CLIP))[..., 0] > 128
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (16, 47, 16, 47)


@pytest.mark.parametrize("size", [(12000, 1), (1, 12000), (12000, 3), (12000, 700), (32768, 2)])
def test_extreme_shapes_take_neither_long_nor_much(size):
    picture = Image.new("RGB", size, RED)
    start = time.perf_counter()
    fitted = fit_picture(picture, FrameSize(width=512, height=512))
    assert time.perf_counter() - start < 1
    assert fitted.getcolors() == [(512 * 512, RED)]


# Crops.


def quarters(side: int) -> Image.Image:
    picture = Image.new("RGB", (2 * side, 2 * side), GREY)
    for colour, corner in ((RED, (0, 0)), (GREEN, (side, 0)), (BLUE, (0, side))):
        picture.paste(colour, (*corner, corner[0] + side, corner[1] + side))
    return picture


def box(left: float, top: float, right: float, bottom: float) -> CropBox:
    return CropBox(left=left, top=top, right=right, bottom=bottom)


@pytest.mark.parametrize("side", [3, 40, 64, 150, 300])
def test_a_crop_shows_its_content_and_nothing_from_around_it(side):
    for colour, crop in (
        (RED, box(0, 0, side, side)),
        (GREEN, box(side, 0, 2 * side, side)),
        (BLUE, box(0, side, side, 2 * side)),
        (GREY, box(side, side, 2 * side, 2 * side)),
        (GREY, box(side + 0.25, side + 0.5, 2 * side - 0.25, 2 * side)),
    ):
        fitted = fit_picture(quarters(side), CLIP, crop=crop)
        assert fitted.getcolors() == [(64 * 64, colour)]


def test_a_crop_of_whole_pixels_is_the_cut_picture_fitted():
    picture = picture_of(300, 200)
    fitted = fit_picture(picture, CLIP, crop=box(20, 30, 220, 130))
    assert fitted.tobytes() == official(picture.crop((20, 30, 220, 130)), (64, 64)).tobytes()


def test_a_crop_of_everything_changes_nothing():
    for size in ((300, 200), (30, 20)):
        picture = picture_of(*size)
        assert fit_picture(picture, CLIP, crop=box(0, 0, *size)) == fit_picture(picture, CLIP)


def test_a_crop_may_begin_between_two_pixels():
    ramp = np.tile(np.arange(128, dtype=np.uint8)[None, :, None] * 2, (64, 1, 3))
    crop = box(10.5, 0, 74.5, 64)
    fitted = np.asarray(fit_picture(Image.fromarray(ramp), CLIP, crop=crop))
    assert fitted[0, 5:-5, 0].tolist() == [2 * x + 21 for x in range(5, 59)]


def test_a_crop_beyond_the_picture_is_refused_with_the_numbers():
    for crop in (box(0, 0, 31, 20), box(0, 0, 30, 20.5), box(40, 40, 50, 50)):
        with pytest.raises(InvalidRequest, match=rf"{crop.right:g}.*30 x 20 pixels"):
            fit_picture(picture_of(30, 20), CLIP, crop=crop)


@given(st.tuples(*[st.floats(0, 1) for _ in range(4)]), st.sampled_from(CLIPS))
@settings(max_examples=150, deadline=None)
def test_any_crop_inside_the_picture_fills_the_clip(shares, clip):
    left, right = sorted(31 * share for share in shares[:2])
    top, bottom = sorted(17 * share for share in shares[2:])
    if left == right or top == bottom:
        return
    picture = Image.new("RGB", (31, 17), (200, 100, 50))
    fitted = fit_picture(picture, size_of(clip), crop=box(left, top, right, bottom))
    assert fitted.getcolors() == [(clip[0] * clip[1], (200, 100, 50))]


@pytest.mark.parametrize("work", [lambda p: fit_picture(p, CLIP), picture_to_array])
def test_only_rgb_pictures_are_taken(work):
    with pytest.raises(ValueError, match="RGBA"):
        work(Image.new("RGBA", (64, 64)))


# Arrays.


def test_the_array_is_bit_for_bit_what_torch_computes():
    import torch  # seconds of import, for this test alone

    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    pixels = np.concatenate([pixels, scene(16, 16)])
    tensor = torch.from_numpy(pixels).permute(2, 0, 1).to(torch.float32).div(255)
    array = picture_to_array(Image.fromarray(pixels))
    assert array.dtype == np.float32
    assert array.shape == (3, 32, 16)
    assert array.flags.c_contiguous
    assert np.array_equal(array, (2.0 * tensor - 1.0).numpy())


def test_frames_become_pictures_by_cutting_off_the_fraction():
    values = np.linspace(-1.5, 1.5, 3 * 40 * 24, dtype=np.float32).reshape(1, 3, 24, 40)
    values[0, 0, 0, :4] = -np.inf, np.inf, -1, 1
    frames = np.concatenate([values, values[:, ::-1]])
    pictures = array_to_pictures(frames)
    expected = (np.clip((frames + np.float32(1)) / 2, 0, 1) * 255).astype(np.uint8)
    assert len(pictures) == 2
    for picture, pixels in zip(pictures, expected, strict=True):
        assert (picture.mode, picture.size) == ("RGB", (40, 24))
        assert np.array_equal(np.asarray(picture), pixels.transpose(1, 2, 0))
    assert pictures[0].getpixel((0, 0))[0] == 0
    assert pictures[0].getpixel((1, 0))[0] == 255


def test_a_picture_comes_back_at_most_one_level_darker():
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    (picture,) = array_to_pictures(picture_to_array(Image.fromarray(pixels))[None])
    lost = pixels.astype(int) - np.asarray(picture)
    assert lost.min() >= 0
    assert lost.max() <= 1


def test_frames_of_another_shape_or_type_are_refused():
    good = np.zeros((1, 3, 8, 8), np.float32)
    for bad in (good[0], good[:, :2], good.astype(np.float64), good.astype(np.uint8)):
        with pytest.raises(ValueError, match="float32"):
            array_to_pictures(bad)


def test_a_picture_of_what_is_no_number_is_refused_with_a_way_to_find_out_why():
    frames = np.zeros((2, 3, 4, 4), dtype=np.float32)
    frames[1, 0, 2, 2] = np.nan
    with pytest.raises(WrongNumbers, match="kvdesk self-test") as caught:
        array_to_pictures(frames)
    assert caught.value.detail == "frame 1 of 2"
