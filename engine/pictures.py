"""Pictures from files and from Python made ready for the network, and frames made into pictures.

What the official preprocessing does to a picture that needs nothing else is reproduced exactly;
where it is careless (rotation, transparency, colour profiles, small pictures) this does better.
"""

from __future__ import annotations

import math
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import ExifTags, Image, ImageCms

from engine.errors import InvalidRequest, PictureError, WrongNumbers
from engine.picture_files import decode_picture, decoding, read_picture_file, size_text

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import CropBox, FrameSize
    from engine.picture_files import PictureFile

MAX_PROFILE_BYTES = 4 * 2**20

_WHITE = (255, 255, 255)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WITH_ALPHA: dict[str, str] = {
    **dict.fromkeys(("1", "L", "La", "LA"), "LA"),
    **dict.fromkeys(("P", "PA", "RGB", "RGBa", "RGBA"), "RGBA"),
}
_FROM_16_BIT = ((np.arange(2**16, dtype=np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def open_picture(path: Path, *, background: tuple[int, int, int] = _WHITE) -> Image.Image:
    """The picture in a file: upright, RGB of 8 bit, in sRGB; of an animation the first frame.

    Decodes in this process, so it is for files that this program wrote itself. For all others
    there is `engine.picture_opening`.

    Transparent parts show `background` (red, green, blue, each 0 to 255). See `to_upright_rgb`
    for what becomes of other modes.

    Raises:
        PictureError: whatever is wrong with the file or the picture in it. A picture that is cut
            short is refused; nothing is filled in.
    """
    return decode_upright(read_picture_file(path), background=background)


def decode_upright(file: PictureFile, *, background: tuple[int, int, int] = _WHITE) -> Image.Image:
    """See `open_picture`, with a file that is read already.

    Raises:
        PictureError: it cannot be decoded, or not whole.
    """
    with decoding(f"The {file.kind.name} picture {file.name}"):
        return _upright_rgb(decode_picture(file), background)


def to_upright_rgb(
    picture: Image.Image, *, background: tuple[int, int, int] = _WHITE
) -> Image.Image:
    """A new picture that looks as `picture` is meant to: upright, RGB of 8 bit, in sRGB.

    Applies the EXIF orientation and the ICC profile (a broken one is ignored) and lays what is
    transparent over `background`. 16 bit are scaled to 8. Whole numbers of 32 bit count as 16 bit
    and floats as 0 to 1, or else 0 to 255, if they all lie in that range; otherwise the darkest
    value becomes 0 and the brightest 255. The result has no metadata; `picture` is left as it is.

    Raises:
        PictureError: `picture` has no pixels, or they cannot be read.
    """
    with decoding("The picture"):
        if min(picture.size) < 1:
            raise PictureError(f"The picture has no pixels: it is {size_text(picture.size)}.")
        return _upright_rgb(picture, background)


def fit_picture(
    picture: Image.Image, size: FrameSize, *, crop: CropBox | None = None
) -> Image.Image:
    """The middle of an RGB picture (or of its part `crop`), scaled to fill exactly `size`.

    A picture that is smaller than `size` is scaled up; the official code puts black around it.

    Raises:
        InvalidRequest: `crop` reaches beyond the picture.
        ValueError: the picture is not RGB.
    """
    if picture.mode != "RGB":
        raise ValueError(f"picture must be RGB, not {picture.mode}; see to_upright_rgb")
    region = (0.0, 0.0, float(picture.width), float(picture.height))
    if crop is not None:
        picture, region = _cut(picture, crop)
    is_whole = region == (0, 0, *picture.size)
    if is_whole and picture.width >= size.width and picture.height >= size.height:
        return _shrink_to_cover(picture, size)
    # Only the part that will be seen is scaled: a line of 12000x1 scaled to a height of 512
    # before it is cut would have three billion pixels.
    box = _centre(region, size)
    return picture.resize((size.width, size.height), Image.Resampling.BICUBIC, box=box)


def picture_to_array(picture: Image.Image) -> np.ndarray:
    """An RGB picture as the network takes it: float32, (3, height, width), -1 to 1.

    Raises:
        ValueError: the picture is not RGB.
    """
    if picture.mode != "RGB":
        raise ValueError(f"picture must be RGB, not {picture.mode}; see to_upright_rgb")
    pixels = np.asarray(picture).transpose(2, 0, 1)
    # PARITY: in float32 and in this order, as the official preprocessing computes it.
    array = np.ascontiguousarray(pixels, dtype=np.float32)
    array /= 255
    array *= 2
    array -= 1
    return array


def array_to_pictures(frames: np.ndarray) -> list[Image.Image]:
    """RGB pictures of a clip: float32, (frames, 3, height, width), -1 to 1; beyond is cut off.

    Raises:
        WrongNumbers: a value is not a number.
        ValueError: the shape or the type is another.
    """
    if frames.ndim != 4 or frames.shape[1] != 3 or frames.dtype != np.float32:
        raise ValueError(
            f"frames must be float32 of (frames, 3, height, width), not {frames.dtype} "
            f"of {frames.shape}"
        )
    pictures: list[Image.Image] = []
    for number, frame in enumerate(frames):
        if np.isnan(frame).any():
            raise WrongNumbers(
                "A picture has values that are not numbers. The model or the device computes wrong "
                "numbers: find out which with kvdesk self-test and kvdesk doctor --full.",
                detail=f"frame {number} of {len(frames)}",
            )
        unit = np.clip((frame + 1) / 2, 0, 1)
        # PARITY: cut down to whole numbers, not rounded.
        pixels = (unit * 255).astype(np.uint8).transpose(1, 2, 0)
        pictures.append(Image.fromarray(np.ascontiguousarray(pixels)))
    return pictures


# Modes.


def _upright_rgb(picture: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    picture.load()
    profile = picture.info.get("icc_profile")
    picture = _upright(picture)
    colours, alpha = _split_alpha(picture)
    rgb = _to_srgb(colours, profile)
    if alpha is not None:
        below = Image.new("RGB", rgb.size, background)
        below.paste(rgb, mask=alpha)
        return below
    # Metadata that stayed would be applied again to what is upright and sRGB already.
    rgb.info.clear()
    return rgb


def _upright(picture: Image.Image) -> Image.Image:
    orientation: object = 1
    with suppress(Exception):  # EXIF breaks in as many ways as pictures; then it is ignored
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _split_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours as L, RGB or CMYK of 8 bit, and the opacity as L (None: opaque)."""
    if not picture.has_transparency_data:
        return _to_8_bit(picture), None
    if picture.mode.startswith("I"):
        key = picture.info["transparency"]
        opaque = (np.asarray(picture) != key).astype(np.uint8) * 255
        return _to_8_bit(picture), Image.fromarray(opaque)
    mode = _WITH_ALPHA.get(picture.mode)
    if mode is None:  # a key colour means nothing there
        return _to_8_bit(picture), None
    with_alpha = picture.convert(mode)
    return with_alpha.convert(mode[:-1]), with_alpha.getchannel("A")


def _to_8_bit(picture: Image.Image) -> Image.Image:
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode.startswith("I;16"):
        return Image.fromarray(_FROM_16_BIT[np.asarray(picture)])
    if picture.mode in ("I", "F"):
        return _scale_to_8_bit(picture)
    return picture.convert("RGB")


def _scale_to_8_bit(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture, dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    for white in (65535,) if picture.mode == "I" else (1, 255):
        if low >= 0 and high <= white:
            low, high = 0.0, float(white)
            break
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled = (values - low) * (255 / (high - low or 1))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _to_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """`picture`, of which `profile` says what its numbers mean, as a new sRGB picture."""
    if isinstance(profile, bytes) and 0 < len(profile) <= MAX_PROFILE_BYTES:
        # A profile that is broken, or of another colour space than the picture, is ignored.
        with suppress(Exception):
            transform = ImageCms.buildTransform(
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                picture.mode,
                "RGB",
            )
            if not (picture.mode == "RGB" and _changes_nothing(transform)):
                return transform.apply(picture)
    return picture.convert("RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the profile is sRGB but for rounding, as most are: then no pixel is touched."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    card = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)
    changed = np.asarray(transform.apply(Image.fromarray(card)))
    return bool(np.abs(changed.astype(np.int16) - card).max() <= 2)


# Sizes.


def _shrink_to_cover(picture: Image.Image, size: FrameSize) -> Image.Image:
    # PARITY: the scaled picture is never smaller than the clip: the side that decides comes out
    # exact but for one part in 2**52, and the other is at least as long.
    factor = min(picture.width / size.width, picture.height / size.height)
    scaled = picture.resize(
        (round(picture.width / factor), round(picture.height / factor)), Image.Resampling.BICUBIC
    )
    left = (scaled.width - size.width) / 2
    top = (scaled.height - size.height) / 2
    return scaled.crop((left, top, left + size.width, top + size.height))


def _cut(
    picture: Image.Image, crop: CropBox
) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """The whole pixels that `crop` touches, and where in them it lies."""
    if crop.right > picture.width or crop.bottom > picture.height:
        raise InvalidRequest(
            f"The crop ({crop.left:g}, {crop.top:g}) to ({crop.right:g}, {crop.bottom:g}) reaches "
            f"beyond the picture, which has {size_text(picture.size)}."
        )
    left, top = math.floor(crop.left), math.floor(crop.top)
    part = picture.crop((left, top, math.ceil(crop.right), math.ceil(crop.bottom)))
    return part, (crop.left - left, crop.top - top, crop.right - left, crop.bottom - top)


def _centre(
    region: tuple[float, float, float, float], size: FrameSize
) -> tuple[float, float, float, float]:
    """The largest part in the middle of `region` that has the shape of `size`."""
    left, top, right, bottom = region
    factor = min((right - left) / size.width, (bottom - top) / size.height)
    margin_x = max(0.0, (right - left - factor * size.width) / 2)
    margin_y = max(0.0, (bottom - top - factor * size.height) / 2)
    return left + margin_x, top + margin_y, right - margin_x, bottom - margin_y
